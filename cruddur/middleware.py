"""The reader's time zone."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

GetResponse = Callable[[HttpRequest], HttpResponse]

# Set by static/js/page/timezone.js, so its presence also says that script runs.
TIMEZONE_COOKIE = "timezone"


class TimezoneMiddleware:
    """Activates the time zone of the cookie for the request; UTC when there is none or it is no time zone."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with timezone.override(zone_from(request.COOKIES.get(TIMEZONE_COOKIE, ""))):
            return self.get_response(request)


def zone_from(name: str) -> ZoneInfo | None:
    """The time zone that the cookie names, or None."""
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        # No IANA name, one this machine does not know, or a directory of the database.
        return None
