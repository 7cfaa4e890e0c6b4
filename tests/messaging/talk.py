"""Conversations for tests, in few words: who writes what, with the domain's own functions."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

from messaging import conversations
from messaging.dynamodb import MessageTable
from messaging.items import Entry, Message, pair_group_uuid
from messaging.projection import project

ANDREW, BAYKO, LONDO = UUID(int=1), UUID(int=2), UUID(int=3)
NOW = datetime(2026, 11, 21, 9, 5, tzinfo=UTC)
GROUP = pair_group_uuid(ANDREW, BAYKO)


def start(
    *, by: UUID = ANDREW, to: UUID = BAYKO, text: str = "Hello", uuid: UUID | None = None, now: datetime = NOW
) -> Message:
    return conversations.start(user_uuid=by, other_uuid=to, text=text, message_uuid=uuid or uuid4(), now=now)


def send(
    *,
    by: UUID = ANDREW,
    group: UUID = GROUP,
    text: str = "Hi",
    uuid: UUID | None = None,
    after: str = "",
    now: datetime = NOW,
) -> Message:
    return conversations.send(
        user_uuid=by, group_uuid=group, text=text, message_uuid=uuid or uuid4(), after=after, now=now
    )


def drain(table: MessageTable) -> None:
    """Bring every entry up to date, as the stream does."""
    project(table, table.conversations())


def entry_of(table: MessageTable, user: UUID, group: UUID = GROUP) -> Entry:
    _, entry = table.conversation_and_entry(group, user)
    assert entry is not None
    return entry
