"""Tell from headers which site's page made a request."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.http import HttpRequest


def is_part_of_a_page(request: HttpRequest) -> bool:
    """Return whether the browser says that this is a subresource of a page: an image, a frame, a script's request.

    False for browsers that send no such header.
    """
    mode, destination = request.headers.get("Sec-Fetch-Mode"), request.headers.get("Sec-Fetch-Dest")
    return mode not in {None, "navigate"} or destination not in {None, "document"}


def is_from_elsewhere(request: HttpRequest) -> bool:
    """Return whether the browser says that another site's page made this request; False if it sends no such header."""
    if (site := request.headers.get("Sec-Fetch-Site")) is not None:
        return site != "same-origin"
    origin = request.headers.get("Origin")
    return origin is not None and urlsplit(origin).netloc != request.get_host()
