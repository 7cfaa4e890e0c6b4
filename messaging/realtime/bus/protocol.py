"""What every backend of the bus does, and the one way in which it fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol


class BusUnavailable(Exception):
    """The bus cannot be reached now, or was lost. Says nothing of what was to be published."""


class Bus(Protocol):
    """One channel. `publish` may be called by any thread, `listen` runs in an event loop."""

    def publish(self, payloads: Sequence[str]) -> None:
        """Hand the payloads, each below 8,000 bytes, to every listener, at once. Raises BusUnavailable."""

    def hear_itself(self, *, seconds: float) -> None:
        """Publish something on a channel of its own, and hear it within as long. Raises BusUnavailable."""

    async def listen(self, *, up: Callable[[], None], hear: Callable[[str], None]) -> None:
        """Call `up` once nothing published from now on is missed, and `hear` with each payload; for ever.

        Holds one connection. Raises BusUnavailable when that cannot be had, or is lost.
        """
