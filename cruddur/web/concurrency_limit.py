"""Limit how many requests a web process handles at once.

Threads share one interpreter lock, and the more of them want it, the more each request costs; a few are enough to work
while others wait for a database. docs/performance.md has the measurements.
"""

from __future__ import annotations

import asyncio
from asyncio import AbstractEventLoop, Semaphore
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary

from cruddur.asgi_types import Application, Message

LONGEST_WAIT = 1.0
"""Seconds after which a request proceeds without a turn: those that hold one may be waiting for a database."""


class ConcurrencyLimit:
    """ASGI middleware. A request holds a turn from when its body is read until its response starts.

    A slow connection therefore does not hold a turn.
    """

    def __init__(self, application: Application, *, at_once: int) -> None:
        self._application = application
        self._at_once = at_once
        self._free = WeakKeyDictionary[AbstractEventLoop, Semaphore]()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        turn = _Slot(self._free.setdefault(asyncio.get_running_loop(), Semaphore(self._at_once)))

        async def received() -> Message:
            message: Message = await receive()
            if message["type"] == "http.request" and not message.get("more_body"):
                await turn.begin()
            return message

        async def sent(message: Message) -> None:
            turn.end()
            await send(message)

        try:
            await self._application(scope, received, sent)
        finally:
            turn.end()


class _Slot:
    def __init__(self, free: Semaphore) -> None:
        self._free = free
        self._is_had = False

    async def begin(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_WAIT):
                self._is_had = await self._free.acquire()

    def end(self) -> None:
        if self._is_had:
            self._is_had = False
            self._free.release()
