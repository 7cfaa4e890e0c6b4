"""Measure a consumer's lag from the records it reads anyway, without extra requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any


class Lag:
    """The oldest record of the last page read, by shard; one thread writes, others may read."""

    def __init__(self) -> None:
        self._oldest: dict[str, datetime] = {}

    def reads(self, shard_id: str, records: Sequence[Mapping[str, Any]]) -> None:
        """Note that the consumer has read a page of a shard and is about to apply it."""
        # The API does not guarantee a time per record, though each has one.
        written: datetime | None = records[0]["dynamodb"].get("ApproximateCreationDateTime") if records else None
        if written is None:
            self.leaves(shard_id)
        else:
            self._oldest[shard_id] = written

    def leaves(self, shard_id: str) -> None:
        """Note that the consumer has finished a shard."""
        self._oldest.pop(shard_id, None)

    def seconds(self, now: datetime) -> float:
        """Return the age of the oldest record being applied or applied last; 0 if the last pages were empty.

        A page that cannot be applied keeps getting older.
        """
        return max((max(0.0, (now - each).total_seconds()) for each in list(self._oldest.values())), default=0.0)
