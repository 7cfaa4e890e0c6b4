"""The retry policy: what is repeated while DynamoDB cannot answer, how often and after which waits."""

from __future__ import annotations

from collections.abc import Callable
from random import uniform
from threading import Event
from time import monotonic
from typing import Any, TypeVar

from tenacity import (
    RetryCallState,
    Retrying,
    retry_base,
    retry_if_exception,
    retry_if_exception_type,
    sleep_using_event,
    stop_after_attempt,
    stop_after_delay,
    stop_when_event_set,
    wait_random_exponential,
)

from .client import Conflict, Throttled, Unavailable

THROTTLED_SECONDS = 900.0
"""How long a throttled call is repeated: 5 units a second need a minute for what one page of 1 MB costs."""
FAILING_SECONDS = 15.0
"""How long a call is repeated while DynamoDB fails or does not answer."""
LONGEST_WAIT = 20.0
"""The longest wait between two attempts, in seconds."""

FIRST_WAIT = 0.05
"""Seconds at most before a batch that was stored in part is completed; doubled each time."""

T = TypeVar("T")


def with_retries(
    call: Callable[[], T], *, stop: Event | None = None, on_throttled: Callable[[], object] | None = None
) -> T:
    """Return what `call` returns, repeating it while DynamoDB cannot answer. It must be safe to repeat.

    Waiting ends once `stop` is set; `on_throttled` is called before each wait for capacity. Raises Unavailable when the
    time is up.
    """
    throttled = _attempts(retry_if_exception_type(Throttled), THROTTLED_SECONDS, stop, on_throttled)
    failing = _attempts(retry_if_exception(_is_failure), FAILING_SECONDS, stop)
    return throttled(lambda: failing(call))


def retried_conflicts() -> Retrying:
    """Attempts for a write that met another transaction, which botocore does not repeat; up to 0.4 s between them."""
    return Retrying(
        retry=retry_if_exception_type(Conflict),
        stop=stop_after_attempt(8),
        wait=wait_random_exponential(multiplier=0.02, max=0.4),
        reraise=True,
    )


class Patience:
    """Waits between the attempts of a call that may succeed in part: any progress is worth further attempts.

    Threads may share what is 5 units a second.
    """

    def __init__(self, stop: Event) -> None:
        self._stop = stop
        self._longest = FIRST_WAIT
        self._since = monotonic()

    def wait(self, error: Unavailable, *, progress: bool) -> None:
        """Wait before the next attempt, or until told to stop. Raise `error` when the time without progress is up."""
        if progress:
            self._since = monotonic()
        if monotonic() - self._since > (THROTTLED_SECONDS if isinstance(error, Throttled) else FAILING_SECONDS):
            raise error
        self._stop.wait(uniform(0, self._longest))  # noqa: S311 - jitter
        self._longest = min(self._longest * 2, LONGEST_WAIT)


def _attempts(
    retry: retry_base, seconds: float, stop: Event | None, on_wait: Callable[[], object] | None = None
) -> Retrying:
    ends: dict[str, Any] = {"stop": stop_after_delay(seconds)}
    if stop:
        ends = {"stop": stop_when_event_set(stop) | ends["stop"], "sleep": sleep_using_event(stop)}

    def tell(_state: RetryCallState) -> None:
        if on_wait:
            on_wait()

    return Retrying(
        retry=retry,
        wait=wait_random_exponential(multiplier=0.2, max=LONGEST_WAIT),
        before_sleep=tell,
        reraise=True,
        **ends,
    )


def _is_failure(error: BaseException) -> bool:
    return isinstance(error, Unavailable) and not isinstance(error, Throttled)
