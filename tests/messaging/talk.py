"""Conversations for tests, in few words: who writes what, with the domain's own functions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

from messaging.actions import send_message
from messaging.domain.entities import Entry, Message, pair_group_uuid
from messaging.domain.timestamps import format_created_at
from messaging.domain.transitions import conversation_from_messages, entry_from_conversation
from messaging.dynamodb.bulk import put_messages
from messaging.dynamodb.table import MessageTable
from messaging.stream.projection import project

ANDREW, BAYKO, LONDO = UUID(int=1), UUID(int=2), UUID(int=3)
NOW = datetime(2026, 11, 21, 9, 5, tzinfo=UTC)
GROUP = pair_group_uuid(ANDREW, BAYKO)


def start(
    *, by: UUID = ANDREW, to: UUID = BAYKO, text: str = "Hello", uuid: UUID | None = None, now: datetime = NOW
) -> Message:
    delivery = send_message.start(user_uuid=by, other_uuid=to, text=text, message_uuid=uuid or uuid4(), now=now)
    return delivery.message


def send(
    *,
    by: UUID = ANDREW,
    group: UUID = GROUP,
    text: str = "Hi",
    uuid: UUID | None = None,
    after: str = "",
    now: datetime = NOW,
) -> Message:
    delivery = send_message.send(
        user_uuid=by, group_uuid=group, text=text, message_uuid=uuid or uuid4(), after=after, now=now
    )
    return delivery.message


def drain(table: MessageTable) -> None:
    """Bring every entry up to date, as the stream does."""
    project(table, table.conversations())


def entry_of(table: MessageTable, user: UUID, group: UUID = GROUP) -> Entry:
    _, entry = table.conversation_and_entry(group, user)
    assert entry is not None
    return entry


def write_all(
    table: MessageTable, messages: list[tuple[UUID, str, datetime]], *, members: tuple[UUID, UUID]
) -> list[Message]:
    """Write a conversation of these messages (who, what, when) and its lists in few calls: moto is slow."""
    group = pair_group_uuid(*members)
    stored = [
        Message(group, format_created_at(when), seq, text, uuid4(), who)
        for seq, (who, text, when) in enumerate(messages, start=1)
    ]
    conversation = conversation_from_messages(stored, member_uuids=frozenset(members))
    put_messages(table, stored)
    table.create(conversation, None, [entry_from_conversation(conversation, member) for member in members])
    return stored


def between_read_and_write(table: MessageTable, change: Callable[[], object]) -> None:
    """Make a change at the moment when the conversation was read and is not written yet."""
    changes = [change]

    def interfere(**_: object) -> None:
        if changes:
            changes.pop()()

    table.client.meta.events.register("before-call.dynamodb.TransactWriteItems", interfere)
