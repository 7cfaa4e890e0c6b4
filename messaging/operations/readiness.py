"""Check whether this process is ready: query all services it depends on in parallel, with a short timeout."""

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
"""The timeout after which a service counts as unavailable."""
FRESH_SECONDS = 1.0
"""How long an answer is cached for all callers: each costs connections and half a read unit."""
OK, THROTTLED, AWAY, REFUSED, SILENT = "ok", "throttled", "away", "refused", "no answer"


@dataclass(frozen=True, slots=True)
class State:
    """The state of a service when it was checked."""

    state: str
    milliseconds: float
    """Time until the answer or the timeout."""
    reason: str = ""
    """The error's name, if any; never its text, which may contain an address or a name."""

    @property
    def is_ready(self) -> bool:
        """Whether it can be used. A throttled table counts: taking all processes out of service would help nobody."""
        return self.state in {OK, THROTTLED}


@dataclass(slots=True)
class Part:
    """A service that the process depends on. `ask` returns once it has answered, and raises if it cannot."""

    name: str
    ask: Callable[[], object]
    _asking: threading.Thread | None = None
    _began: float = 0.0
    _found: State | None = None

    def begin(self) -> None:
        """Start a check in a thread, unless an earlier one is still running."""
        if self._asking is None or not self._asking.is_alive():
            self._found, self._began = None, time.monotonic()
            self._asking = threading.Thread(target=self._run, name=f"ready-{self.name}", daemon=True)
            self._asking.start()

    def end(self, until: float) -> State:
        """Return the result, or that there is none by this time of the monotonic clock."""
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
        except Exception as error:  # noqa: BLE001 - whatever it is, the service cannot be used
            state, reason = AWAY, type(error.__cause__ or error).__name__
        self._found = State(state, self._elapsed(), reason)

    def _elapsed(self) -> float:
        return round((time.monotonic() - self._began) * 1000, 1)


@dataclass(slots=True)
class Readiness:
    """Checks services, for one caller at a time."""

    parts: tuple[Part, ...]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _seen: dict[str, State] = field(default_factory=dict)
    _seen_at: float = float("-inf")

    def look(self) -> Mapping[str, State]:
        """Return the state of each service by its name; takes at most about `SECONDS`."""
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
    """Run a query on this thread's own connection, and close it."""
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
"""The process's only instance."""
