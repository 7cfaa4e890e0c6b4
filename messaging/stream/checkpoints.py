"""The stream consumer's checkpoints, kept in Postgres."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from messaging.models import StreamCheckpoint

TRUSTED_FOR = timedelta(hours=20)


@dataclass(frozen=True, slots=True)
class PostgresCheckpoints:
    """The checkpoints of one stream, one per shard that was read."""

    stream_arn: str

    def load(self) -> dict[str, str]:
        """Return the sequence number of the last applied record by shard; {} if the checkpoints are too old to trust.

        A stream keeps records for 24 hours, and does not report those that expired before they were first read.
        Checkpoints that are not trusted are deleted: the consumer then projects every conversation first.
        """
        rows = StreamCheckpoint.objects.filter(stream_arn=self.stream_arn)
        if not rows.filter(updated_at__gt=timezone.now() - TRUSTED_FOR).exists():
            self.forget()
        return dict(rows.values_list("shard_id", "sequence_number"))

    def save(self, shard_id: str, sequence_number: str) -> None:
        StreamCheckpoint.objects.update_or_create(
            stream_arn=self.stream_arn, shard_id=shard_id, defaults={"sequence_number": sequence_number}
        )

    def forget(self, shard_ids: set[str] | None = None) -> None:
        """Delete the checkpoints of these shards, or all of them."""
        rows = StreamCheckpoint.objects.filter(stream_arn=self.stream_arn)
        (rows if shard_ids is None else rows.filter(shard_id__in=shard_ids)).delete()


def forget_table(table_arn: str) -> int:
    """Delete the checkpoints of all current and former streams of a table; return how many there were."""
    number, _ = StreamCheckpoint.objects.filter(stream_arn__startswith=f"{table_arn}/stream/").delete()
    return number
