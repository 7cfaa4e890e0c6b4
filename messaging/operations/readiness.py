"""Whether this process can do its work: asks all that it stands on, at once, and waits for none of it for long."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from django.db import connection

from messaging.dynamodb.client import ServiceError, Throttled, error_code
from messaging.dynamodb.connection import message_table
from messaging.realtime.bus import bus

logger = logging.getLogger(__name__)

SECONDS = 1.5
"""What has not answered by then counts as away."""
FRESH_SECONDS = 1.0
"""For as long an answer holds for everyone who asks: each costs connections and half a read unit."""
OK, THROTTLED, AWAY, REFUSED, SILENT = "ok", "throttled", "away", "refused", "no answer"


@dataclass(frozen=True, slots=True)
class State:
    """How a part was when it was asked."""

    state: str
    milliseconds: float
    """Until the answer, or until it was not waited for any longer."""
    reason: str = ""
    """The name of the error, where there was one; never its text, which may quote an address or a name."""

    @property
    def is_ready(self) -> bool:
        """A throttled table is there: to take every process away from the people would help nobody."""
        return self.state in {OK, THROTTLED}


@dataclass(slots=True)
class Part:
    """Something that the process stands on. `ask` returns when it has answered, and raises when it cannot."""

    name: str
    ask: Callable[[], object]
    _asking: threading.Thread | None = None
    _began: float = 0.0
    _found: State | None = None

    def begin(self) -> None:
        """Ask, in a thread, unless an earlier question is still without an answer."""
        if self._asking is None or not self._asking.is_alive():
            self._found, self._began = None, time.monotonic()
            self._asking = threading.Thread(target=self._run, name=f"ready-{self.name}", daemon=True)
            self._asking.start()

    def end(self, until: float) -> State:
        """The answer, or that there is none at that time of the monotonic clock."""
        if self._asking is not None:
            self._asking.join(max(0.0, until - time.monotonic()))
        return self._found or State(SILENT, self._elapsed())

    def _run(self) -> None:
        state, reason = OK, ""
        try:
            self.ask()
        except Throttled:
            state = THROTTLED
        except ServiceError as error:
            state, reason = REFUSED, error_code(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the part is of no use
            state, reason = AWAY, type(error.__cause__ or error).__name__
        self._found = State(state, self._elapsed(), reason)

    def _elapsed(self) -> float:
        return round((time.monotonic() - self._began) * 1000, 1)


@dataclass(slots=True)
class Readiness:
    """Asks parts, for one who wants to know at a time."""

    parts: tuple[Part, ...]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _seen: dict[str, State] = field(default_factory=dict)
    _seen_at: float = float("-inf")

    def look(self) -> Mapping[str, State]:
        """How each part is, by its name; takes at most about `SECONDS`."""
        with self._lock:
            if time.monotonic() - self._seen_at > FRESH_SECONDS:
                self._ask()
            return self._seen

    def _ask(self) -> None:
        for part in self.parts:
            part.begin()
        until = time.monotonic() + SECONDS
        before, self._seen = self._seen, {part.name: part.end(until) for part in self.parts}
        self._seen_at = time.monotonic()
        for name, now in self._seen.items():
            if now.state != (before[name].state if name in before else OK):
                logger.warning("%s: %s %s", name, now.state, now.reason)


def ask_postgres() -> None:
    """On a connection of this thread's own, closed at the end."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()


def ask_dynamodb() -> None:
    message_table().answer()


def ask_bus() -> None:
    bus().hear_itself(seconds=SECONDS)


def new_readiness() -> Readiness:
    return Readiness((Part("postgres", ask_postgres), Part("dynamodb", ask_dynamodb), Part("bus", ask_bus)))


readiness = new_readiness()
"""The process's own."""
