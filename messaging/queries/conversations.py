"""What can be done with conversations: the domain functions that views, commands and the admin call.

Each is keyword-only; the people are uuids, the time is passed in. Not a member and no such conversation look the
same: `ConversationNotFound`. Whatever DynamoDB cannot answer now is `messaging.dynamodb.client.Unavailable`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from uuid import UUID

from messaging.actions import send_queue
from messaging.actions.send_message import (
    AwaitingAnswer,
    Blocked,
    ConversationNotFound,
    Delivery,
    MessageRejected,
    MessageUuidReused,
    append,
    sendable,
)
from messaging.domain.folders import INBOX, list_key
from messaging.domain.transitions import conversation_from_first, entry_from_conversation, first_message
from messaging.dynamodb.connection import message_table
from messaging.dynamodb.items import (
    GROUP_PREFIX,
    Conversation,
    Entry,
    Message,
    key,
    pair_group_uuid,
    parse_created_at,
    user_pk,
)
from messaging.dynamodb.malformed import MalformedItem, report
from messaging.dynamodb.requests import get
from messaging.dynamodb.table import ConversationMoved, MessageTable

__all__ = [
    "PAGE_SIZE",
    "AwaitingAnswer",
    "Blocked",
    "ConversationList",
    "ConversationNotFound",
    "ConversationPage",
    "Delivery",
    "InvalidCursor",
    "MessageNotFound",
    "MessageRejected",
    "MessageUuidReused",
    "Opening",
    "as_member",
    "concerns",
    "existing_with",
    "list_conversations",
    "list_cursor",
    "load_conversation",
    "load_from_first_unread",
    "mark_read",
    "send",
    "sendable",
    "start",
    "visible_to",
]

PAGE_SIZE = 20


class Opening(Enum):
    """What becomes of a first message."""

    FREE = "free"
    """It is in the other's inbox."""
    REQUEST = "request"
    """It waits among the other's requests, and there is no second one until they accept."""
    CLOSED = "closed"
    """There is none: the other wants none from people they do not know."""


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


def send(
    *,
    user_uuid: UUID,
    group_uuid: UUID,
    text: str,
    message_uuid: UUID,
    after: str,
    now: datetime,
    on_turn: Callable[[], None] = lambda: None,
) -> Delivery:
    """Store a message once (pattern C, 2 calls) and return it as stored, also when it had been stored before.

    `after` is the newest created_at the page knew when `message_uuid` was minted ("" for none).
    Who was awaited to accept the conversation accepts it so. `on_turn` is called for a member whose turn to write has
    come (see `send_queue`), before anything is written. Raises ConversationNotFound, MessageRejected,
    MessageUuidReused, AwaitingAnswer, Blocked, what `on_turn` and `send_queue.turn` raise; ValueError when `after` is
    no created_at.
    """
    text = sendable(text)
    if after:
        parse_created_at(after)
    conversation = visible_to(message_table().conversation(group_uuid), user_uuid)
    with send_queue.turn(group_uuid=group_uuid, user_uuid=user_uuid):
        on_turn()
        return append(conversation, user_uuid=user_uuid, text=text, message_uuid=message_uuid, after=after, now=now)


def start(
    *,
    user_uuid: UUID,
    other_uuid: UUID,
    text: str,
    message_uuid: UUID,
    now: datetime,
    opening: Opening = Opening.FREE,
    on_turn: Callable[[], None] = lambda: None,
) -> Delivery:
    """Send the first message to someone (pattern D, 1 call), or the next one if there is a conversation already.

    The message's group_uuid is the conversation's. `on_turn` is as in `send`. Raises what `send` raises, Blocked also
    where no first message is wanted; ValueError for one's own uuid.
    """
    if user_uuid == other_uuid:
        msg = "nobody can start a conversation with themselves"
        raise ValueError(msg)
    text = sendable(text)
    members = frozenset((user_uuid, other_uuid))
    group_uuid = pair_group_uuid(user_uuid, other_uuid)
    message = first_message(group_uuid=group_uuid, user_uuid=user_uuid, text=text, message_uuid=message_uuid, now=now)
    awaiting = other_uuid if opening is Opening.REQUEST else None
    conversation = replace(conversation_from_first(message, member_uuids=members), awaiting=awaiting)
    entries = [entry_from_conversation(conversation, member) for member in sorted(members)]
    with send_queue.turn(group_uuid=group_uuid, user_uuid=user_uuid):
        on_turn()
        if opening is Opening.CLOSED:
            there = message_table().conversation(group_uuid)
            if there is None or not there.begun:
                raise Blocked
        else:
            try:
                message_table().create(conversation, message, entries)
            except ConversationMoved as moved:
                there = moved.now
            else:
                return Delivery(message, members, conversation.version)
        return append(
            there,
            user_uuid=user_uuid,
            text=text,
            message_uuid=message_uuid,
            after="",
            now=now,
            begins=True,
            awaiting=awaiting,
        )


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


def mark_read(*, user_uuid: UUID, group_uuid: UUID, created_at: str) -> Entry:
    """Note that the person has read up to this message, which must exist; only forwards (2 calls). Returns their entry.

    Of a malformed entry nothing is certain: the one that follows from the conversation is returned (1 call more).
    Raises ConversationNotFound, MessageNotFound; InvalidCreatedAt.
    """
    parse_created_at(created_at)
    table = message_table()
    message = table.message(group_uuid, created_at)
    if message is None:
        raise MessageNotFound
    try:
        entry = table.mark_read(user_uuid, message)
    except MalformedItem as error:
        report(error)
        return entry_from_conversation(as_member(user_uuid=user_uuid, group_uuid=group_uuid), user_uuid)
    if entry is None:
        raise ConversationNotFound
    return entry


def concerns(error: MalformedItem, user_uuid: UUID) -> bool:
    """Whether the malformed item is of a conversation of this person's (1 call where the item does not tell).

    Nobody else is to learn that there is such a conversation.
    """
    if error.member_uuids is not None:
        return user_uuid.bytes in error.member_uuids
    table = message_table()
    group_uuid = error.pk.removeprefix(GROUP_PREFIX)
    return get(table.client, table.name, key(user_pk(user_uuid), group_uuid)) is not None


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
