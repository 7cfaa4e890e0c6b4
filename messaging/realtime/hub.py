"""The hub of a process: receive events from the bus and pass each to the streams of its members.

There is one hub per event loop. It starts with the first stream and reads nothing but the sessions of its streams.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID

from cruddur.observability import metrics
from users.sessions.lookup import SessionsUnavailable

from .bus import Bus, BusUnavailable, bus
from .events import Event, Malformed, MessageSent, SessionEnded, UserSignedOut, event_from, fingerprint
from .rendering import Reader, Renderer, frame
from .session_checks import SessionChecks
from .sse import Stream

logger = logging.getLogger(__name__)

FIRST_WAIT, LONGEST_WAIT = 0.1, 5.0
"""Seconds before reconnecting to the bus, doubled each time, with up to 50% jitter."""
SECONDS_FOR_THE_BUS = 2.0
"""How long a new stream waits for the bus before opening without it."""
CHECK_SECONDS = 25.0
CHECK_AGAIN_SECONDS = 5.0
"""Seconds until the next check after Postgres did not answer."""
UNCHECKED_SECONDS = 60.0
"""A stream whose session could not be checked for this long ends."""


class Hub:
    """The streams of a process, and its one subscription to the bus."""

    def __init__(self, make_bus: Callable[[], Bus] = bus) -> None:
        self.sessions = SessionChecks()
        self._make_bus = make_bus
        self._streams: dict[UUID, dict[Stream, None]] = {}
        """Streams by user; a dict, because it keeps the order in which they were opened."""
        self._listening = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._kicked: dict[str | UUID, float] = {}
        """When sessions and users were recently signed out, for streams that are just opening."""

    def __len__(self) -> int:
        return sum(map(len, self._streams.values()))

    @contextmanager
    def stream(self, reader: Reader, session_key: str, *, asked_at: float, at_most: int) -> Iterator[Stream]:
        """Register a stream for this reader while the block runs; the session was read at `asked_at`.

        If a user has more than `at_most` streams, the oldest end.
        """
        stream = Stream(reader, session_key=session_key, fingerprint=fingerprint(session_key), checked_at=asked_at)
        if max(self._kicked.get(stream.fingerprint, 0.0), self._kicked.get(reader.user, 0.0)) >= asked_at:
            stream.end("signed-out")
        own = self._streams.setdefault(reader.user, {})
        for oldest in list(own)[: max(0, len(own) + 1 - at_most)]:
            oldest.end("too-many")
            own.pop(oldest)
        own[stream] = None
        metrics.record(metrics.STREAMS_OPEN)
        try:
            yield stream
        finally:
            metrics.record(metrics.STREAMS_OPEN, -1)
            own.pop(stream, None)
            if not own and self._streams.get(reader.user) is own:
                del self._streams[reader.user]

    async def listen(self) -> None:
        """Start to listen unless started before; return when subscribed, or after two seconds."""
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._hear()), asyncio.create_task(self._check())]
        if not self._listening.is_set():
            try:
                async with asyncio.timeout(SECONDS_FOR_THE_BUS):
                    await self._listening.wait()
            except TimeoutError:
                logger.warning("a stream opens while the bus is away")

    def close(self) -> None:
        """Close every stream without a last frame, and stop listening.

        Readers reconnect after their own random delay, so that they do not all return at once.
        """
        for stream in self._all():
            stream.close()
        for task in self._tasks:
            task.cancel()
        self._tasks = []

    def deliver(self, event: Event) -> None:
        """Pass an event to the streams of its members."""
        match event:
            case SessionEnded():
                self._kick(event.fingerprint, [each for each in self._all() if each.fingerprint == event.fingerprint])
            case UserSignedOut():
                self._kick(event.user, list(self._streams.get(event.user, ())))
            case _:
                rendering = Renderer(event)
                readers = event.members & self._streams.keys()
                if readers and isinstance(event, MessageSent) and metrics.enabled():
                    metrics.record(metrics.DELIVERY_TIME, seconds_since(event.message.created_at))
                for member in readers:
                    for stream in self._streams[member]:
                        if said := rendering.for_reader(stream.reader):
                            stream.offer(said)

    def _kick(self, whom: str | UUID, streams: list[Stream]) -> None:
        self._kicked[whom] = asyncio.get_running_loop().time()
        for stream in streams:
            stream.end("signed-out")

    def _all(self) -> list[Stream]:
        return [stream for own in self._streams.values() for stream in own]

    # --- The bus ------------------------------------------------------------------------------------------------------

    async def _hear(self) -> None:
        """Listen forever; reconnect with growing delays while the bus is unavailable."""
        self._wait = FIRST_WAIT
        while True:
            try:
                await self._make_bus().listen(up=self._up, hear=self._heard)
            except BusUnavailable as error:
                logger.warning("the bus is away (%s); trying again in about %.1f s", error, self._wait)
            except Exception:
                logger.exception("listening to the bus failed")
            self._listening.clear()
            await asyncio.sleep(self._wait * random.uniform(0.5, 1.5))  # noqa: S311 - spreads load, no secret
            self._wait = min(LONGEST_WAIT, self._wait * 2)

    def _up(self) -> None:
        self._wait = FIRST_WAIT
        self._listening.set()
        # Events may have been missed while nobody listened.
        for stream in self._all():
            stream.offer(frame("resync", {}))

    def _heard(self, payload: str) -> None:
        try:
            self.deliver(event_from(payload))
        except Malformed as error:
            logger.warning("a payload on the bus is none of ours: %s", error)
        except Exception:
            # An event that cannot be rendered must not block the others; pages find the change when they resync.
            logger.exception("an event could not be delivered")

    # --- Sessions -----------------------------------------------------------------------------------------------------

    async def _check(self) -> None:
        """Revalidate the sessions of all open streams periodically and close those that ended."""
        pause = CHECK_SECONDS
        while True:
            await asyncio.sleep(pause)
            streams, now = self._all(), asyncio.get_running_loop().time()
            self._kicked = {whom: at for whom, at in self._kicked.items() if at > now - UNCHECKED_SECONDS}
            try:
                users = await self.sessions.users_of({stream.session_key for stream in streams})
            except Exception as error:
                if not isinstance(error, SessionsUnavailable):
                    logger.exception("checking the sessions of streams failed")
                pause = CHECK_AGAIN_SECONDS
                for stream in streams:
                    if now - stream.checked_at > UNCHECKED_SECONDS - CHECK_AGAIN_SECONDS:
                        stream.end("renew")
                continue
            pause = CHECK_SECONDS
            for stream in streams:
                if users.get(stream.session_key) == stream.reader.user:
                    stream.checked_at = now
                else:
                    stream.end("signed-out")


def seconds_since(created_at: str) -> float:
    """Return the seconds since a message was sent by this machine's clock; 0 if the sender's clock was ahead."""
    return max(0.0, (datetime.now(UTC) - datetime.fromisoformat(created_at)).total_seconds())
