"""Store changes that could not be projected in Postgres, with the reason, so that the shard goes on; replay them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from messaging.dynamodb.codec import text, uuid_in_key
from messaging.dynamodb.keys import GROUP_PREFIX
from messaging.dynamodb.table import MessageTable
from messaging.models import DeadLetter

from .apply import is_its_own_fault, reason_of
from .projection import project

KEY_CHARS = 80
"""Length of the key columns, in characters."""


@dataclass(frozen=True, slots=True)
class PostgresDeadLetters:
    """The dead letters of one stream."""

    stream_arn: str

    def add(self, *, shard_id: str, sequence_number: str, key: str, reason: str, tries: int) -> None:
        """Store a letter; overwrite the stored one when its records are delivered again."""
        DeadLetter.objects.update_or_create(
            stream_arn=self.stream_arn,
            shard_id=shard_id,
            sequence_number=sequence_number,
            # Valid keys fit the column. Longer ones belong to no conversation; the reason names them, too.
            defaults={"key": key[:KEY_CHARS], "reason": reason, "tries": tries},
        )


@dataclass(frozen=True, slots=True)
class Replay:
    """The result of replaying a dead letter."""

    letter: DeadLetter
    reason: str
    """Why it failed again; empty when its conversation was projected or no longer exists."""


def replay(table: MessageTable) -> Iterator[Replay]:
    """Project the current state of each letter's conversation, oldest letter first; delete letters that succeed.

    Raises Unavailable; letters replayed before that stay done. Safe to repeat, and safe while a worker runs.
    """
    for letter in DeadLetter.objects.order_by("created_at", "pk"):
        try:
            conversation = table.conversation(uuid_in_key({"pk": text(letter.key)}, "pk", GROUP_PREFIX))
            project(table, [conversation] if conversation else [])
        except Exception as error:
            if not is_its_own_fault(error):
                raise
            letter.reason, letter.tries = reason_of(error), letter.tries + 1
            letter.save(update_fields=["reason", "tries"])
            yield Replay(letter, letter.reason)
        else:
            letter.delete()
            yield Replay(letter, "")
