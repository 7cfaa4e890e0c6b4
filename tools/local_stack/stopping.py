"""Handle requests to stop: Ctrl-C, SIGTERM, a closed terminal, and the end of the `make` that started us."""

import os
import select
import signal
import sys
from pathlib import Path

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):
    """Raised by `StopRequest.check` once we have been asked to stop."""


class StopRequest:
    """Remembers a received signal; `check`, called in all waits, acts on it.

    An exception raised in the handler itself could occur between the start of a child and its registration.
    """

    def __init__(self, *, with_parent: bool) -> None:
        self.reason: str | None = None
        self._parent = os.getppid() if with_parent else None
        self._caught_by_parent = caught_signals(self._parent)
        self._terminal = select.poll()
        if sys.stdout.isatty():
            self._terminal.register(sys.stdout, 0)

    def listen(self) -> None:
        for number in SIGNALS:
            signal.signal(number, self._remember)

    def check(self) -> None:
        """Raise Stopped if a signal came or those who started us want to go."""
        if self.reason is None:
            self.reason = self._reason_elsewhere()
        if self.reason is not None:
            raise Stopped(self.reason)

    def _reason_elsewhere(self) -> str | None:
        # A closed terminal signals only its session's leader. That may be make, which does not pass it on.
        if any(event & (select.POLLHUP | select.POLLERR) for _, event in self._terminal.poll(0)):
            return "the terminal is gone"
        if self._parent is None:
            return None
        if os.getppid() != self._parent:
            return "make is gone"
        # On SIGINT or SIGHUP, GNU make resets the signal's handler and waits for us without passing it on.
        gone = self._caught_by_parent - caught_signals(self._parent)
        return f"make got {min(gone).name}" if gone else None

    def _remember(self, number: int, frame: object) -> None:
        self.reason = self.reason or signal.Signals(number).name


def caught_signals(pid: int | None) -> set[signal.Signals]:
    """Return which of the signals above a process handles; empty if /proc does not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return set()
    mask = int(next((line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")), "0"), 16)
    return {number for number in SIGNALS if mask >> (number - 1) & 1}
