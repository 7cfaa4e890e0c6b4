"""How the worker applies a batch: a change that fails for a reason of its own is tried again, then put aside."""

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
"""Conversations: two cores that send are followed by as many (tools/bench/sending.py)."""
TRIES = 5
FIRST_WAIT = 0.1
"""Seconds before a change is tried again, doubled each time: 1.5 s in all."""
REASON_CHARS = 200
# What DynamoDB says of one write; any other refusal (a permission, a table that is gone) is about all of them.
FAULTS_OF_A_WRITE = frozenset(("ItemCollectionSizeLimitExceededException", "ValidationException"))


class DeadLetters(Protocol):
    """Where changes are put aside."""

    def add(self, *, shard_id: str, sequence_number: str, key: str, reason: str, tries: int) -> None: ...


def is_its_own_fault(error: Exception) -> bool:
    """Return whether a change failed because of its own content, so that trying the others makes sense."""
    if isinstance(error, ServiceError):
        return error_code(error) in FAULTS_OF_A_WRITE
    return not isinstance(error, Unavailable)


def reason_of(error: Exception) -> str:
    """Return the item and attribute at fault, or the kind of error; never any text of the item."""
    if isinstance(error, MalformedItem):
        return error.reason[:REASON_CHARS]
    if isinstance(error, ServiceError):
        return error_code(error)
    return type(error).__name__


def project_side_by_side(
    table: MessageTable, changes: Sequence[Change], is_stopped: Callable[[], bool]
) -> list[int | Exception | None]:
    """Project changes of different conversations; for each how many entries moved, why it failed, or None: not tried.

    A projection is nearly all waiting, two writes one after the other; between conversations no order is kept.
    """

    def attempt(change: Change) -> int | Exception | None:
        if is_stopped():
            return None
        try:
            return _project(table, change)
        except Exception as error:  # noqa: BLE001 - the caller decides what follows from it
            return error

    if len(changes) == 1:
        return [None]  # Nothing to gain from another thread.
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
    """Project a change; returns how many entries moved, 0 when it became a dead letter.

    Raises Unavailable, which is no fault of a record and counts as none, and what DynamoDB refuses altogether.
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
