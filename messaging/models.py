"""What messaging keeps in Postgres: how far the stream was read, what failed, whom people block, who wrote outside."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class StreamCheckpoint(models.Model):
    """How far a shard of the table's stream was applied."""

    stream_arn = models.CharField(max_length=255)
    shard_id = models.CharField(max_length=80)
    sequence_number = models.CharField(max_length=60)
    """Of the last record applied, or `messaging.stream.consumer.SHARD_END`."""
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["stream_arn", "shard_id"], name="one_checkpoint_a_shard")]

    def __str__(self) -> str:
        return f"{self.shard_id} at {self.sequence_number}"


class BlockedPerson(models.Model):
    """Whom a person blocks, for the list in their settings; the conversation's item is what keeps messages out."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    blocked_uuid = models.UUIDField()
    """Of a person whose row may be gone."""
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "blocked_uuid"], name="blocked_once")]

    def __str__(self) -> str:
        return f"{self.person_id} blocks {self.blocked_uuid}"


class WrittenOutside(models.Model):
    """Somebody wrote into a conversation of others, in the old system, where membership was not checked.

    Their entries do not tell of it: export and deletion find it here.
    """

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    group_uuid = models.UUIDField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "group_uuid"], name="written_outside_once")]

    def __str__(self) -> str:
        return f"{self.person_id} in {self.group_uuid}"


class DeadLetter(models.Model):
    """A change of a conversation that could not be projected. Holds no text: the conversation itself does."""

    stream_arn = models.CharField(max_length=255)
    shard_id = models.CharField(max_length=80)
    sequence_number = models.CharField(max_length=60)
    """Of the conversation's first record in its batch."""
    key = models.CharField(max_length=80)
    """The conversation's partition key."""
    reason = models.CharField(max_length=200)
    tries = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["stream_arn", "shard_id", "sequence_number"], name="one_letter_a_change")
        ]

    def __str__(self) -> str:
        return f"{self.key}: {self.reason}"
