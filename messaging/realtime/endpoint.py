"""The stream endpoint: an ASGI application in front of Django's.

Inside Django's request cycle an open stream would hold a thread and a database connection while it is open.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from uuid import UUID
from weakref import WeakKeyDictionary

from django.conf import settings

from cruddur.asgi_types import Application, Receive, Scope, Send
from cruddur.observability import export

from .admission import admit
from .bus import Bus, bus
from .hub import Hub
from .rendering import frame
from .shutdown import at_shutdown
from .sse import Stream

PATH = "/messages/stream"
SECONDS_OPEN = (540.0, 660.0)
"""Lifetime of a stream, random for each, so that streams opened together do not reconnect together."""
RETRY_MILLISECONDS = (1000, 5000)
"""How long a browser waits before it reconnects, random for each stream."""
SEND_SECONDS = 20.0
"""A connection that accepts no data for this long is closed."""


class LiveApplication:
    """Serves the streams, and passes everything else to `django`. One hub per event loop."""

    def __init__(self, django: Application, make_bus: Callable[[], Bus] = bus) -> None:
        self._django = django
        self._make_bus = make_bus
        self._hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http" and scope["path"] == PATH:
            await self._stream(scope, receive, send)
        else:
            await self._django(scope, receive, send)

    @property
    def hub(self) -> Hub:
        """The running loop's hub."""
        loop = asyncio.get_running_loop()
        if loop not in self._hubs:
            self._hubs[loop] = Hub(self._make_bus)
        return self._hubs[loop]

    async def _live(self, receive: Receive, send: Send) -> None:
        """Handle the server's lifespan: end the streams at shutdown, because the server waits for open responses."""
        hub = self.hub
        await receive()
        with at_shutdown(hub.close):
            await send({"type": "lifespan.startup.complete"})
            await receive()
        hub.close()
        await asyncio.to_thread(export.stop)
        await send({"type": "lifespan.shutdown.complete"})

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        hub = self.hub
        answer = await admit(dict(scope), hub)
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        if answer.reader is None:
            await send({"type": "http.response.body", "body": b""})
            return
        limit = settings.LIVE_STREAMS_A_PERSON
        with hub.stream(answer.reader, answer.session_key, asked_at=answer.asked_at, at_most=limit) as stream:
            stream.offer(_first_words(answer.reader.user))
            await _run(stream, receive, send)


async def _run(stream: Stream, receive: Receive, send: Send) -> None:
    """Send frames until the stream ends, the client disconnects, or the server stops."""
    loop = asyncio.get_running_loop()
    renewal = loop.call_later(random.uniform(*SECONDS_OPEN), stream.end, "renew")  # noqa: S311 - spreads load
    gone = loop.create_task(_close_when_gone(stream, receive))
    try:
        async for said in stream.frames():
            async with asyncio.timeout(SEND_SECONDS):
                await send({"type": "http.response.body", "body": said, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    except TimeoutError:
        # A client that reads nothing does not read this either: returning closes the connection.
        return
    except asyncio.CancelledError:
        # The server stops and has waited long enough. Ending the response properly keeps errors out of its log.
        with suppress(asyncio.CancelledError):
            await send({"type": "http.response.body", "body": b""})
    finally:
        renewal.cancel()
        gone.cancel()


async def _close_when_gone(stream: Stream, receive: Receive) -> None:
    """Close the stream when the client disconnects; a GET has no body to read."""
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.close()


def _first_words(user: UUID) -> bytes:
    """Return the first frame: the reconnect delay, and that changes from now on will be sent."""
    retry = random.randint(*RETRY_MILLISECONDS)  # noqa: S311
    return b"retry: %d\n" % retry + frame("ready", {"user": str(user)})
