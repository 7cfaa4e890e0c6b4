"""The consumer of pattern E as a worker: reads every shard of the table's stream and projects what changed.

Parents before children; a checkpoint is written after its records were applied; without a valid one every
conversation is projected first. What is applied twice does no harm (see `projection`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from .applying import DeadLetters, apply
from .aws import Unavailable
from .dynamodb import MessageTable
from .projection import Change, change_to, changes
from .shards import IteratorExpired, Trimmed, describe_stream, iterator_after, read_records

if TYPE_CHECKING:
    from types_boto3_dynamodbstreams import DynamoDBStreamsClient

logger = logging.getLogger(__name__)

T = TypeVar("T")
SHARD_END = "SHARD_END"
EVERY_CONVERSATION = "(every conversation)"
"""In place of a shard's id where the table itself was read."""
POLL_SECONDS = 0.25
"""A shard answers five GetRecords a second, for all its readers."""
DESCRIBE_SECONDS = 15.0
"""How often shards are listed though none ended: children may be listed late."""
RECORDS_A_PAGE = 1000
DRAINED_PASSES = 3
"""Passes in a row without a record after which the stream counts as drained: a page may be empty before others."""
DRAIN_TRIES = 5
"""How often a step of draining is tried while DynamoDB cannot answer."""


class Checkpoints(Protocol):
    """Where the consumer keeps how far it is: the sequence number last applied, by shard."""

    def load(self) -> dict[str, str]: ...
    def save(self, shard_id: str, sequence_number: str) -> None: ...
    def forget(self, shard_ids: set[str] | None = None) -> None: ...


