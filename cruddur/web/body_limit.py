"""Reject request bodies that are too large with 413, before anything reads them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from cruddur.asgi_types import Application, Message, Receive, Scope

from .errors import error_page
from .middleware import GetResponse

TOO_LARGE = "cruddur.too_large"
"""The key in the scope that tells the middleware."""
DISCARDED_BYTES = 8 * 1024 * 1024
"""Read and discarded, so that the client receives the response: while it still writes it would see a reset."""


class BodyLimit:
    """ASGI application before Django, which reads a whole body, to disk if it is large, before it does anything else.

    A body that is too large, by its length or by what arrives, reaches Django empty, with TOO_LARGE in the scope.
    """

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Any) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        limit, come = settings.BODY_MAX_BYTES, 0

        async def limited() -> Message:
            nonlocal come
            message = await receive()
            if message["type"] != "http.request":
                return message
            come += len(message.get("body", b""))
            if come <= limit and not _says_too_large(scope, limit):
                return message
            scope[TOO_LARGE] = True
            while message["type"] == "http.request" and message.get("more_body") and come < DISCARDED_BYTES:
                message = await receive()
                come += len(message.get("body", b""))
            return {"type": "http.request", "body": b"", "more_body": False}

        await self._application(scope, limited, send)


def _says_too_large(scope: Scope, limit: int) -> bool:
    length = dict(scope["headers"]).get(b"content-length", b"")
    return bool(length.isdigit() and int(length[:20]) > limit)


class BodyLimitMiddleware:
    """Answer 413 where `BodyLimit` or the Content-Length says that the body is too large."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or ""
        too_large = length.isdecimal() and int(length[:20]) > settings.BODY_MAX_BYTES
        if too_large or getattr(request, "scope", {}).get(TOO_LARGE):
            return error_page(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return self.get_response(request)
