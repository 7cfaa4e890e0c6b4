"""Report how far the table's stream was applied, by shard, without disturbing its consumer."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import TYPE_CHECKING

from messaging.dynamodb.shards import Trimmed, describe_stream, iterator_after, read_records
from messaging.models import StreamCheckpoint

from .consumer import POLL_SECONDS
from .consumer_types import SHARD_END

if TYPE_CHECKING:
    from types_boto3_dynamodbstreams import DynamoDBStreamsClient

READS = 3
"""GetRecords per shard at most: a page may be empty though records follow, and all readers share five a second."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The progress in a shard."""

    sequence_number: str
    """Sequence number of the last applied record, or SHARD_END."""
    saved_at: datetime


@dataclass(frozen=True, slots=True)
class ShardStatus:
    """A shard listed by the stream."""

    shard_id: str
    parent: str | None
    is_open: bool
    """Whether new records may arrive; a closed shard disappears 24 hours after its last record."""
    checkpoint: Checkpoint | None
    lag: int | None
    """Age in seconds of the oldest unapplied record; 0 if there is none, None if it has been trimmed."""

    @property
    def is_trimmed(self) -> bool:
        """Whether records after the checkpoint have expired, so that the worker projects every conversation first."""
        return self.lag is None


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """The stream of one table."""

    stream_arn: str
    status: str
    """ENABLED, ENABLING, DISABLED or DISABLING."""
    shards: Sequence[ShardStatus]
    unlisted: Mapping[str, Checkpoint]
    """Checkpoints of shards that the stream no longer lists."""

    @property
    def lag(self) -> int:
        """The highest lag of all shards, in seconds."""
        return max((shard.lag or 0 for shard in self.shards), default=0)

    @property
    def is_begun_anew(self) -> bool:
        """Whether a worker that starts now projects every conversation first, because a valid checkpoint is missing."""
        listed = {shard.shard_id for shard in self.shards}
        ended = {shard_id for shard_id, each in self.unlisted.items() if each.sequence_number == SHARD_END}
        # A parent that is neither listed nor known to be read may have held records that are lost.
        is_of_unknown_parent = any(not shard.checkpoint and shard.parent not in listed | ended for shard in self.shards)
        return (
            is_of_unknown_parent
            or len(ended) < len(self.unlisted)
            or not (self.unlisted or any(shard.checkpoint for shard in self.shards))
            or any(shard.is_trimmed for shard in self.shards)
        )


def stream_status(
    streams: DynamoDBStreamsClient,
    stream_arn: str,
    checkpoints: Mapping[str, Checkpoint],
    *,
    now: datetime,
    pause: Callable[[float], object] = time.sleep,
) -> StreamStatus:
    """Compare the stream with its checkpoints. Reads at most `READS` single records per shard and writes nothing.

    Raises StreamGone, Unavailable.
    """
    description = describe_stream(streams, stream_arn)
    listed = {shard["ShardId"]: shard for shard in description["Shards"]}
    shards = []
    for shard_id, shard in listed.items():
        checkpoint = checkpoints.get(shard_id)
        shards.append(
            ShardStatus(
                shard_id=shard_id,
                parent=shard.get("ParentShardId"),
                is_open="EndingSequenceNumber" not in shard["SequenceNumberRange"],
                checkpoint=checkpoint,
                lag=_lag(streams, stream_arn, shard_id, checkpoint, now, pause),
            )
        )
    unlisted = {shard_id: each for shard_id, each in checkpoints.items() if shard_id not in listed}
    return StreamStatus(stream_arn, description["StreamStatus"], shards, unlisted)


def saved_checkpoints(stream_arn: str) -> dict[str, Checkpoint]:
    """Return the consumer's checkpoints in Postgres by shard. One SQL statement."""
    rows = StreamCheckpoint.objects.filter(stream_arn=stream_arn).order_by("shard_id")
    return {row.shard_id: Checkpoint(row.sequence_number, row.updated_at) for row in rows}


def _lag(
    streams: DynamoDBStreamsClient,
    stream_arn: str,
    shard_id: str,
    checkpoint: Checkpoint | None,
    now: datetime,
    pause: Callable[[float], object],
) -> int | None:
    if checkpoint and checkpoint.sequence_number == SHARD_END:
        return 0
    try:
        position = checkpoint.sequence_number if checkpoint else None
        iterator: str | None = iterator_after(streams, stream_arn, shard_id, position)
        for read in range(READS):
            if iterator is None:
                break
            if read:
                pause(POLL_SECONDS)
            records, iterator = read_records(streams, iterator, limit=1)
            if records:
                written: datetime = records[0]["dynamodb"]["ApproximateCreationDateTime"]
                # Never 0, which means that no record is waiting.
                return max(1, ceil((now - written).total_seconds()))
    except Trimmed:
        return None
    return 0
