"""How long a command repeats what DynamoDB cannot answer now: a table of 5 units a second is slow, not broken."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tenacity import (
    Retrying,
    retry_base,
    retry_if_exception,
    retry_if_exception_type,
    stop_after_delay,
    wait_random_exponential,
)

from .client import Throttled, Unavailable

THROTTLED_SECONDS = 900.0
FAILING_SECONDS = 15.0
LONGEST_WAIT = 20.0
"""Seconds between two attempts at most."""

T = TypeVar("T")


def patiently(call: Callable[[], T]) -> T:
    """What `call` returns, which must be safe to repeat. Raises Unavailable when all patience was in vain."""
    throttled = _attempts(retry_if_exception_type(Throttled), THROTTLED_SECONDS)
    failing = _attempts(retry_if_exception(_is_failure), FAILING_SECONDS)
    return throttled(lambda: failing(call))


def _attempts(retry: retry_base, seconds: float) -> Retrying:
    return Retrying(
        retry=retry,
        stop=stop_after_delay(seconds),
        wait=wait_random_exponential(multiplier=0.2, max=LONGEST_WAIT),
        reraise=True,
    )


def _is_failure(error: BaseException) -> bool:
    return isinstance(error, Unavailable) and not isinstance(error, Throttled)
