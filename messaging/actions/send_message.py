"""Send a message into a conversation, once, or start a conversation with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from cruddur.text import TextTooLong, normalise_text
from messaging.domain.entities import SENDS_KEPT, Conversation, Message, pair_group_uuid
from messaging.domain.text import MESSAGE_MAX_CHARS, problem_with
from messaging.domain.timestamps import parse_created_at
from messaging.domain.transitions import (
    conversation_after,
    conversation_from_first,
    entry_from_conversation,
    first_message,
    next_message,
)
from messaging.dynamodb.connection import message_table
from messaging.dynamodb.table import ConversationMoved, MessageTable, optimistically
from messaging.queries.conversations import ConversationNotFound, visible_to

from . import send_queue

STEP_ASIDE = 0.010
"""Back-off step in seconds (see `optimistically`).

`send_queue` keeps the senders of a process apart: those who meet here are as many as the processes.
"""


class MessageRejected(Exception):
    """The text cannot be sent. `code` is `message_blank` or `message_exceed_max_chars`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class MessageUuidReused(Exception):
    """This message_uuid was already sent with another text: the form needs a new one."""


class Blocked(Exception):
    """Nothing can be written into the conversation: a member blocks it, or nobody is left who could answer."""


class AwaitingAnswer(Exception):
    """The recipient has not accepted the first message yet; a second one is rejected until then."""


class Opening(Enum):
    """What becomes of a first message."""

    FREE = "free"
    """It is in the other's inbox."""
    REQUEST = "request"
    """The message becomes a request; a second one is rejected until the recipient accepts."""
    CLOSED = "closed"
    """There is none: the other wants none from people they do not know."""


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
    blocked: bool = False
    """Whether a member blocks the conversation: then nobody but the writer is told."""
    accepted: bool = False
    """Whether the writer has accepted the conversation with it."""

    @property
    def audience(self) -> frozenset[UUID]:
        """Return the members whose open pages get the message."""
        return frozenset((self.message.user_uuid,)) if self.blocked else self.member_uuids


def sendable(text: str) -> str:
    """The text as it is stored. Raises MessageRejected when it cannot be."""
    try:
        text = normalise_text(text, at_most=MESSAGE_MAX_CHARS)
    except TextTooLong:
        raise MessageRejected("message_exceed_max_chars") from None
    if code := problem_with(text):
        raise MessageRejected(code)
    return text


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


def append(
    conversation: Conversation | None,
    *,
    user_uuid: UUID,
    text: str,
    message_uuid: UUID,
    after: str,
    now: datetime,
    begins: bool = False,
    awaiting: UUID | None = None,
) -> Delivery:
    """Store the message once; after a failed condition, decide again on the current conversation.

    A conversation without messages takes one only with `begins`; `awaiting` is the member who then has to accept it.
    Raises ConversationNotFound, MessageUuidReused, AwaitingAnswer, Blocked, Unavailable.
    """
    table = message_table()

    def write(conversation: Conversation | None, attempt: int) -> Delivery:
        if conversation is None or user_uuid not in conversation.member_uuids or not (conversation.begun or begins):
            raise ConversationNotFound
        if stored := _stored_before(table, conversation, user_uuid, message_uuid, after):
            # What was edited or deleted since has lost the text it was sent with: the uuid alone says that it came.
            if stored.message != text and not (stored.edited_at or stored.deleted_at):
                raise MessageUuidReused
            return Delivery(
                stored,
                conversation.member_uuids,
                conversation.version,
                stored.seq == conversation.seq,
                repeated=True,
                blocked=conversation.blocked,
            )
        # Before the block: who waits does not learn of one.
        if conversation.awaiting not in (None, user_uuid):
            raise AwaitingAnswer
        if conversation.is_closed_to(user_uuid):
            raise Blocked
        # Each attempt is a moment later: should a message stand at this very moment already, it is not written over.
        moment = now + timedelta(microseconds=attempt)
        message = next_message(
            conversation=conversation, user_uuid=user_uuid, text=text, message_uuid=message_uuid, now=moment
        )
        after_it = conversation_after(conversation, message)
        if not conversation.begun:
            after_it = replace(after_it, awaiting=awaiting)
        table.append(conversation, message, after_it)
        accepted = conversation.awaiting == user_uuid
        return Delivery(message, conversation.member_uuids, after_it.version, accepted=accepted)

    return optimistically(write, conversation, read_again=lambda moved: moved.now, back_off=STEP_ASIDE)


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
