"""Which request this code works for. Knows no Django: the web process, the worker and the Lambda share it.

Every write of a conversation stores it in the conversation's item, the stream carries it on, and who projects that
change works under the same name: one search finds the lines of all three.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

NONE = "-"
_current: ContextVar[str] = ContextVar("request_id", default=NONE)


def current_request_id() -> str:
    """Return the request that this code works for; `-` outside of one."""
    return _current.get()


def set_request_id(name: str) -> None:
    """Set the current request for the rest of this context."""
    _current.set(name)


@contextmanager
def working_for(name: str) -> Iterator[None]:
    """Set the current request inside the block."""
    before = _current.set(name)
    try:
        yield
    finally:
        _current.reset(before)
