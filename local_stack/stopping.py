"""Being asked to stop: Ctrl-C, SIGTERM, the terminal's death, and the death of the `make` that started us."""

import os
import signal


class Stopped(Exception):
    """Raised by `StopRequest.check` once we have been asked to stop."""


class StopRequest:
    """Remembers that a signal came; only `check`, called wherever we wait, acts on it.

    An exception raised in the handler itself could strike between the start of a child and its registration.
    """

    def __init__(self, *, with_parent: bool) -> None:
        self.parent = os.getppid() if with_parent else None
        self.reason: str | None = None

    def listen(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._remember)

    def check(self) -> None:
        """Raise Stopped if a signal came or the parent is gone."""
        if self.reason is None and self.parent is not None and os.getppid() != self.parent:
            self.reason = "make is gone"
        if self.reason is not None:
            raise Stopped(self.reason)

    def _remember(self, number: int, frame: object) -> None:
        self.reason = self.reason or signal.Signals(number).name
