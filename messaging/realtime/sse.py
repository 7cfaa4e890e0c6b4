"""One open stream: a bounded queue between the hub, which fills it, and the connection, which empties it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from .rendering import HEARTBEAT, Reader, bye

QUEUE_FRAMES = 100
"""Frames that wait for a slow reader, at most; then it is dropped."""
HEARTBEAT_SECONDS = 20.0


class Stream:
    """Belongs to one event loop; only `frames` waits."""

    __slots__ = ("_ended", "_frames", "_wake", "checked_at", "fingerprint", "reader", "session_key")

    def __init__(self, reader: Reader, *, session_key: str, fingerprint: str, checked_at: float) -> None:
        self.reader = reader
        self.session_key = session_key
        self.fingerprint = fingerprint
        """Of the session: what events name it by."""
        self.checked_at = checked_at
        """When, on the loop's clock, the session was last found to be the reader's."""
        self._frames: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._ended = False

    def offer(self, frame: bytes) -> None:
        """Say this on the stream. A reader who is too slow for it is told to compare, and that is the end."""
        if self._ended:
            return
        if len(self._frames) >= QUEUE_FRAMES:
            self._frames.clear()
            self.end("slow")
            return
        self._frames.append(frame)
        self._wake.set()

    def end(self, reason: str) -> None:
        """Say why, after what waits, and end."""
        if not self._ended:
            self._frames.append(bye(reason))
            self.close()

    def close(self) -> None:
        """End without a word more."""
        self._ended = True
        self._wake.set()

    async def frames(self) -> AsyncIterator[bytes]:
        """Yield frames as soon as there are any, and heartbeats in between."""
        while True:
            if self._frames:
                # What came at once goes out at once.
                together = b"".join(self._frames)
                self._frames.clear()
                yield together
            elif self._ended:
                return
            else:
                self._wake.clear()
                try:
                    async with asyncio.timeout(HEARTBEAT_SECONDS):
                        await self._wake.wait()
                except TimeoutError:
                    yield HEARTBEAT
