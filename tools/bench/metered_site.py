"""The site with a metered DynamoDB client: `/bench/units` returns the units this process has consumed."""

from __future__ import annotations

import json
from typing import Any

from cruddur.asgi import application as site
from messaging.dynamodb.connection import message_table
from messaging.dynamodb.metering import watch

from .units import PATH, Units

units = Units()
watch(message_table().client, units.note)


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Serve the site and its meter."""
    if scope["type"] != "http" or scope["path"] != PATH:
        await site(scope, receive, send)
        return
    body = json.dumps(units.so_far()).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": body})
