"""Middleware: sessions that end during a request, time zones, Cache-Control, trailing slashes."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import quote
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions import middleware as sessions
from django.contrib.sessions.exceptions import SessionInterrupted
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.urls import is_valid_path
from django.utils import timezone
from django.utils.http import escape_leading_slashes

from .errors import session_ended

GetResponse = Callable[[HttpRequest], HttpResponse]


class SessionMiddleware(sessions.SessionMiddleware):
    """Django's middleware, but answers 403 with the posted text, not 400, when the session ends during a request."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        try:
            return super().process_response(request, response)
        except SessionInterrupted:
            # The page must not name the person who was signed in when the request began.
            request.user = AnonymousUser()
            ended = session_ended(request)
            ended.delete_cookie(
                settings.SESSION_COOKIE_NAME,
                path=settings.SESSION_COOKIE_PATH,
                domain=settings.SESSION_COOKIE_DOMAIN,
                samesite="Lax",
            )
            return ended


class TimezoneMiddleware:
    """Activate the time zone of the cookie for the request; UTC if it is missing or unknown."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with timezone.override(zone_from(request.COOKIES.get(settings.COOKIES.timezone, ""))):
            return self.get_response(request)


class CacheControlMiddleware:
    """Set Cache-Control on responses that lack it: `no-store`, but for pages `private, no-cache`.

    With `no-store` browsers would discard a page that is left, with the text typed in it, and reload it for the back
    button. Signing out clears the cache with `Clear-Site-Data`: see `users.cognito.views`.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_page = (
            request.method in {"GET", "HEAD"}
            and response.status_code == HTTPStatus.OK
            and response.get("Content-Type", "").startswith("text/html")
        )
        response.setdefault("Cache-Control", "private, no-cache" if is_page else "no-store")
        return response


class TrailingSlashMiddleware:
    """Redirect GET and HEAD to the address without its trailing slash if it exists; CommonMiddleware adds slashes."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_unknown = response.status_code == HTTPStatus.NOT_FOUND and request.resolver_match is None
        if not is_unknown or request.method not in ("GET", "HEAD") or not request.path_info.endswith("/"):
            return response
        path = request.path_info.rstrip("/")
        if not path or not is_valid_path(path):
            return response
        query = request.META.get("QUERY_STRING", "")
        return HttpResponsePermanentRedirect(escape_leading_slashes(f"{quote(path)}{query and '?'}{query}"))


def zone_from(name: str) -> ZoneInfo | None:
    """Return the time zone that the cookie names, or None."""
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        # Not an IANA name, unknown to this machine, or a directory of the database.
        return None
