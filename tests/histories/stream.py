"""The table's real stream records, and consumers that project them as badly as the contract of streams allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from messaging.dynamodb.connection import streams_client
from messaging.dynamodb.schema import stream_arn
from messaging.dynamodb.table import MessageTable
from messaging.stream.projection import changes, project


@dataclass(slots=True)
class Log:
    """Every record of the stream so far, in the order in which its shards gave them."""

    arn: str
    records: list[Any] = field(default_factory=list)
    delivered: set[int] = field(default_factory=set)
    """Indexes of the records that some consumer has applied to entries that are still there."""
    losses: int = 0
    """How often an entry was lost, so that nothing counts as delivered."""
    _iterators: dict[str, str | None] = field(default_factory=dict)
    """By shard; None at its end."""

    def read(self) -> None:
        """Take in what came since."""
        streams = streams_client()
        shards = streams.describe_stream(StreamArn=self.arn)["StreamDescription"]["Shards"] if self._at_end else []
        for shard in shards:
            if shard["ShardId"] not in self._iterators:
                self._iterators[shard["ShardId"]] = streams.get_shard_iterator(
                    StreamArn=self.arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
                )["ShardIterator"]
        for shard_id in self._iterators:
            self._read_shard(shard_id)

    @property
    def _at_end(self) -> bool:
        return not any(self._iterators.values())

    def _read_shard(self, shard_id: str) -> None:
        while iterator := self._iterators[shard_id]:
            page = streams_client().get_records(ShardIterator=iterator)
            self._iterators[shard_id] = page.get("NextShardIterator")
            self.records += page["Records"]
            if not page["Records"]:
                return

    def entry_lost(self) -> None:
        self.losses += 1
        self.delivered.clear()

    def apply(self, batch: Sequence[int], project_batch: Callable[[], object]) -> None:
        """Note these records as delivered by `project_batch`, unless an entry was lost while it was at work."""
        losses = self.losses
        project_batch()
        if self.losses == losses:
            self.delivered.update(batch)

    @property
    def undelivered(self) -> list[int]:
        return [index for index in range(len(self.records)) if index not in self.delivered]


@dataclass(slots=True)
class Consumer:
    """A consumer of the stream with a checkpoint. It may die at any call and begins again there."""

    table: MessageTable
    log: Log
    checkpoint: int = 0
    """How many records it has applied."""

    def consume(self, count: int) -> None:
        """Apply the next `count` records, then write the checkpoint."""
        batch = range(self.checkpoint, min(self.checkpoint + count, len(self.log.records)))
        deliver(self.table, self.log, batch)
        self.checkpoint = batch.stop

    def begin_anew(self, trimmed_to: int) -> None:
        """Start without a checkpoint: project everything, then read on from where the stream now begins."""
        project_all(self.table, self.log)
        self.checkpoint = trimmed_to


def deliver(table: MessageTable, log: Log, batch: Sequence[int]) -> None:
    """Project these records, in this order."""
    found = changes(log.records[index] for index in batch)
    log.apply(batch, lambda: project(table, [change.conversation for change in found]))


def project_all(table: MessageTable, log: Log) -> None:
    """Project every conversation, which covers all that the stream had told before."""
    log.apply(range(len(log.records)), lambda: project(table, table.conversations()))


def new_log(table: MessageTable) -> Log:
    return Log(stream_arn(table))
