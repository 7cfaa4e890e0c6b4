"""Middleware of the project: the reader's time zone, and the answers of what cannot be had now."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from messaging.aws import Unavailable
from messaging.rate_limit import RateLimited

from . import errors

GetResponse = Callable[[HttpRequest], HttpResponse]

# Set by static/js/timezone.js, so its presence also says that script runs.
TIMEZONE_COOKIE = "timezone"


class TimezoneMiddleware:
    """Activates the time zone of the cookie for the request; UTC when there is none or it is no time zone."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with timezone.override(_zone(request.COOKIES.get(TIMEZONE_COOKIE, ""))):
            return self.get_response(request)


class UnavailableMiddleware:
    """Where a view has no better answer: 503 when DynamoDB or Postgres is away, 429 when a person is too fast."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, Unavailable | OperationalError | InterfaceError):
            return errors.unavailable(request)
        if isinstance(exception, RateLimited):
            return errors.too_many_requests(request, retry_after=exception.retry_after)
        return None


def _zone(name: str) -> ZoneInfo | None:
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        # No IANA name, one this machine does not know, or a directory of the database.
        return None
