"""What can be done with conversations: the domain functions that views, commands and the admin call.

Each is keyword-only; the people are uuids, the time is passed in. Not a member and no such conversation look the
same: `ConversationNotFound`. Whatever DynamoDB cannot answer now is `messaging.aws.Unavailable`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from cruddur.text import normalise_text

from .aws import Unavailable
from .connection import message_table
from .dynamodb import ConversationMoved, MessageTable
from .items import SENDS_KEPT, Conversation, Entry, Message, pair_group_uuid, parse_created_at, user_pk
from .sequence import (
    conversation_after,
    conversation_from_first,
    entry_from_conversation,
    first_message,
    next_message,
)
from .text import problem_with

PAGE_SIZE = 20
SEND_ATTEMPTS = 20
"""Each failed one means that somebody else's message went in between."""


class ConversationNotFound(Exception):
    """There is no such conversation, or the person is not a member of it."""


class MessageNotFound(Exception):
    """The conversation has no message at this created_at."""


class MessageRejected(Exception):
    """The text cannot be sent. `code` is `message_blank` or `message_exceed_max_chars`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class MessageUuidReused(Exception):
    """This message_uuid was already sent with another text: the form needs a new one."""


class Blocked(Exception):
    """Nothing can be written into the conversation: a member blocks it, or nobody is left who could answer."""


@dataclass(frozen=True, slots=True)
class Inbox:
    """A page of a person's conversations, newest first."""

    entries: Sequence[Entry]
    older: str | None
    """The cursor of the next page, `<last_message_at>_<group_uuid>`; none at the end."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message as it is stored, and the conversation it is in."""

    message: Message
    member_uuids: frozenset[UUID]
    version: int
    """Of the conversation, with this message."""
    is_newest: bool = True
    """Whether the message is the conversation's newest."""
    repeated: bool = False
    """Whether it stood there like this before, so that nothing was written."""


@dataclass(frozen=True, slots=True)
class Thread:
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


def inbox(*, user_uuid: UUID, before: str | None = None) -> Inbox:
    """A page of the person's conversations (pattern B, 1 call). Raises ValueError when `before` is no cursor."""
    position = _parse_cursor(before) if before else None
    entries = message_table().inbox(user_pk(user_uuid), user_uuid, before=position, limit=PAGE_SIZE + 1)
    page = entries[:PAGE_SIZE]
    older = inbox_cursor(page[-1]) if len(entries) > PAGE_SIZE else None
    return Inbox(page, older)


def thread(
    *,
    user_uuid: UUID,
    group_uuid: UUID,
    before: str | None = None,
    after: str | None = None,
    around: str | None = None,
) -> Thread:
    """The newest messages of a conversation, or those before, after or around a created_at.

    Pattern A: 2 calls, around 3. Raises ConversationNotFound; ValueError when a cursor is no created_at.
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
    return Thread(conversation, entry, messages)


def thread_from_unread(*, user_uuid: UUID, group_uuid: UUID) -> Thread:
    """The newest messages, or those from the first unread one on where that lies further back (2 calls).

    Who has written has read what was there, as in lists. Raises ConversationNotFound.
    """
    table = message_table()
    conversation, entry = _as_member(table, group_uuid, user_uuid)
    sent = conversation.sent_by(user_uuid)
    if conversation.seq - max(entry.read_seq, sent.seq) <= PAGE_SIZE:
        return Thread(conversation, entry, table.messages_before(group_uuid, None, limit=PAGE_SIZE))
    position = sent.newest[0].sk if sent.seq > entry.read_seq else entry.read_sk
    return Thread(conversation, entry, table.messages_after(group_uuid, position, limit=PAGE_SIZE))


def send(*, user_uuid: UUID, group_uuid: UUID, text: str, message_uuid: UUID, after: str, now: datetime) -> Delivery:
    """Store a message once (pattern C, 2 calls) and return it as stored, also when it had been stored before.

    `after` is the newest created_at the page knew when `message_uuid` was minted ("" for none).
    Raises ConversationNotFound, MessageRejected, MessageUuidReused, Blocked; ValueError when `after` is no created_at.
    """
    text = sendable(text)
    if after:
        parse_created_at(after)
    conversation = message_table().conversation(group_uuid)
    return _append(conversation, user_uuid=user_uuid, text=text, message_uuid=message_uuid, after=after, now=now)


def start(*, user_uuid: UUID, other_uuid: UUID, text: str, message_uuid: UUID, now: datetime) -> Delivery:
    """Send the first message to someone (pattern D, 1 call), or the next one if there is a conversation already.

    The message's group_uuid is the conversation's. Raises what `send` raises; ValueError for one's own uuid.
    """
    if user_uuid == other_uuid:
        msg = "nobody can start a conversation with themselves"
        raise ValueError(msg)
    text = sendable(text)
    members = frozenset((user_uuid, other_uuid))
    group_uuid = pair_group_uuid(user_uuid, other_uuid)
    message = first_message(group_uuid=group_uuid, user_uuid=user_uuid, text=text, message_uuid=message_uuid, now=now)
    conversation = conversation_from_first(message, member_uuids=members)
    entries = [entry_from_conversation(conversation, member) for member in sorted(members)]
    try:
        message_table().create(conversation, message, entries)
    except ConversationMoved as moved:
        return _append(moved.now, user_uuid=user_uuid, text=text, message_uuid=message_uuid, after="", now=now)
    return Delivery(message, members, conversation.version)


def existing_with(*, user_uuid: UUID, other_uuid: UUID) -> UUID | None:
    """The uuid of the conversation the two people have, or None (1 call)."""
    conversation = message_table().conversation(pair_group_uuid(user_uuid, other_uuid))
    return conversation.group_uuid if conversation else None


def members(*, user_uuid: UUID, group_uuid: UUID) -> frozenset[UUID]:
    """Who is in a conversation of the person's (1 call). Raises ConversationNotFound."""
    conversation = message_table().conversation(group_uuid)
    if conversation is None or user_uuid not in conversation.member_uuids:
        raise ConversationNotFound
    return conversation.member_uuids


