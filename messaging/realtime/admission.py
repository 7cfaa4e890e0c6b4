"""Decide who may open a stream, before the endpoint opens one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from io import BytesIO
from typing import Any

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from django.utils import translation
from django_permissions_policy import PermissionsPolicyMiddleware

from cruddur.web.middleware import zone_from
from cruddur.web.origin import is_from_elsewhere
from cruddur.web.rate_limits import RateLimited
from users.sessions.lookup import SessionsUnavailable
from users.sessions.store import is_session_key

from .hub import Hub
from .rendering import Reader
from .session_checks import SessionChecks

Headers = list[tuple[bytes, bytes]]
RETRY_AFTER = 5
"""Seconds to wait when sessions cannot be read."""


@dataclass(frozen=True, slots=True)
class Admission:
    """The answer to a request for a stream: a status and headers. With `reader` set, the stream opens."""

    status: int
    headers: Headers
    reader: Reader | None = None
    session_key: str = ""
    asked_at: float = 0.0
    """When the session check began, by the loop's clock."""


async def admit(scope: dict[str, Any], hub: Hub) -> Admission:
    """Decide whether this request gets a stream. Queries Postgres for the session's user and nothing else."""
    request = ASGIRequest(scope, BytesIO())
    response, reader, asked_at = _secured()(request), None, 0.0
    session_key = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    if response.status_code == HTTPStatus.OK:
        response.status_code = _first_look(request, session_key)
    if response.status_code == HTTPStatus.OK:
        # This order misses nothing: an ended session is gone already, and the bus reports one that ends later.
        await hub.listen()
        asked_at = asyncio.get_running_loop().time()
        try:
            response.status_code, reader = await _second_look(request, session_key, hub.sessions)
        except RateLimited as limited:
            response.status_code, response["Retry-After"] = HTTPStatus.TOO_MANY_REQUESTS, str(limited.retry_after)
    response["Cache-Control"] = "no-store"
    match response.status_code:
        case HTTPStatus.OK:
            response["Content-Type"] = "text/event-stream"
            # Keeps nginx from buffering the stream.
            response["X-Accel-Buffering"] = "no"
        case HTTPStatus.METHOD_NOT_ALLOWED:
            response["Allow"] = "GET"
        case HTTPStatus.SERVICE_UNAVAILABLE:
            response["Retry-After"] = str(RETRY_AFTER)
    headers = [(name.lower().encode("latin1"), value.encode("latin1")) for name, value in response.items()]
    return Admission(response.status_code, headers, reader, session_key, asked_at)


def _first_look(request: HttpRequest, session_key: str) -> int:
    """Return the status code as far as the request alone determines it."""
    try:
        request.get_host()
    except DisallowedHost:
        return HTTPStatus.BAD_REQUEST
    if request.method != "GET":
        return HTTPStatus.METHOD_NOT_ALLOWED
    if is_from_elsewhere(request):
        return HTTPStatus.FORBIDDEN
    return HTTPStatus.OK if is_session_key(session_key) else HTTPStatus.UNAUTHORIZED


async def _second_look(request: HttpRequest, session_key: str, sessions: SessionChecks) -> tuple[int, Reader | None]:
    """Return the status code that follows from the session's user, and the reader."""
    try:
        user = await sessions.user_of(session_key)
    except SessionsUnavailable:
        return HTTPStatus.SERVICE_UNAVAILABLE, None
    if user is None:
        return HTTPStatus.UNAUTHORIZED, None
    zone = zone_from(request.COOKIES.get(settings.COOKIES.timezone, ""))
    return HTTPStatus.OK, Reader(user, zone, translation.get_language_from_request(request))


@cache
def _secured() -> Callable[[HttpRequest], HttpResponse]:
    """Add the security headers to an empty response, or redirect it to https where required."""
    answer: Any = lambda request: HttpResponse()  # noqa: E731
    for middleware in (XFrameOptionsMiddleware, PermissionsPolicyMiddleware, CSPMiddleware, SecurityMiddleware):
        answer = middleware(answer)
    secured: Callable[[HttpRequest], HttpResponse] = answer
    return secured
