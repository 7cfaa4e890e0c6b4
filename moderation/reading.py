"""Read a conversation as a moderator: record it first, and change nothing in the conversation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from messaging.domain.entities import Conversation, Message
from messaging.domain.timestamps import parse_created_at
from messaging.dynamodb.connection import message_table
from messaging.queries.conversations import PAGE_SIZE, ConversationNotFound
from users.models import User

from . import audit


@dataclass(frozen=True, slots=True)
class Cursor:
    """Which messages to read: around, before or after a created_at; the newest if all are empty.

    `around` returns as many older as newer messages, and more of one side where the other has fewer.
    """

    around: str = ""
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """A window of a conversation's messages, oldest first."""

    conversation: Conversation
    messages: Sequence[Message]

    @property
    def older(self) -> str:
        """The cursor `before`; empty at the first message."""
        return self.messages[0].created_at if self.messages and self.messages[0].seq > 1 else ""

    @property
    def newer(self) -> str:
        """The cursor `after`; empty at the newest message."""
        return self.messages[-1].created_at if self.messages and self.messages[-1].seq < self.conversation.seq else ""


def look(*, reader: User, group_uuid: UUID, cursor: Cursor, reason: str, report: int | None = None) -> Window:
    """Return a window of any conversation, read for this reason or this report (at most 3 calls).

    Write the audit log first, even if there is no such conversation. Raise ConversationNotFound, InvalidCreatedAt.
    """
    found = [name for name in ("around", "before", "after") if getattr(cursor, name)]
    for name in found:
        parse_created_at(getattr(cursor, name))
    audit.record(
        actor=reader,
        act="conversation.read",
        subject=audit.of_conversation(group_uuid),
        reason=reason,
        **({"report": report} if report is not None else {}),
        **{name: getattr(cursor, name) for name in found},
    )
    table = message_table()
    conversation = table.conversation(group_uuid)
    if conversation is None:
        raise ConversationNotFound
    if cursor.after:
        messages = table.messages_after(group_uuid, cursor.after, limit=PAGE_SIZE)
    elif cursor.around:
        older = table.messages_before(group_uuid, cursor.around, limit=PAGE_SIZE - 1)
        last = older[-1].created_at if older else ""
        newer = table.messages_after(group_uuid, last, limit=PAGE_SIZE - min(len(older), PAGE_SIZE // 2))
        messages = [*older[len(newer) - PAGE_SIZE :], *newer]
    else:
        messages = table.messages_before(group_uuid, cursor.before or None, limit=PAGE_SIZE)
    return Window(conversation, messages)
