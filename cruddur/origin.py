"""Which site's page made a request."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.http import HttpRequest


def is_from_elsewhere(request: HttpRequest) -> bool:
    """Whether the browser says that another site's page made this request; those that say nothing are not accused."""
    if (site := request.headers.get("Sec-Fetch-Site")) is not None:
        return site != "same-origin"
    origin = request.headers.get("Origin")
    return origin is not None and urlsplit(origin).netloc != request.get_host()
