"""Apply a batch: retry a change that fails because of its own content, then store it as a dead letter."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from cruddur.observability.request_context import working_for
from messaging.dynamodb.client import ServiceError, Unavailable, error_code
from messaging.dynamodb.malformed import MalformedItem
from messaging.dynamodb.table import MessageTable

from .projection import Change, project

logger = logging.getLogger(__name__)

SIDE_BY_SIDE = 8
"""Conversations projected in parallel: enough to keep up with senders on two cores (tools/bench/sending.py)."""
TRIES = 5
FIRST_WAIT = 0.1
"""Seconds before the first retry of a change, doubled each time: 1.5 s in all."""
REASON_CHARS = 200
# DynamoDB errors that concern a single write; any other (a missing permission or table) concerns all of them.
FAULTS_OF_A_WRITE = frozenset(("ItemCollectionSizeLimitExceededException", "ValidationException"))


class DeadLetters(Protocol):
    """Stores the changes that could not be applied."""

    def add(self, *, shard_id: str, sequence_number: str, key: str, reason: str, tries: int) -> None: ...


def is_its_own_fault(error: Exception) -> bool:
    """Return whether a change failed because of its own content, so that others may still succeed."""
    if isinstance(error, ServiceError):
        return error_code(error) in FAULTS_OF_A_WRITE
    return not isinstance(error, Unavailable)


def reason_of(error: Exception) -> str:
    """Return the malformed item and attribute, or the error's class; never any text of the item."""
    if isinstance(error, MalformedItem):
        return error.reason[:REASON_CHARS]
    if isinstance(error, ServiceError):
        return error_code(error)
    return type(error).__name__


def project_side_by_side(
    table: MessageTable, changes: Sequence[Change], is_stopped: Callable[[], bool]
) -> list[int | Exception | None]:
    """Project changes of different conversations in parallel.

    Return for each the number of updated entries, the error, or None if it was not tried. A projection mostly waits for
    two writes in sequence. Conversations are projected in no particular order.
    """

    def attempt(change: Change) -> int | Exception | None:
        if is_stopped():
            return None
        try:
            return _project(table, change)
        except Exception as error:  # noqa: BLE001 - the caller decides how to handle it
            return error

    if len(changes) == 1:
        return [None]  # A thread would gain nothing.
    with ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
        return list(threads.map(attempt, changes))


def _project(table: MessageTable, change: Change) -> int:
    moved = project(table, [change.conversation])
    if change.request_ids:
        with working_for(change.request_id):
            logger.info("projected %s for %s: %d entries moved", change.pk, ", ".join(change.request_ids), moved)
    return moved


def apply(
    table: MessageTable,
    change: Change,
    *,
    shard_id: str,
    dead_letters: DeadLetters,
    sleep: Callable[[float], object] = time.sleep,
) -> int:
    """Project a change; return the number of updated entries, 0 when it became a dead letter.

    Raises Unavailable, which does not count as an attempt, and DynamoDB errors that concern all writes.
    """
    for attempt in range(1, TRIES + 1):
        try:
            return _project(table, change)
        except Exception as error:
            if not is_its_own_fault(error):
                raise
            reason = reason_of(error)
            if attempt < TRIES:
                sleep(FIRST_WAIT * 2 ** (attempt - 1))
    with working_for(change.request_id):
        logger.error("dead letter: %s at %s of %s, %s", change.pk, change.sequence_number, shard_id, reason)
    dead_letters.add(
        shard_id=shard_id, sequence_number=change.sequence_number, key=change.pk, reason=reason, tries=TRIES
    )
    return 0
