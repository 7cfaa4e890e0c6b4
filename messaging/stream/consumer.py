"""The consumer of pattern E as a worker: reads every shard of the table's stream and projects what changed.

Parents before children; a checkpoint is written after its records were applied. Where records may be gone that were
never read, every conversation is projected first. What is applied twice does no harm (see `projection`).
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
"""From one reading of a shard to the next: it answers five GetRecords a second, for all its readers."""
DESCRIBE_SECONDS = 15.0
"""How often shards are listed at least: children may be listed late."""
DESCRIBE_SOON_SECONDS = 1.0
"""When shards are listed again after one ended; then after twice as long, up to `DESCRIBE_SECONDS`."""
FIRST_WAIT, LONGEST_WAIT = 0.5, 10.0
"""Seconds before a step is tried again while DynamoDB cannot answer, doubled each time."""
RECORDS_A_PAGE = 1000
DRAINED_PASSES = 3
"""Passes in a row without a record after which the stream counts as drained: a page may be empty before others."""
DRAIN_TRIES = 5
"""How often a step of draining is tried while DynamoDB cannot answer."""


class _Stopped(Exception):
    """The consumer was told to stop."""


@dataclass(slots=True)
class StreamConsumer:
    """Reads one stream. `poll` is one pass over the shards: `run` repeats it until told to stop, `drain` to the end."""

    table: MessageTable
    streams: DynamoDBStreamsClient
    stream_arn: str
    checkpoints: Checkpoints
    dead_letters: DeadLetters
    applied: Callable[[Batch], object] = field(default=lambda batch: None)
    """Called with each batch once it is applied and its checkpoint written."""
    projected: Callable[[Sequence[Conversation]], object] = field(default=lambda conversations: None)
    """Called with the conversations whose changes a page of the stream told, once their entries have moved."""
    between: Callable[[], object] = field(default=lambda: None)
    """Called after each pass of `run`, for other work that takes a moment."""
    clock: Callable[[], float] = time.monotonic
    lag: Lag = field(default_factory=Lag)
    records: int = 0
    """Read so far."""
    entries: int = 0
    """Moved so far."""
    _positions: dict[str, str] = field(default_factory=dict)
    """The checkpoints as they are saved."""
    _iterators: dict[str, str] = field(default_factory=dict)
    """The shards being read."""
    _gaps: set[str] = field(default_factory=set)
    """Shards of whose records some are gone, unread: every conversation is projected before they are opened."""
    _lost: set[str] = field(default_factory=set)
    """Shards that are gone before they were read to their end."""
    _unlisted: set[str] = field(default_factory=set)
    """Shards that have ended and were not listed the last time."""
    _read_at: float = 0.0
    """When a page was read last, or was to be, by the clock."""
    _listing_due: float = 0.0
    _listing_wait: float = DESCRIBE_SOON_SECONDS
    _stop: Event = field(default_factory=Event)
    _tries: int | None = 1
    """How often a step is tried while DynamoDB cannot answer; None for as often as it takes."""

    def begin(self) -> None:
        """Take up the checkpoints; project every conversation first when they do not reach to what the stream holds.

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
        """Begin to read the shards whose parent has ended or is no longer there. Raises Unavailable, StreamGone."""
        parents = {shard["ShardId"]: shard.get("ParentShardId") for shard in self._shards()}
        for shard_id, parent in parents.items():
            is_waiting = parent in parents and not self._has_ended(parent)
            if shard_id in self._iterators or self._has_ended(shard_id) or is_waiting:
                continue
            if shard_id in self._positions or self._has_ended(parent):
                self._open(shard_id)
            else:
                # What came before it is not listed and was not read, as far as is known.
                self._gaps.add(shard_id)
        self._fill_gaps()
        self._forget_ended(listed=set(parents))
        self._listing_due = self.clock() + self._listing_wait
        self._listing_wait = min(DESCRIBE_SECONDS, self._listing_wait * 2)

    def poll(self) -> int:
        """Read one page of every shard and apply it; returns how many records came. Raises Unavailable, StreamGone."""
        self._read_at = self.clock()
        count = sum(self._read(shard_id) for shard_id in list(self._iterators))
        self._fill_gaps()
        return count

    def run(self, stop: Event) -> None:
        """Project until `stop` is set. Raises StreamGone, and what DynamoDB refuses."""
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
        """Project what the stream holds, and what is written meanwhile: until passes bring nothing, or `stop` is set.

        Raises StreamGone; Unavailable when DynamoDB does not answer for a while.
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
                    # Children of what has ended.
                    self.find_shards()
                self._until_next_pass()

    def _until_next_pass(self) -> None:
        self._pause(max(0.0, self._read_at + POLL_SECONDS - self.clock()))

    def _with_retries(self, step: Callable[[], T]) -> T:
        """Take a step, again and again with longer waits while DynamoDB cannot answer.

        Raises Unavailable when it was tried often enough.
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
        # Each page by itself, so that a throttled one does not begin the whole table again.
        for page in self.table.conversation_pages(attempt=self._with_retries):
            moved += self._apply_all([change_to(item, key_of(item)[0]) for item in page.items], EVERY_CONVERSATION)
        logger.info("projected every conversation; %d entries moved", moved)
        self._note(Batch(None, 0, moved))

    def _fill_gaps(self) -> None:
        """Project every conversation after a gap in the records: conversations hold all that the records said."""
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
            # Not for the whole table: what changed while nobody worked is old, and would be told all at once.
            if have_moved and shard_id != EVERY_CONVERSATION:
                self.projected(have_moved)
        return moved

    def _apply(self, change: Change, shard_id: str, failed: list[Exception]) -> int:
        """Apply one change.

        `failed` collects errors that are not the change's fault: the first waits, or ends the worker.
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
        """Forget what has ended and is trimmed; one listing alone may lack a shard that is there."""
        unlisted = {shard for shard in self._positions if self._has_ended(shard) and shard not in listed}
        gone = unlisted & self._unlisted
        self._forget(gone)
        self._unlisted = unlisted - gone

    def _shards(self) -> list[Any]:
        description = self._with_retries(partial(describe_stream, self.streams, self.stream_arn))
        shards: list[Any] = description["Shards"]
        return shards
