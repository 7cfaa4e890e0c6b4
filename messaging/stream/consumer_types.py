"""Types for a consumer's progress: the batches it applied, and its checkpoints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

SHARD_END = "SHARD_END"
"""Replaces the sequence number once the whole shard was read."""
EVERY_CONVERSATION = "(every conversation)"
"""Replaces the shard's id where the table itself was read."""


class Checkpoints(Protocol):
    """Stores the consumer's progress by shard: the last applied sequence number, SHARD_START or SHARD_END."""

    def load(self) -> dict[str, str]: ...
    def save(self, shard_id: str, sequence_number: str) -> None: ...
    def forget(self, shard_ids: set[str] | None = None) -> None: ...


@dataclass(frozen=True, slots=True)
class Batch:
    """Changes that were applied together."""

    shard_id: str | None
    """None when every conversation was projected because there was no valid checkpoint."""
    records: int
    entries: int
    """Updated entries; entries that were already up to date do not count."""
