"""What a person does with a conversation for themselves alone: mute, archive, mark unread.

Each writes an attribute of the person's own entry that nothing else writes: the projection does not, others do not see
it. An archived conversation stays archived, whatever comes, until its member takes it back; a muted one stays in its
place and is not counted.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from messaging.domain.entities import FOR_GOOD, Conversation, Entry
from messaging.domain.folders import ARCHIVED, INBOX
from messaging.domain.transitions import entry_from_conversation
from messaging.dynamodb.connection import message_table
from messaging.dynamodb.malformed import MalformedItem, report
from messaging.dynamodb.table import MessageTable
from messaging.queries.conversations import as_member, visible_to


def mute(*, user_uuid: UUID, group_uuid: UUID, until: datetime | None) -> Entry:
    """No notification and no count until then, None for good (1 call). Raises ConversationNotFound."""
    seconds = FOR_GOOD if until is None else int(until.timestamp())
    return change_own_entry(user_uuid, group_uuid, lambda table: table.mute(user_uuid, group_uuid, seconds))


def unmute(*, user_uuid: UUID, group_uuid: UUID) -> Entry:
    """Undo `mute` (1 call). Raises ConversationNotFound."""
    return change_own_entry(user_uuid, group_uuid, lambda table: table.unmute(user_uuid, group_uuid))


def archive(*, user_uuid: UUID, group_uuid: UUID) -> Entry:
    """From the inbox to the archive; what is in neither stays (1 call). Raises ConversationNotFound."""
    return change_own_entry(user_uuid, group_uuid, lambda table: table.move(user_uuid, group_uuid, INBOX, ARCHIVED))


def unarchive(*, user_uuid: UUID, group_uuid: UUID) -> Entry:
    """And back (1 call). Raises ConversationNotFound."""
    return change_own_entry(user_uuid, group_uuid, lambda table: table.move(user_uuid, group_uuid, ARCHIVED, INBOX))


def mark_unread(*, user_uuid: UUID, group_uuid: UUID) -> Entry:
    """Let the newest message count as unread, if it is another's (3 calls). Raises ConversationNotFound.

    What is read is set back to the message before it, on condition that it was read; only this goes backwards.
    """
    table = message_table()
    found, entry = table.conversation_and_entry(group_uuid, user_uuid)
    conversation = visible_to(found, user_uuid)
    if conversation.last_user_uuid == user_uuid:
        return entry or entry_from_conversation(conversation, user_uuid)
    before = table.messages_before(group_uuid, conversation.last_sk, limit=1)
    last_read = before[0] if before else None
    return change_own_entry(user_uuid, group_uuid, lambda table: table.mark_unread(conversation, user_uuid, last_read))


def change_own_entry(user_uuid: UUID, group_uuid: UUID, change: Callable[[MessageTable], Entry | None]) -> Entry:
    """Change the person's entry and return it as it is then (1 call, 3 more where it was lost).

    `change` returns None where there is no entry. Of a malformed entry the same attribute is changed; what is returned
    then follows from the conversation (1 call more). Raises ConversationNotFound.
    """
    table = message_table()
    conversation: Conversation | None = None
    for _ in range(2):
        try:
            entry = change(table)
        except MalformedItem as error:
            report(error)
            break
        if entry is not None:
            return entry
        if conversation is None:
            conversation = as_member(user_uuid=user_uuid, group_uuid=group_uuid)
            table.make_entry(entry_from_conversation(conversation, user_uuid))
    return entry_from_conversation(conversation or as_member(user_uuid=user_uuid, group_uuid=group_uuid), user_uuid)