def mark_read(*, user_uuid: UUID, group_uuid: UUID, created_at: str) -> Entry:
    """Note that the person has read up to this message, which must exist; only forwards (2 calls). Returns their entry.

    Raises ConversationNotFound, MessageNotFound; ValueError when created_at is none.
    """
    parse_created_at(created_at)
    table = message_table()
    message = table.message(group_uuid, created_at)
    if message is None:
        raise MessageNotFound
    entry = table.mark_read(user_uuid, message)
    if entry is None:
        raise ConversationNotFound
    return entry


def sendable(text: str) -> str:
    """The text as it is stored. Raises MessageRejected when it cannot be."""
    text = normalise_text(text)
    if code := problem_with(text):
        raise MessageRejected(code)
    return text


def _append(
    conversation: Conversation | None, *, user_uuid: UUID, text: str, message_uuid: UUID, after: str, now: datetime
) -> Delivery:
    """Store the message unless it is stored; each failed condition gives the conversation to decide on anew."""
    table = message_table()
    for attempt in range(SEND_ATTEMPTS):
        if conversation is None or user_uuid not in conversation.member_uuids:
            raise ConversationNotFound
        if stored := _stored_before(table, conversation, user_uuid, message_uuid, after):
            # What was edited or deleted since has lost the text it was sent with: the uuid alone says that it came.
            if stored.message != text and not (stored.edited_at or stored.deleted_at):
                raise MessageUuidReused
            newest = stored.seq == conversation.seq
            return Delivery(stored, conversation.member_uuids, conversation.version, newest, repeated=True)
        if conversation.is_closed_to(user_uuid):
            raise Blocked
        # Each attempt is a moment later: should a message stand at this very moment already, it is not written over.
        moment = now + timedelta(microseconds=attempt)
        message = next_message(
            conversation=conversation, user_uuid=user_uuid, text=text, message_uuid=message_uuid, now=moment
        )
        after_it = conversation_after(conversation, message)
        try:
            table.append(conversation, message, after_it)
        except ConversationMoved as moved:
            conversation = moved.now
        else:
            return Delivery(message, conversation.member_uuids, after_it.version)
    raise Unavailable


def _stored_before(
    table: MessageTable, conversation: Conversation, user_uuid: UUID, message_uuid: UUID, after: str
) -> Message | None:
    """The member's own message later than `after` with this uuid: the one that is being sent again, if it is.

    The conversation remembers the member's last sends; only when those do not reach back to `after` is it queried.
    """
    newest = [send for send in conversation.sent_by(user_uuid).newest if send.sk > after]
    for send in newest:
        if send.message_uuid == message_uuid:
            return table.message(conversation.group_uuid, send.sk)
    if len(newest) < SENDS_KEPT:
        return None
    sends = table.sends_after(conversation.group_uuid, user_uuid, after)
    return next((message for message in sends if message.message_uuid == message_uuid), None)


def _as_member(table: MessageTable, group_uuid: UUID, user_uuid: UUID) -> tuple[Conversation, Entry]:
    conversation, entry = table.conversation_and_entry(group_uuid, user_uuid)
    if conversation is None or user_uuid not in conversation.member_uuids:
        raise ConversationNotFound
    return conversation, entry or entry_from_conversation(conversation, user_uuid)


def inbox_cursor(entry: Entry) -> str:
    """Where the page after this entry begins."""
    return f"{entry.last_message_at}_{entry.group_uuid}"


def _parse_cursor(cursor: str) -> tuple[str, UUID]:
    last_message_at, _, group_uuid = cursor.partition("_")
    parse_created_at(last_message_at)
    return last_message_at, UUID(group_uuid)
