"""The snapshot of a conversation that a report stores: the message and a few before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from messaging.domain.entities import Message
from messaging.domain.timestamps import created_at_after
from messaging.dynamodb.connection import message_table
from messaging.queries.conversations import ConversationNotFound, MessageNotFound

BEFORE = 5
"""How many messages before the reported one are stored."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The messages, oldest first, as a member could read them."""

    messages: Sequence[Message]
    reported_uuid: UUID
    """The sender of the message; for a conversation the other member."""

    @property
    def newest(self) -> Message:
        return self.messages[-1]

    def facts(self) -> list[dict[str, Any]]:
        """Return the snapshot as a report stores it."""
        return [
            {
                "seq": message.seq,
                "created_at": message.created_at,
                "user_uuid": str(message.user_uuid),
                "message": message.message,
                "edited_at": message.edited_at,
                "deleted_at": message.deleted_at,
            }
            for message in self.messages
        ]


def take(*, user_uuid: UUID, group_uuid: UUID, created_at: str = "") -> Snapshot:
    """Return another member's message and up to five before it; without `created_at` the newest of the conversation.

    2 calls, strongly consistent. Raise ConversationNotFound for outsiders; MessageNotFound for one's own message, for a
    tombstone, and in a conversation without messages; InvalidCreatedAt.
    """
    after_it = created_at_after(created_at) if created_at else None
    table = message_table()
    conversation = table.conversation(group_uuid)
    if conversation is None or user_uuid not in conversation.member_uuids:
        raise ConversationNotFound
    messages = table.messages_before(group_uuid, after_it, limit=BEFORE + 1)
    if not messages:
        raise MessageNotFound
    if not created_at:
        return Snapshot(messages, _other(messages, conversation.member_uuids, user_uuid))
    message = messages[-1]
    if message.created_at != created_at or message.deleted_at or message.user_uuid == user_uuid:
        raise MessageNotFound
    return Snapshot(messages, message.user_uuid)


def _other(messages: Sequence[Message], member_uuids: frozenset[UUID], user_uuid: UUID) -> UUID:
    """Return the other member who wrote last, or any other member if none wrote."""
    writers = [message.user_uuid for message in messages if message.user_uuid != user_uuid]
    return writers[-1] if writers else min(member_uuids - {user_uuid})
