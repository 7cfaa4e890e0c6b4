"""How a conversation follows from its messages: the next message, and what it makes of the conversation. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from .entities import SENDS_KEPT, Conversation, Entry, Message, Send, Sent
from .folders import home_of
from .text import preview
from .timestamps import format_created_at, parse_created_at


def first_message(*, group_uuid: UUID, user_uuid: UUID, text: str, message_uuid: UUID, now: datetime) -> Message:
    """The message that starts a conversation."""
    return Message(group_uuid, format_created_at(now), 1, text, message_uuid, user_uuid)


def next_message(
    *, conversation: Conversation, user_uuid: UUID, text: str, message_uuid: UUID, now: datetime
) -> Message:
    """The message after those `conversation` holds: the next number, and later even where the clock is behind."""
    earliest = parse_created_at(conversation.last_sk) + timedelta(microseconds=1)
    created_at = format_created_at(max(now, earliest))
    return Message(conversation.group_uuid, created_at, conversation.seq + 1, text, message_uuid, user_uuid)


def conversation_from_first(message: Message, *, member_uuids: frozenset[UUID]) -> Conversation:
    """The conversation that a first message makes."""
    return Conversation(
        group_uuid=message.group_uuid,
        member_uuids=member_uuids,
        seq=message.seq,
        version=1,
        last_sk=message.created_at,
        message=preview(message.message),
        last_user_uuid=message.user_uuid,
        sent={message.user_uuid: _sent_after(Sent(), message)},
    )


def conversation_after(conversation: Conversation, message: Message) -> Conversation:
    """The conversation once `message`, the next one, is stored; who was awaited to accept and writes has accepted."""
    sent = _sent_after(conversation.sent_by(message.user_uuid), message)
    return replace(
        conversation,
        seq=message.seq,
        version=conversation.version + 1,
        last_sk=message.created_at,
        message=preview(message.message),
        last_user_uuid=message.user_uuid,
        sent={**conversation.sent, message.user_uuid: sent},
        awaiting=None if conversation.awaiting == message.user_uuid else conversation.awaiting,
    )


def conversation_from_messages(messages: Iterable[Message], *, member_uuids: frozenset[UUID]) -> Conversation:
    """The conversation that these messages, in order, make; raises ValueError when there are none."""
    rest = iter(messages)
    try:
        conversation = conversation_from_first(next(rest), member_uuids=member_uuids)
    except StopIteration:
        msg = "a conversation begins with a message"
        raise ValueError(msg) from None
    for message in rest:
        conversation = conversation_after(conversation, message)
    return conversation


def edited(message: Message, *, text: str, now: datetime) -> Message:
    """The message with another text, marked as edited; its place and number stay."""
    return replace(message, message=text, edited_at=format_created_at(now))


def deleted(message: Message, *, now: datetime) -> Message:
    """The tombstone of a message: who wrote it and when, and nothing of what."""
    return replace(message, message="", edited_at="", deleted_at=format_created_at(now))


def entry_from_conversation(conversation: Conversation, user_uuid: UUID) -> Entry:
    """The entry of a member as the conversation gives it: in its list, nothing read."""
    return Entry(
        user_uuid=user_uuid,
        group_uuid=conversation.group_uuid,
        member_uuids=conversation.member_uuids,
        last_message_at=conversation.last_sk,
        message=conversation.message,
        last_user_uuid=conversation.last_user_uuid,
        last_seq=conversation.seq,
        sent_seq=conversation.sent_by(user_uuid).seq,
        version=conversation.version,
        inbox=home_of(conversation, user_uuid),
    )


def conversation_without_messages(
    group_uuid: UUID, *, member_uuids: frozenset[UUID], by: UUID, now: datetime
) -> Conversation:
    """What `by` makes who blocks somebody they never wrote to: no messages, and no member has an entry."""
    return Conversation(
        group_uuid=group_uuid,
        member_uuids=member_uuids,
        seq=0,
        version=0,
        last_sk=format_created_at(now),
        message="",
        last_user_uuid=by,
        blocked_by=frozenset((by,)),
    )


def _sent_after(sent: Sent, message: Message) -> Sent:
    newest = (Send(message.message_uuid, message.created_at), *sent.newest)
    return Sent(message.seq, newest[:SENDS_KEPT])
