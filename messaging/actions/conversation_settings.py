"""What a person does with a conversation for themselves alone: mute, archive, mark unread.

Each writes an attribute of the person's own entry that nothing else writes: the projection does not, others do not see
it. An archived conversation stays archived, whatever comes, until its member takes it back; a muted one stays in its
place and is not counted.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from messaging.domain.entities import FOR_GOOD, Entry
from messaging.domain.folders import ARCHIVED, INBOX, list_key
from messaging.domain.transitions import entry_from_conversation
from messaging.dynamodb.codec import entry_from, number
from messaging.dynamodb.connection import message_table
from messaging.dynamodb.malformed import MalformedItem, report
from messaging.queries.conversations import as_member, visible_to


def mute(*, user_uuid: UUID, group_uuid: UUID, until: datetime | None) -> Entry:
    """No notification and no count until then, None for good (1 call). Raises ConversationNotFound."""
    seconds = FOR_GOOD if until is None else int(until.timestamp())
    return change_own_entry(user_uuid, group_uuid, "SET muted_until = :until", "", {":until": seconds})


def unmute(*, user_uuid: UUID, group_uuid: UUID) -> Entry:
    """Undo `mute` (1 call). Raises ConversationNotFound."""
    return change_own_entry(user_uuid, group_uuid, "REMOVE muted_until", "", {})


def archive(*, user_uuid: UUID, group_uuid: UUID) -> Entry:
    """From the inbox to the archive; what is in neither stays (1 call). Raises ConversationNotFound."""
    return _move(user_uuid, group_uuid, INBOX, ARCHIVED)


def unarchive(*, user_uuid: UUID, group_uuid: UUID) -> Entry:
    """And back (1 call). Raises ConversationNotFound."""
    return _move(user_uuid, group_uuid, ARCHIVED, INBOX)


def mark_unread(*, user_uuid: UUID, group_uuid: UUID) -> Entry:
    """Let the newest message count as unread, if it is another's (3 calls). Raises ConversationNotFound.

    Who has read is set back to the message before it, on condition that they had read it; only this goes backwards.
    """
    table = message_table()
    conversation, entry = table.conversation_and_entry(group_uuid, user_uuid)
    conversation = visible_to(conversation, user_uuid)
    if conversation.last_user_uuid == user_uuid:
        return entry or entry_from_conversation(conversation, user_uuid)
    before = table.messages_before(group_uuid, conversation.last_sk, limit=1)
    read = "read_seq >= :newest"
    if not before:
        return change_own_entry(user_uuid, group_uuid, "REMOVE read_seq, read_sk", read, {":newest": conversation.seq})
    return change_own_entry(
        user_uuid,
        group_uuid,
        "SET read_seq = :seq, read_sk = :sk",
        read,
        {":newest": conversation.seq, ":seq": before[0].seq, ":sk": before[0].created_at},
    )


def change_own_entry(
    user_uuid: UUID, group_uuid: UUID, update: str, condition: str, values: dict[str, int | str]
) -> Entry:
    """Change the person's entry, if the condition holds; as it is then (1 call, 3 more where it was lost).

    Of a malformed entry the same attribute is changed; what is returned then follows from the conversation (1 call
    more). Raises ConversationNotFound.
    """
    table = message_table()
    typed: dict[str, Any] = {
        name: number(value) if isinstance(value, int) else {"S": value} for name, value in values.items()
    }
    there = "attribute_exists(pk)" + (f" AND {condition}" if condition else "")
    written, found = table.update_entry(user_uuid, group_uuid, update, there, typed)
    if found == {}:
        conversation = as_member(user_uuid=user_uuid, group_uuid=group_uuid)
        table.make_entry(entry_from_conversation(conversation, user_uuid))
        written, found = table.update_entry(user_uuid, group_uuid, update, there, typed)
    item = written or found
    try:
        return entry_from(item) if item else entry_from_conversation(conversation, user_uuid)
    except MalformedItem as error:
        report(error)
        return entry_from_conversation(as_member(user_uuid=user_uuid, group_uuid=group_uuid), user_uuid)


def _move(user_uuid: UUID, group_uuid: UUID, from_list: str, to_list: str) -> Entry:
    values: dict[str, int | str] = {":from": list_key(user_uuid, from_list), ":to": list_key(user_uuid, to_list)}
    return change_own_entry(user_uuid, group_uuid, "SET inbox = :to", "inbox = :from", values)
