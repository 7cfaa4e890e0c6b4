"""Create complete, read conversations of any length and number. Requires that Django is set up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random
from uuid import UUID

from django.utils import timezone

from messaging.actions import read as read_actions
from messaging.domain.entities import pair_group_uuid
from messaging.dynamodb.client import patient
from messaging.dynamodb.connection import message_table
from messaging.dynamodb.table import MessageTable
from messaging.operations.seeding import SyntheticSeeding
from messaging.operations.synthetic import SyntheticConversation
from users.synthetic import create_synthetic_people


def people(number: int) -> Sequence[UUID]:
    """Create so many invented people in Postgres."""
    return create_synthetic_people(number, created_at=timezone.now(), random=Random(8)).uuids  # noqa: S311 - names


def talk(one: UUID, other: UUID, messages: int) -> SyntheticConversation:
    """Return a reproducible conversation of two people with so many messages."""
    return SyntheticConversation((one, other), messages, f"{messages}/{other}")


def write(talks: Iterable[SyntheticConversation]) -> None:
    """Store conversations, their entries included, the stream's work done; nobody has them yet."""
    table = message_table()
    seeding = SyntheticSeeding(MessageTable(patient(table.client, validate=False), table.name), timezone.now())
    seeding.write(iter(talks))


def read_to_the_end(one: UUID, other: UUID) -> str:
    """Let both have read all of their conversation; returns created_at of its newest message."""
    group = pair_group_uuid(one, other)
    newest = message_table().messages_before(group, None, limit=1)[0].created_at
    for member in (one, other):
        read_actions.mark_read(user_uuid=member, group_uuid=group, created_at=newest)
    return newest
