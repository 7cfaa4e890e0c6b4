"""How far the table's stream was applied, shard by shard, without disturbing whoever applies it."""

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
"""GetRecords for a shard at most: a page may be empty though records follow, and five a second are for all readers."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a shard was applied."""

    sequence_number: str
    """Of the last record applied, or SHARD_END."""
    saved_at: datetime


@dataclass(frozen=True, slots=True)
class ShardStatus:
    """A shard that the stream lists."""

    shard_id: str
    parent: str | None
    is_open: bool
    """Whether records may still come; a closed one is gone 24 hours after its last record."""
    checkpoint: Checkpoint | None
    lag: int | None
    """Age in seconds of the oldest record that is not applied, 0 when none is waiting; None when that is trimmed."""

    @property
    def is_trimmed(self) -> bool:
        """Whether records after the checkpoint are gone, so that the worker projects every conversation first."""
        return self.lag is None


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """The stream of one table."""

    stream_arn: str
    status: str
    """ENABLED, ENABLING, DISABLED or DISABLING."""
    shards: Sequence[ShardStatus]
    unlisted: Mapping[str, Checkpoint]
    """Checkpoints by shard that the stream lists no more."""

    @property
    def lag(self) -> int:
        """The longest of the shards', in seconds."""
        return max((shard.lag or 0 for shard in self.shards), default=0)

    @property
    def is_begun_anew(self) -> bool:
        """Whether a worker that starts now projects every conversation first, for want of a valid checkpoint."""
        listed = {shard.shard_id for shard in self.shards}
        ended = {shard_id for shard_id, each in self.unlisted.items() if each.sequence_number == SHARD_END}
        # What came before a shard whose parent is neither to be read nor known to be read may be missing.
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
                # Never 0, which says that none is waiting.
                return max(1, ceil((now - written).total_seconds()))
    except Trimmed:
        return None
    return 0
