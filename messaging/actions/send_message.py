"""How a message gets into a conversation, once: what `send` and `start` have in common, and what stands in the way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from cruddur.text import TextTooLong, normalise_text
from messaging.domain.entities import SENDS_KEPT, Conversation, Message
from messaging.domain.text import MESSAGE_MAX_CHARS, problem_with
from messaging.domain.transitions import conversation_after, next_message
from messaging.dynamodb.connection import message_table
from messaging.dynamodb.table import MessageTable, optimistically

STEP_ASIDE = 0.010
"""Back-off step in seconds (see `optimistically`).

`send_queue` keeps the senders of a process apart: those who meet here are as many as the processes.
"""


class ConversationNotFound(Exception):
    """There is no such conversation, or the person is not a member of it."""


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
    """The other has not accepted the first message yet: until then there is no second one."""


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
        """Whom it is told while they look."""
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
    """Store the message unless it is stored; each failed condition gives the conversation to decide on anew.

    Into a conversation without messages only if it `begins` one; `awaiting` then is who has to accept it.
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
