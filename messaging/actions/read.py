"""Note how far a person has read a conversation."""

from __future__ import annotations

from uuid import UUID

from messaging.domain.entities import Entry
from messaging.domain.timestamps import parse_created_at
from messaging.domain.transitions import entry_from_conversation
from messaging.dynamodb.connection import message_table
from messaging.dynamodb.malformed import MalformedItem, report
from messaging.queries.conversations import ConversationNotFound, MessageNotFound, as_member


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
