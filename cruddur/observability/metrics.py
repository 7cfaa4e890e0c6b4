"""What the code tells of its work while it works, and who listens: telemetry where it is configured, else nobody.

Telling somebody costs nothing worth measuring while nobody listens. Attributes are names of things, of which there are
few: never a text, a token, an address of a person or anything else that somebody wrote.
"""

from __future__ import annotations

from collections.abc import Callable

MESSAGES_SENT = "cruddur.messages.sent"
DELIVERY_TIME = "cruddur.delivery.time"
STREAMS_OPEN = "cruddur.streams.open"
STREAM_LAG = "cruddur.stream.lag"
STREAM_RECORDS = "cruddur.stream.records"
SEND_QUEUE_TIME = "cruddur.send_queue.time"
DYNAMODB_UNITS = "cruddur.dynamodb.units"
DYNAMODB_TIME = "cruddur.dynamodb.time"

Listener = Callable[[str, float, dict[str, str]], None]
_listeners: list[Listener] = []
gauges: dict[str, Callable[[], float]] = {}
"""What is asked for when it is sent, by its name."""


def record(name: str, value: float = 1, **attributes: str) -> None:
    """Record a value: a count to add, or a time in seconds."""
    for listener in _listeners:
        listener(name, value, attributes)


def enabled() -> bool:
    """Return whether anybody listens, so that nothing is computed in vain."""
    return bool(_listeners)


def subscribe(listener: Listener) -> None:
    """Tell this one too, for as long as the process lives."""
    _listeners.append(listener)
