"""Publish events after the write they describe. An unavailable bus never fails a write."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from functools import partial
from uuid import UUID

from django.db import transaction

from cruddur.observability import metrics
from messaging.actions.send_message import Delivery
from messaging.domain.entities import Conversation
from users.models import User

from .bus import BusUnavailable, bus
from .events import (
    ConversationChanged,
    EntryChanged,
    Event,
    MessageEdited,
    MessageSent,
    Read,
    Sender,
    SessionEnded,
    Typing,
    UserSignedOut,
    fingerprint,
    payloads,
)

logger = logging.getLogger(__name__)


def message_sent(delivery: Delivery, *, author: User) -> None:
    """Publish a sent message.

    A repeated send is published as EntryChanged, because pages may have the message already.
    """
    if delivery.repeated:
        _publish(EntryChanged(delivery.audience, delivery.message.group_uuid, delivery.version))
    else:
        metrics.record(metrics.MESSAGES_SENT)
        _publish(MessageSent(delivery.audience, delivery.version, delivery.message, _author(author)))
    if delivery.accepted:
        conversation_changed(group_uuid=delivery.message.group_uuid, member_uuids=delivery.member_uuids)


def message_edited(delivery: Delivery, *, author: User) -> None:
    """Publish an edited or deleted message."""
    if delivery.repeated:
        _publish(EntryChanged(delivery.audience, delivery.message.group_uuid, delivery.version))
        return
    _publish(
        MessageEdited(delivery.audience, delivery.version, delivery.message, _author(author), newest=delivery.is_newest)
    )


def conversations_changed(conversations: Iterable[Conversation]) -> None:
    """Publish that the entries of these conversations were updated, except while a member blocks the conversation."""
    _publish(
        *(EntryChanged(each.member_uuids, each.group_uuid, each.version) for each in conversations if not each.blocked)
    )


def conversation_changed(*, group_uuid: UUID, member_uuids: Iterable[UUID], read_seq: int | None = None) -> None:
    """Publish that a conversation changed for these members: accepted, blocked, muted, archived, marked unread.

    Leave members out of `member_uuids` who must not learn of it.
    """
    _publish(ConversationChanged(frozenset(member_uuids), group_uuid, read_seq))


def message_removed(delivery: Delivery) -> None:
    """Publish that somebody other than the sender deleted a message. The sender may be gone, so pages fetch it."""
    _publish(EntryChanged(delivery.member_uuids, delivery.message.group_uuid, delivery.version))


def read(*, group_uuid: UUID, user_uuid: UUID, seq: int, member_uuids: Iterable[UUID]) -> None:
    """Publish that a member has read up to the message with this number."""
    _publish(Read(frozenset(member_uuids), group_uuid, user_uuid, seq))


def typing(*, group_uuid: UUID, user_uuid: UUID, member_uuids: Iterable[UUID]) -> None:
    """Publish that a member is typing."""
    _publish(Typing(frozenset(member_uuids), group_uuid, user_uuid))


def session_ended(session_key: str) -> None:
    """Publish that a session ended: its streams close."""
    _publish(SessionEnded(fingerprint(session_key)))


def user_signed_out(user_uuid: UUID) -> None:
    """Publish that a user was signed out everywhere: all their streams close."""
    _publish(UserSignedOut(user_uuid))


def _author(person: User) -> Sender:
    return Sender(person.uuid, person.display_name, person.handle)


def _publish(*events: Event) -> None:
    """Publish at once, or after the surrounding transaction commits."""
    if events:
        transaction.on_commit(partial(_send, events))


def _send(events: Sequence[Event]) -> None:
    try:
        bus().publish([payload for event in events for payload in payloads(event)])
    except BusUnavailable as error:
        # Pages resync later. Do not log the payload: it may contain a message.
        logger.warning("%s was not published: %s", type(events[0]).__name__, error)
