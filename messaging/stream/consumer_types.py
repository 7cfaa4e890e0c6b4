"""What a consumer says of how far it is: batches that it applied, and the checkpoints that somebody keeps for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

SHARD_END = "SHARD_END"
"""In place of a sequence number: all of the shard was read."""
EVERY_CONVERSATION = "(every conversation)"
"""In place of a shard's id where the table itself was read."""


class Checkpoints(Protocol):
    """Where the consumer keeps how far it is, by shard: the sequence number last applied, SHARD_START or SHARD_END."""

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
