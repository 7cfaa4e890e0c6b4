"""The protocol that every bus backend implements, and its one exception."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol


class BusUnavailable(Exception):
    """The bus cannot be reached, or the connection was lost. Does not say whether a payload was published."""


class Bus(Protocol):
    """One channel. `publish` may be called by any thread, `listen` runs in an event loop."""

    def publish(self, payloads: Sequence[str]) -> None:
        """Publish the payloads, each below 8,000 bytes, to all listeners at once. Raises BusUnavailable."""

    def hear_itself(self, *, seconds: float) -> None:
        """Publish something on a channel of its own, and hear it within as long. Raises BusUnavailable."""

    async def listen(self, *, up: Callable[[], None], hear: Callable[[str], None]) -> None:
        """Call `up` once the subscription is active, then `hear` with each payload, forever.

        Holds one connection. Raises BusUnavailable when it cannot be opened or is lost.
        """
