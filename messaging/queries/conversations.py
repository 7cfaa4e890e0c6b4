"""What pages read of conversations: lists, and windows of messages.

Functions are keyword-only; people are uuids, the time is passed in. Not a member and no such conversation look the
same: `ConversationNotFound`. Whatever DynamoDB cannot answer now is `messaging.dynamodb.client.Unavailable`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from messaging.domain.entities import Conversation, Entry, Message, pair_group_uuid
from messaging.domain.folders import INBOX, list_key
from messaging.domain.timestamps import parse_created_at
from messaging.domain.transitions import entry_from_conversation
from messaging.dynamodb.connection import message_table
from messaging.dynamodb.keys import GROUP_PREFIX
from messaging.dynamodb.malformed import MalformedItem
from messaging.dynamodb.table import MessageTable

PAGE_SIZE = 20


class ConversationNotFound(Exception):
    """There is no such conversation, or the person is not a member of it."""


class MessageNotFound(Exception):
    """The conversation has no message at this created_at."""


class InvalidCursor(ValueError):
    """The cursor of a list is malformed."""


@dataclass(frozen=True, slots=True)
class ConversationList:
    """A page of one of a person's lists of conversations, newest first."""

    entries: Sequence[Entry]
    older: str | None
    """The cursor of the next page, `<last_message_at>_<group_uuid>`; none at the end."""
    left_out: Sequence[MalformedItem] = ()
    """Entries that could not be read, between these or beside them."""


@dataclass(frozen=True, slots=True)
class ConversationPage:
    """A window of a conversation's messages, oldest first, as one member sees it."""

    conversation: Conversation
    entry: Entry
    """The member's own."""
    messages: Sequence[Message]

    @property
    def older(self) -> str | None:
        """created_at to ask before; none when the window begins with the first message."""
        return self.messages[0].created_at if self.messages and self.messages[0].seq > 1 else None

    @property
    def newer(self) -> str | None:
        """created_at to ask after; none when the window ends with the newest message."""
        return self.messages[-1].created_at if self.messages and self.messages[-1].seq < self.conversation.seq else None

    @property
    def newest_known(self) -> str:
        """`after` of a message written on this page: the newest created_at it knows."""
        return self.conversation.last_sk

    @property
    def first_unread(self) -> Message | None:
        """The first of others' messages in this window that the member has not read."""
        return next(
            (m for m in self.messages if m.seq > self.entry.read_seq and m.user_uuid != self.entry.user_uuid),
            None,
        )


def list_conversations(*, user_uuid: UUID, before: str | None = None, which: str = INBOX) -> ConversationList:
    """A page of one of the person's lists (pattern B, 1 call). Raises InvalidCursor."""
    position = _parse_cursor(before) if before else None
    found = message_table().inbox(list_key(user_uuid, which), user_uuid, before=position, limit=PAGE_SIZE + 1)
    page = found.entries[:PAGE_SIZE]
    older = list_cursor(page[-1]) if len(found.entries) > PAGE_SIZE else None
    return ConversationList(page, older, found.left_out)


def load_conversation(
    *,
    user_uuid: UUID,
    group_uuid: UUID,
    before: str | None = None,
    after: str | None = None,
    around: str | None = None,
) -> ConversationPage:
    """The newest messages of a conversation, or those before, after or around a created_at.

    Pattern A: 2 calls, around 3. Raises ConversationNotFound; InvalidCreatedAt.
    """
    for cursor in filter(None, (before, after, around)):
        parse_created_at(cursor)
    table = message_table()
    conversation, entry = _as_member(table, group_uuid, user_uuid)
    if after:
        messages = table.messages_after(group_uuid, after, limit=PAGE_SIZE)
    elif around:
        half = PAGE_SIZE // 2
        older = table.messages_before(group_uuid, around, limit=half)
        last_older = older[-1].created_at if older else ""
        messages = [*older, *table.messages_after(group_uuid, last_older, limit=PAGE_SIZE - len(older))]
    else:
        messages = table.messages_before(group_uuid, before, limit=PAGE_SIZE)
    return ConversationPage(conversation, entry, messages)


def load_from_first_unread(*, user_uuid: UUID, group_uuid: UUID) -> ConversationPage:
    """The newest messages, or those from the first unread one on where that lies further back (2 calls).

    Who has written has read what was there, as in lists. Raises ConversationNotFound.
    """
    table = message_table()
    conversation, entry = _as_member(table, group_uuid, user_uuid)
    sent = conversation.sent_by(user_uuid)
    if conversation.seq - max(entry.read_seq, sent.seq) <= PAGE_SIZE:
        return ConversationPage(conversation, entry, table.messages_before(group_uuid, None, limit=PAGE_SIZE))
    position = sent.newest[0].sk if sent.seq > entry.read_seq else entry.read_sk
    return ConversationPage(conversation, entry, table.messages_after(group_uuid, position, limit=PAGE_SIZE))


def existing_with(*, user_uuid: UUID, other_uuid: UUID) -> UUID | None:
    """The uuid of the conversation the two people have, or None (1 call)."""
    conversation = message_table().conversation(pair_group_uuid(user_uuid, other_uuid))
    return conversation.group_uuid if conversation and conversation.begun else None


def as_member(*, user_uuid: UUID, group_uuid: UUID) -> Conversation:
    """A conversation of the person's (1 call). Raises ConversationNotFound."""
    return visible_to(message_table().conversation(group_uuid), user_uuid)


def visible_to(conversation: Conversation | None, user_uuid: UUID) -> Conversation:
    """The conversation, if it is one of this person's and has a message. Raises ConversationNotFound."""
    if conversation is None or user_uuid not in conversation.member_uuids or not conversation.begun:
        raise ConversationNotFound
    return conversation


def concerns(error: MalformedItem, user_uuid: UUID) -> bool:
    """Whether the malformed item is of a conversation of this person's (1 call where the item does not tell).

    Nobody else is to learn that there is such a conversation.
    """
    if error.member_uuids is not None:
        return user_uuid.bytes in error.member_uuids
    return message_table().has_entry(user_uuid, error.pk.removeprefix(GROUP_PREFIX))


def _as_member(table: MessageTable, group_uuid: UUID, user_uuid: UUID) -> tuple[Conversation, Entry]:
    found, entry = table.conversation_and_entry(group_uuid, user_uuid)
    conversation = visible_to(found, user_uuid)
    return conversation, entry or entry_from_conversation(conversation, user_uuid)


def list_cursor(entry: Entry) -> str:
    """Where the page after this entry begins."""
    return f"{entry.last_message_at}_{entry.group_uuid}"


def _parse_cursor(cursor: str) -> tuple[str, UUID]:
    last_message_at, _, group_uuid = cursor.partition("_")
    try:
        parse_created_at(last_message_at)
        return last_message_at, UUID(group_uuid)
    except ValueError as error:
        raise InvalidCursor from error
