"""Raw clients in one process: open streams by the thousand, and single requests."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from .stack import CSRF, HOST, cookies

AT_ONCE = 50
"""Streams that are opened at once when opening is not being measured."""

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Streams:
    """Open streams of one server."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.open: list[Connection] = []

    async def add(self, session_keys: Sequence[str]) -> None:
        """Open one for each of these sessions."""
        for start in range(0, len(session_keys), AT_ONCE):
            await self.add_at_once(session_keys[start : start + AT_ONCE])

    async def add_at_once(self, session_keys: Sequence[str]) -> list[float]:
        """Open streams all at once; return when each was open, by `time.perf_counter`."""

        async def one(session_key: str) -> tuple[Connection, float]:
            connection = await self._one(session_key)
            return connection, time.perf_counter()

        opened = await asyncio.gather(*map(one, session_keys))
        self.open += [connection for connection, _ in opened]
        return [at for _, at in opened]

    async def _one(self, session_key: str) -> Connection:
        reader, writer = await asyncio.open_connection(HOST, self.port)
        request = f"GET /messages/stream HTTP/1.1\r\nHost: localhost\r\nCookie: {cookies(session=session_key)}\r\n\r\n"
        writer.write(request.encode())
        await reader.readuntil(b"event: ready")
        return reader, writer

    def close(self) -> None:
        for _, writer in self.open:
            writer.close()
        self.open.clear()


async def answered(port: int, path: str) -> bytes:
    """Return the whole response to an anonymous request."""
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    said = await reader.read()
    writer.close()
    return said


@dataclass
class Page:
    """The sender's open conversation."""

    port: int
    session_key: str
    url: str
    newest: str
    """`created_at` of the last message it shows."""

    async def send(self, text: str) -> None:
        stored = await send(self.port, self.session_key, self.url, text, after=self.newest)
        self.newest = stored["created_at"]


async def send(port: int, session_key: str, url: str, text: str, *, after: str = "") -> dict[str, Any]:
    """Post a message as a page's script does; what was stored. Raises SystemExit when it was not."""
    body = urlencode({"message": text, "message_uuid": str(uuid4()), "after": after})
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(
        f"POST {url} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAccept: application/json\r\n"
        f"Cookie: {cookies(session=session_key, csrf=CSRF)}\r\nX-CSRFToken: {CSRF}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
    )
    head, _, answer = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    if b" 201 " not in head.split(b"\r\n")[0]:
        raise SystemExit(head.decode())
    stored: dict[str, Any] = json.loads(answer)
    return stored