@dataclass(frozen=True, slots=True)
class Batch:
    """What was applied at once."""

    shard_id: str | None
    """None when every conversation was projected, for want of a valid checkpoint."""
    records: int
    entries: int
    """Entries that moved: those of conversations that changed, unless they were there already."""


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
    records: int = 0
    """Read so far."""
    entries: int = 0
    """Moved so far."""
    _iterators: dict[str, str] = field(default_factory=dict)
    """The shards being read."""
    _ended: set[str] = field(default_factory=set)
    _stop: Event = field(default_factory=Event)
    _tries: int | None = None
    """How often a step is tried while DynamoDB cannot answer; None for as often as it takes."""

    def begin(self) -> None:
        """Take up the checkpoints; project every conversation first when they do not reach to what the stream holds.

        Raises Unavailable, StreamGone.
        """
        self._iterators.clear()
        saved = self.checkpoints.load()
        listed = {shard["ShardId"] for shard in self._shards()}
        lost = {shard for shard, position in saved.items() if position != SHARD_END and shard not in listed}
        if lost or not saved:
            self._begin_anew()
        else:
            self._ended = {shard for shard, position in saved.items() if position == SHARD_END}
            self.checkpoints.forget(self._ended - listed)
        self.find_shards()

    def find_shards(self) -> None:
        """Begin to read the shards whose parent has ended or is no longer there."""
        shards = self._shards()
        listed = {shard["ShardId"] for shard in shards}
        for shard in shards:
            shard_id, parent = shard["ShardId"], shard.get("ParentShardId")
            waiting = parent in listed and parent not in self._ended
            if shard_id not in self._iterators and shard_id not in self._ended and not waiting:
                self._open(shard_id)

    def poll(self) -> int:
        """Read one page of every shard and apply it; returns how many records came. Raises Unavailable, StreamGone."""
        count = 0
        for shard_id in list(self._iterators):
            count += self._read(shard_id)
        return count

    def run(self, stop: Event) -> None:
        """Project until `stop` is set. Raises StreamGone."""
        self._stop, self._tries = stop, None
        since_described = 0.0
        self._patiently(self.begin)
        while not stop.is_set():
            ended = len(self._ended)
            if not self._patiently(self.poll):
                stop.wait(POLL_SECONDS)
                since_described += POLL_SECONDS
            if len(self._ended) > ended or since_described >= DESCRIBE_SECONDS:
                self._patiently(self.find_shards)
                since_described = 0.0

    def drain(self, stop: Event) -> None:
        """Project what the stream holds, and what is written meanwhile: until passes bring nothing, or `stop` is set.

        Raises StreamGone; Unavailable when DynamoDB does not answer for a while.
        """
        self._stop, self._tries = stop, DRAIN_TRIES
        self._patiently(self.begin)
        empty = 0
        while empty < DRAINED_PASSES and not stop.is_set():
            if self._patiently(self.poll):
                empty = 0
                continue
            empty += 1
            # Children of what has ended.
            self._patiently(self.find_shards)
            stop.wait(POLL_SECONDS)

    def _patiently(self, step: Callable[[], T]) -> T | None:
        """Take a step, again and again with longer waits (up to 10 s) while DynamoDB cannot answer; None when stopped.

        Raises Unavailable when it was tried often enough.
        """
        wait = 0.5
        tried = 0
        while not self._stop.is_set():
            try:
                return step()
            except Unavailable:
                tried += 1
                if tried == self._tries:
                    raise
                logger.warning("DynamoDB does not answer; trying again in %.1f s", wait)
                self._stop.wait(wait)
                wait = min(10.0, wait * 2)
        return None

    def _begin_anew(self) -> None:
        logger.info("no valid checkpoint: projecting every conversation first")
        moved = 0
        start: dict[str, Any] | None = {}
        # Each step by itself, so that a throttled one does not begin the whole table again.
        while start is not None:
            page = self._patiently(partial(self.table.conversation_items, start))
            if page is None:
                return
            items, start = page
            for item in items:
                change = change_to(item, item["pk"]["S"])
                moved += self._patiently(partial(self._apply, change, EVERY_CONVERSATION)) or 0
        if self._stop.is_set():
            return
        self.checkpoints.forget()
        self._ended = set()
        logger.info("projected every conversation; %d entries moved", moved)
        self._note(Batch(None, 0, moved))

    def _open(self, shard_id: str) -> None:
        position = self.checkpoints.load().get(shard_id)
        try:
            self._iterators[shard_id] = iterator_after(self.streams, self.stream_arn, shard_id, position)
        except Trimmed:
            if position is None:
                raise
            self._trimmed(shard_id)

    def _read(self, shard_id: str) -> int:
        try:
            records, following = read_records(self.streams, self._iterators[shard_id], limit=RECORDS_A_PAGE)
        except IteratorExpired:
            self._open(shard_id)
            return 0
        except Trimmed:
            self._trimmed(shard_id)
            return 0
        moved = 0
        if records:
            moved = sum(self._apply(change, shard_id) for change in changes(records))
            self.checkpoints.save(shard_id, records[-1]["dynamodb"]["SequenceNumber"])
        if following:
            self._iterators[shard_id] = following
        else:
            del self._iterators[shard_id]
            self._ended.add(shard_id)
            self.checkpoints.save(shard_id, SHARD_END)
        if records:
            self._note(Batch(shard_id, len(records), moved))
        return len(records)

    def _apply(self, change: Change, shard_id: str) -> int:
        return apply(self.table, change, shard_id=shard_id, dead_letters=self.dead_letters, sleep=self._stop.wait)

    def _note(self, batch: Batch) -> None:
        self.records += batch.records
        self.entries += batch.entries
        self.applied(batch)

    def _trimmed(self, shard_id: str) -> None:
        """Records after the checkpoint are gone: what they said is in the conversations themselves."""
        logger.warning("the stream was trimmed beyond the checkpoint of %s", shard_id)
        self._begin_anew()
        self._open(shard_id)

    def _shards(self) -> list[Any]:
        shards: list[Any] = describe_stream(self.streams, self.stream_arn)["Shards"]
        return shards
