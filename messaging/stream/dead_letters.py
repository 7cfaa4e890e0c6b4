"""What could not be projected, kept in Postgres with its reason so that the shard goes on, and projected later."""

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
"""Length of the column, in characters."""


@dataclass(frozen=True, slots=True)
class PostgresDeadLetters:
    """The dead letters of one stream."""

    stream_arn: str

    def add(self, *, shard_id: str, sequence_number: str, key: str, reason: str, tries: int) -> None:
        """Keep a letter; once more, when the records before it were delivered again."""
        DeadLetter.objects.update_or_create(
            stream_arn=self.stream_arn,
            shard_id=shard_id,
            sequence_number=sequence_number,
            # Keys of the model fit; what is longer belongs to no conversation, and is in the reason, too.
            defaults={"key": key[:KEY_CHARS], "reason": reason, "tries": tries},
        )


@dataclass(frozen=True, slots=True)
class Replay:
    """What became of a dead letter."""

    letter: DeadLetter
    reason: str
    """Why it failed again; empty when its conversation is projected, or is no more."""


def replay(table: MessageTable) -> Iterator[Replay]:
    """Project each letter's conversation as it is now, and forget those that succeed; the oldest first.

    Raises Unavailable: what was replayed until then is done. Safe to repeat, and while a worker runs.
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
