"""Blocking: as long as one of two people blocks, neither writes to the other.

The conversation's item decides, in the transaction of every send: it names who blocks, also where nobody ever wrote.
The list of whom a person blocks is kept in Postgres beside it. DynamoDB is written first, so that who dies in between
has blocked and only lacks the line in the list, or has unblocked and only keeps it; doing it again puts that right.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from messaging.domain.entities import Conversation, pair_group_uuid
from messaging.domain.transitions import conversation_without_messages
from messaging.dynamodb.connection import message_table
from messaging.dynamodb.table import optimistically
from messaging.models import BlockedPerson


def block(*, user_uuid: UUID, other_uuid: UUID, now: datetime) -> UUID:
    """Let neither of the two write to the other, and take the conversation out of the blocker's lists (2 calls).

    Doing it again changes nothing. Returns the uuid of the conversation, which may have no message; raises ValueError
    for one's own uuid, Unavailable.
    """
    group_uuid = shut(user_uuid=user_uuid, other_uuid=other_uuid, now=now)
    BlockedPerson.objects.get_or_create(person_id=user_uuid, blocked_uuid=other_uuid)
    return group_uuid


def unblock(*, user_uuid: UUID, other_uuid: UUID) -> UUID:
    """Let them write again, unless the other blocks, too; the conversation is in the list again (2 calls).

    Doing it again changes nothing. Returns the uuid of the conversation.
    """
    group_uuid = reopen(user_uuid=user_uuid, other_uuid=other_uuid)
    BlockedPerson.objects.filter(person_id=user_uuid, blocked_uuid=other_uuid).delete()
    return group_uuid


def shut(*, user_uuid: UUID, other_uuid: UUID, now: datetime) -> UUID:
    """The part of `block` that decides."""
    if user_uuid == other_uuid:
        msg = "nobody can block themselves"
        raise ValueError(msg)
    group_uuid = pair_group_uuid(user_uuid, other_uuid)
    table = message_table()

    def write(conversation: Conversation | None, _attempt: int) -> None:
        if conversation is None:
            members = frozenset((user_uuid, other_uuid))
            first = conversation_without_messages(group_uuid, member_uuids=members, by=user_uuid, now=now)
            table.create(first, None, ())
        elif user_uuid not in conversation.blocked_by:
            table.block(conversation, user_uuid)

    optimistically(write, table.conversation(group_uuid), read_again=lambda moved: moved.now)
    return group_uuid


def reopen(*, user_uuid: UUID, other_uuid: UUID) -> UUID:
    """The part of `unblock` that decides."""
    group_uuid = pair_group_uuid(user_uuid, other_uuid)
    table = message_table()

    def write(conversation: Conversation | None, _attempt: int) -> None:
        if conversation and user_uuid in conversation.blocked_by:
            table.unblock(conversation, user_uuid)

    optimistically(write, table.conversation(group_uuid), read_again=lambda moved: moved.now)
    return group_uuid


def blocked_by(user_uuid: UUID) -> list[UUID]:
    """Return the uuids that the user blocks, newest first; some may have no row any more (1 SQL statement)."""
    rows = BlockedPerson.objects.filter(person_id=user_uuid).order_by("-created_at")
    return list(rows.values_list("blocked_uuid", flat=True))


def any_blocks(user_uuids: Iterable[UUID]) -> bool:
    """Whether one of these people blocks another of them, by the list (1 SQL statement).

    For what is only told and never written: who types, what was seen.
    """
    uuids = list(user_uuids)
    return BlockedPerson.objects.filter(person_id__in=uuids, blocked_uuid__in=uuids).exists()
