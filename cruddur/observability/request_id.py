"""A name for each request: in every line that is logged for it, and in its answer, for who asks about it."""

from __future__ import annotations

import re
import secrets
from collections.abc import MutableMapping
from typing import Any

from django.conf import settings

from cruddur.asgi_types import Application, Message

from .request_context import set_request_id

HEADER = b"x-request-id"
WELL_FORMED = re.compile(rb"[A-Za-z0-9._-]{8,64}")


class RequestId:
    """The outermost ASGI application: names the request, streams included, and says so in its answer.

    A name that comes with the request counts only behind a proxy, which sets it itself, and only if it is one: anyone
    could otherwise write into the log, or give many requests the same name.
    """

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        name = _name_of(scope)
        set_request_id(name)

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (HEADER, name.encode())]
            await send(message)

        await self._application(scope, receive, named)


def _name_of(scope: MutableMapping[str, Any]) -> str:
    come: bytes = dict(scope["headers"]).get(HEADER, b"")
    if settings.BEHIND_PROXY and WELL_FORMED.fullmatch(come):
        return come.decode()
    return secrets.token_hex(8)
