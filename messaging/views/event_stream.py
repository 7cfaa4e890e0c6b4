"""The address of the event stream where the server has none."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse


def no_event_stream(request: HttpRequest) -> HttpResponse:
    """Return 204, which tells browsers not to reconnect.

    `cruddur.asgi` serves event streams before Django; this view is reached only under another server.
    """
    return HttpResponse(status=HTTPStatus.NO_CONTENT)
