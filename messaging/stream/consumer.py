"""Run the stream consumer as a worker: read every shard of the table's stream and project the changes.

Parents come before children; a checkpoint is written after its records were applied. If records may have expired
unread, every conversation is projected first. Applying a record twice is harmless (see `projection`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any, TypeVar

from messaging.domain.entities import Conversation
from messaging.dynamodb.client import Unavailable
from messaging.dynamodb.codec import key_of
from messaging.dynamodb.shards import (
    SHARD_START,
    IteratorExpired,
    Trimmed,
    describe_stream,
    iterator_after,
    read_records,
)
from messaging.dynamodb.table import MessageTable

from .apply import DeadLetters, apply, is_its_own_fault, project_side_by_side
from .consumer_types import EVERY_CONVERSATION, SHARD_END, Batch, Checkpoints
from .lag import Lag
from .projection import Change, change_to, changes

if TYPE_CHECKING:
    from types_boto3_dynamodbstreams import DynamoDBStreamsClient

logger = logging.getLogger(__name__)

T = TypeVar("T")
POLL_SECONDS = 0.25
"""Seconds between two reads of a shard: it allows five GetRecords per second, for all readers together."""
DESCRIBE_SECONDS = 15.0
"""How often shards are listed at least: children may be listed late."""
DESCRIBE_SOON_SECONDS = 1.0
"""When shards are listed again after one ended; the delay then doubles up to `DESCRIBE_SECONDS`."""
FIRST_WAIT, LONGEST_WAIT = 0.5, 10.0
"""Seconds before a step is retried while DynamoDB is unavailable, doubled each time."""
RECORDS_A_PAGE = 1000
DRAINED_PASSES = 3
"""Consecutive passes without a record after which the stream counts as drained: a page may be empty before others."""
DRAIN_TRIES = 5
"""How often a step of draining is tried while DynamoDB is unavailable."""


class _Stopped(Exception):
    """The consumer was told to stop."""


@dataclass(slots=True)
class StreamConsumer:
    """Reads one stream. `poll` is one pass over the shards; `run` repeats it until stopped, `drain` until the end."""

    table: MessageTable
    streams: DynamoDBStreamsClient
    stream_arn: str
    checkpoints: Checkpoints
    dead_letters: DeadLetters
    applied: Callable[[Batch], object] = field(default=lambda batch: None)
    """Called with each batch after it was applied and its checkpoint written."""
    projected: Callable[[Sequence[Conversation]], object] = field(default=lambda conversations: None)
    """Called with the changed conversations of a page once their entries are updated."""
    between: Callable[[], object] = field(default=lambda: None)
    """Called after each pass of `run`, for other short work."""
    clock: Callable[[], float] = time.monotonic
    lag: Lag = field(default_factory=Lag)
    records: int = 0
    """Records read so far."""
    entries: int = 0
    """Entries updated so far."""
    _positions: dict[str, str] = field(default_factory=dict)
    """The saved checkpoints."""
    _iterators: dict[str, str] = field(default_factory=dict)
    """Iterators of the shards being read."""
    _gaps: set[str] = field(default_factory=set)
    """Shards with records that expired unread: every conversation is projected before these are opened."""
    _lost: set[str] = field(default_factory=set)
    """Shards that disappeared before they were read to their end."""
    _unlisted: set[str] = field(default_factory=set)
    """Shards that have ended and were missing from the last listing."""
    _read_at: float = 0.0
    """When a page was last read, or should have been, by the clock."""
    _listing_due: float = 0.0
    _listing_wait: float = DESCRIBE_SOON_SECONDS
    _stop: Event = field(default_factory=Event)
    _tries: int | None = 1
    """How often a step is tried while DynamoDB is unavailable; None for no limit."""

    def begin(self) -> None:
        """Load the checkpoints; project every conversation first if they are older than the stream's records.

        Raises Unavailable, StreamGone.
        """
        self._iterators.clear()
        self._gaps.clear()
        self._positions = self.checkpoints.load()
        self._listing_wait = DESCRIBE_SOON_SECONDS
        listed = {shard["ShardId"] for shard in self._shards()}
        self._lost = {shard for shard, at in self._positions.items() if at != SHARD_END and shard not in listed}
        self.find_shards()

    def find_shards(self) -> None:
        """Open the shards whose parent has ended or no longer exists. Raises Unavailable, StreamGone."""
        parents = {shard["ShardId"]: shard.get("ParentShardId") for shard in self._shards()}
        for shard_id, parent in parents.items():
            is_waiting = parent in parents and not self._has_ended(parent)
            if shard_id in self._iterators or self._has_ended(shard_id) or is_waiting:
                continue
            if shard_id in self._positions or self._has_ended(parent):
                self._open(shard_id)
            else:
                # Its parent is not listed and, as far as is known, was not read.
                self._gaps.add(shard_id)
        self._fill_gaps()
        self._forget_ended(listed=set(parents))
        self._listing_due = self.clock() + self._listing_wait
        self._listing_wait = min(DESCRIBE_SECONDS, self._listing_wait * 2)

    def poll(self) -> int:
        """Read one page of every shard and apply it; return the number of records. Raises Unavailable, StreamGone."""
        self._read_at = self.clock()
        count = sum(self._read(shard_id) for shard_id in list(self._iterators))
        self._fill_gaps()
        return count

    def run(self, stop: Event) -> None:
        """Project until `stop` is set. Raises StreamGone, and DynamoDB's other errors."""
        self._stop, self._tries = stop, None
        with suppress(_Stopped):
            self.begin()
            while True:
                self.poll()
                self.between()
                if self.clock() >= self._listing_due:
                    self.find_shards()
                self._until_next_pass()

    def drain(self, stop: Event) -> None:
        """Project the stream's records, including new ones, until several passes find none or `stop` is set.

        Raises StreamGone; Unavailable when DynamoDB stays unavailable.
        """
        self._stop, self._tries = stop, DRAIN_TRIES
        with suppress(_Stopped):
            self.begin()
            empty = 0
            while empty < DRAINED_PASSES:
                if self.poll():
                    empty = 0
                else:
                    empty += 1
                    # Children of shards that have ended.
                    self.find_shards()
                self._until_next_pass()

    def _until_next_pass(self) -> None:
        self._pause(max(0.0, self._read_at + POLL_SECONDS - self.clock()))

    def _with_retries(self, step: Callable[[], T]) -> T:
        """Run a step; retry it with growing waits while DynamoDB is unavailable.

        Raises Unavailable after the last try.
        """
        wait = FIRST_WAIT
        tried = 0
        while not self._stop.is_set():
            try:
                return step()
            except Unavailable:
                tried += 1
                if tried == self._tries:
                    raise
                logger.warning("DynamoDB does not answer; trying again in %.1f s", wait)
                self._pause(wait)
                wait = min(LONGEST_WAIT, wait * 2)
        raise _Stopped

    def _pause(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise _Stopped

    def _project_everything(self) -> None:
        moved = 0
        # Retry each page alone, so that throttling does not restart the scan of the whole table.
        for page in self.table.conversation_pages(attempt=self._with_retries):
            moved += self._apply_all([change_to(item, key_of(item)[0]) for item in page.items], EVERY_CONVERSATION)
        logger.info("projected every conversation; %d entries moved", moved)
        self._note(Batch(None, 0, moved))

    def _fill_gaps(self) -> None:
        """Project every conversation after a gap in the records: conversations hold everything the records said."""
        missing = sorted(self._gaps | self._lost)
        if not missing:
            return
        if self._positions:
            logger.warning("records of the stream are gone that were not read: %s", ", ".join(missing))
        logger.info("projecting every conversation first")
        self._project_everything()
        for shard_id in sorted(self._gaps):
            self._gaps.remove(shard_id)
            self._save(shard_id, SHARD_START)
            self._open(shard_id)
        self._forget(self._lost)
        self._lost = set()

    def _open(self, shard_id: str) -> None:
        position = self._positions.get(shard_id, SHARD_START)
        try:
            iterator = self._with_retries(partial(iterator_after, self.streams, self.stream_arn, shard_id, position))
        except Trimmed:
            self._gaps.add(shard_id)
            return
        self._iterators[shard_id] = iterator
        if shard_id not in self._positions:
            self._save(shard_id, SHARD_START)

    def _read(self, shard_id: str) -> int:
        iterator = self._iterators[shard_id]
        try:
            records, following = self._with_retries(partial(read_records, self.streams, iterator, limit=RECORDS_A_PAGE))
        except IteratorExpired:
            self._open(shard_id)
            return 0
        except Trimmed:
            del self._iterators[shard_id]
            self._gaps.add(shard_id)
            return 0
        self._read_at = self.clock()
        self.lag.reads(shard_id, records)
        moved = self._apply_all(changes(records), shard_id)
        if following:
            self._iterators[shard_id] = following
        else:
            del self._iterators[shard_id]
            self.lag.leaves(shard_id)
            self._listing_due, self._listing_wait = self.clock(), DESCRIBE_SOON_SECONDS
        if records or not following:
            self._save(shard_id, records[-1]["dynamodb"]["SequenceNumber"] if following else SHARD_END)
        if records:
            self._note(Batch(shard_id, len(records), moved))
        return len(records)

    def _apply_all(self, found: Sequence[Change], shard_id: str) -> int:
        moved, have_moved = 0, list[Conversation]()
        tried = project_side_by_side(self.table, found, self._stop.is_set)
        failed = [each for each in tried if isinstance(each, Exception) and not is_its_own_fault(each)][:1]
        try:
            for change, done in zip(found, tried, strict=True):
                entries = done if isinstance(done, int) else self._apply(change, shard_id, failed)
                moved += entries
                if entries:
                    have_moved.append(change.conversation)
        finally:
            # Do not publish after a whole-table projection: the changes are old, and would all be published at once.
            if have_moved and shard_id != EVERY_CONVERSATION:
                self.projected(have_moved)
        return moved

    def _apply(self, change: Change, shard_id: str, failed: list[Exception]) -> int:
        """Apply one change; add errors that are not the change's fault to `failed`.

        The first of them makes the worker wait, or ends it.
        """

        def step() -> int:
            if failed:
                raise failed.pop()
            return apply(self.table, change, shard_id=shard_id, dead_letters=self.dead_letters, sleep=self._pause)

        return self._with_retries(step)

    def _note(self, batch: Batch) -> None:
        self.records += batch.records
        self.entries += batch.entries
        self.applied(batch)

    def _has_ended(self, shard_id: str | None) -> bool:
        return shard_id is not None and self._positions.get(shard_id) == SHARD_END

    def _save(self, shard_id: str, position: str) -> None:
        self.checkpoints.save(shard_id, position)
        self._positions[shard_id] = position

    def _forget(self, shard_ids: set[str]) -> None:
        if shard_ids:
            self.checkpoints.forget(shard_ids)
            for shard_id in shard_ids:
                del self._positions[shard_id]

    def _forget_ended(self, listed: set[str]) -> None:
        """Forget shards that have ended and been trimmed; a single listing may omit a shard that exists."""
        unlisted = {shard for shard in self._positions if self._has_ended(shard) and shard not in listed}
        gone = unlisted & self._unlisted
        self._forget(gone)
        self._unlisted = unlisted - gone

    def _shards(self) -> list[Any]:
        description = self._with_retries(partial(describe_stream, self.streams, self.stream_arn))
        shards: list[Any] = description["Shards"]
        return shards
