"""One open stream: a bounded queue that the hub fills and the connection drains."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from .rendering import HEARTBEAT, Reader, bye

QUEUE_FRAMES = 100
"""Frames that may wait for a slow reader; a reader with more is disconnected."""
HEARTBEAT_SECONDS = 20.0


class Stream:
    """Belongs to one event loop; only `frames` awaits."""

    __slots__ = ("_ended", "_frames", "_wake", "checked_at", "fingerprint", "reader", "session_key")

    def __init__(self, reader: Reader, *, session_key: str, fingerprint: str, checked_at: float) -> None:
        self.reader = reader
        self.session_key = session_key
        self.fingerprint = fingerprint
        """The session's fingerprint, by which events name it."""
        self.checked_at = checked_at
        """When the session was last found valid, by the loop's clock."""
        self._frames: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._ended = False

    def offer(self, frame: bytes) -> None:
        """Queue a frame. If the queue is full, tell the reader to resync and end the stream."""
        if self._ended:
            return
        if len(self._frames) >= QUEUE_FRAMES:
            self._frames.clear()
            self.end("slow")
            return
        self._frames.append(frame)
        self._wake.set()

    def end(self, reason: str) -> None:
        """Queue a last frame with the reason, then end the stream."""
        if not self._ended:
            self._frames.append(bye(reason))
            self.close()

    def close(self) -> None:
        """End the stream without a last frame."""
        self._ended = True
        self._wake.set()

    async def frames(self) -> AsyncIterator[bytes]:
        """Yield frames as soon as there are any, and heartbeats in between."""
        while True:
            if self._frames:
                # Frames that arrived together are sent together.
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
