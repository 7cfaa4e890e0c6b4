"""Editing and deleting one's own messages: neither changes the order of anything, nor makes anything new.

Keyword-only and with the exceptions of `conversations`, as all of the domain.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from messaging.domain.transitions import deleted, edited
from messaging.dynamodb.client import Unavailable
from messaging.dynamodb.connection import message_table
from messaging.dynamodb.items import Conversation, Message, parse_created_at
from messaging.dynamodb.table import ConversationMoved
from messaging.queries.conversations import Blocked, ConversationNotFound, Delivery, MessageNotFound, sendable

from . import send_queue

EDIT_TIME = timedelta(minutes=15)
ATTEMPTS = 20
"""Each failed one means that the conversation or the message was changed in between."""

Amend = Callable[[Conversation, Message], Message]
"""Gives the message as it is to be, or as it is when there is nothing to do."""


class NotTheWriter(Exception):
    """Somebody else wrote this message."""


class TooLateToEdit(Exception):
    """The message is older than `EDIT_TIME`."""


class MessageIsDeleted(Exception):
    """A tombstone cannot be edited."""


def edit(
    *,
    user_uuid: UUID,
    group_uuid: UUID,
    created_at: str,
    text: str,
    now: datetime,
    on_turn: Callable[[], None] = lambda: None,
) -> Delivery:
    """Give one's own message another text, up to 15 minutes after it was sent (2 calls, 4 WCU below 1 KB).

    The same text changes nothing, so repeating is safe. `on_turn` is as in `conversations.send`. Raises
    ConversationNotFound, MessageNotFound, NotTheWriter, TooLateToEdit, MessageIsDeleted, MessageRejected, Blocked, what
    `on_turn` and `send_queue.turn` raise; InvalidCreatedAt.
    """
    text = sendable(text)

    def amend(conversation: Conversation, message: Message) -> Message:
        if message.deleted_at:
            raise MessageIsDeleted
        if message.message == text:
            return message
        if not may_be_edited(message, now=now):
            raise TooLateToEdit
        if conversation.is_closed_to(user_uuid):
            raise Blocked
        return edited(message, text=text, now=now)

    def read() -> tuple[Conversation, Message]:
        return _own(user_uuid, group_uuid, created_at)

    found = read()
    with send_queue.turn(group_uuid=group_uuid, user_uuid=user_uuid):
        on_turn()
        return _amend(found, read, amend)


def delete(*, user_uuid: UUID, group_uuid: UUID, created_at: str, now: datetime) -> Delivery:
    """Leave a tombstone of one's own message, whenever it was sent (2 calls, 4 WCU below 1 KB).

    A deleted one stays as it is, so repeating is safe. Raises ConversationNotFound, MessageNotFound, NotTheWriter, what
    `send_queue.turn` raises; InvalidCreatedAt.
    """

    def read() -> tuple[Conversation, Message]:
        return _own(user_uuid, group_uuid, created_at)

    found = read()
    with send_queue.turn(group_uuid=group_uuid, user_uuid=user_uuid):
        return _amend(found, read, _tombstone(now))


def delete_for_moderation(*, group_uuid: UUID, created_at: str, now: datetime) -> Delivery:
    """Leave a tombstone of a message, whoever wrote it, as its writer could; who may is the caller's to know.

    The same two calls, with the same conditions: the message is its writer's and not deleted, and nothing came between.
    It does not queue: the audit log has its line already, so the request must not be handled twice.
    Raises ConversationNotFound, MessageNotFound; InvalidCreatedAt.
    """

    def read() -> tuple[Conversation, Message]:
        return _anybodys(group_uuid, created_at)

    return _amend(read(), read, _tombstone(now))


def may_be_edited(message: Message, *, now: datetime) -> bool:
    """Whether its writer may still change its text."""
    return not message.deleted_at and now - message.created <= EDIT_TIME


def own_message(*, user_uuid: UUID, group_uuid: UUID, created_at: str) -> Message:
    """The person's own message, to show it before it is changed (1 call).

    Raises ConversationNotFound, MessageNotFound, NotTheWriter; InvalidCreatedAt.
    """
    return _own(user_uuid, group_uuid, created_at)[1]


def _tombstone(now: datetime) -> Amend:
    def amend(_conversation: Conversation, message: Message) -> Message:
        return message if message.deleted_at else deleted(message, now=now)

    return amend


def _amend(
    found: tuple[Conversation, Message], read: Callable[[], tuple[Conversation, Message]], amend: Amend
) -> Delivery:
    """Write what `amend` makes of the message that was `found`; of what `read` returns when that has changed."""
    for attempt in range(ATTEMPTS):
        conversation, message = read() if attempt else found
        wanted = amend(conversation, message)
        newest = message.seq == conversation.seq
        if wanted == message:
            return Delivery(
                message,
                conversation.member_uuids,
                conversation.version,
                newest,
                repeated=True,
                blocked=conversation.blocked,
            )
        try:
            message_table().amend(conversation, wanted)
        except ConversationMoved:
            continue
        version = conversation.version + 1
        return Delivery(wanted, conversation.member_uuids, version, newest, blocked=conversation.blocked)
    raise Unavailable


def _own(user_uuid: UUID, group_uuid: UUID, created_at: str) -> tuple[Conversation, Message]:
    conversation, message = _read(group_uuid, created_at)
    if conversation is None or user_uuid not in conversation.member_uuids:
        raise ConversationNotFound
    if message is None:
        raise MessageNotFound
    if message.user_uuid != user_uuid:
        raise NotTheWriter
    return conversation, message


def _anybodys(group_uuid: UUID, created_at: str) -> tuple[Conversation, Message]:
    conversation, message = _read(group_uuid, created_at)
    if conversation is None:
        raise ConversationNotFound
    if message is None:
        raise MessageNotFound
    return conversation, message


def _read(group_uuid: UUID, created_at: str) -> tuple[Conversation | None, Message | None]:
    parse_created_at(created_at)
    return message_table().conversation_and_message(group_uuid, created_at)
