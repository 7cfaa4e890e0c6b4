"""What has happened in a conversation since a page last looked, so that it becomes what a fresh load would show.

Keyword-only and with the exceptions of `conversations`, as all of the domain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from messaging.domain.entities import Conversation, Entry, Message
from messaging.domain.timestamps import parse_created_at
from messaging.domain.transitions import entry_from_conversation
from messaging.dynamodb.connection import message_table
from messaging.dynamodb.table import MessageTable

from .conversations import ConversationPage, visible_to

NEW_AT_ONCE = 100
WINDOW_AT_MOST = 200
END = "9"
"""Sorts after every created_at."""


@dataclass(frozen=True, slots=True)
class Since:
    """What a page lacks: messages to be added, or a window in place of its own."""

    conversation: Conversation
    entry: Entry
    """The member's own."""
    messages: Sequence[Message]
    """Those after the newest one the page knows, oldest first, at most `NEW_AT_ONCE`; none beside a window."""
    window: ConversationPage | None
    """In place of the page's own, where more than new messages changed."""
    seen_seq: int
    """How far others have read: the number of the last message that one of them has; 0 while they do not tell."""

    @property
    def more(self) -> bool:
        """Whether there are more new messages than these."""
        return bool(self.messages) and self.messages[-1].seq < self.conversation.seq

    @property
    def version(self) -> int:
        """The version a page has once it has added these; below the conversation's as long as there are more."""
        left = self.conversation.seq - self.messages[-1].seq if self.messages else 0
        return self.conversation.version - left

    @property
    def newest(self) -> str:
        """The newest created_at a page knows once it has added these."""
        return self.messages[-1].created_at if self.messages else self.conversation.last_sk


def since(*, user_uuid: UUID, group_uuid: UUID, after: str, version: int, first: str, last: str = "") -> Since:
    """What a page lacks that knows the conversation at `version`, its newest message at `after` ("" for none).

    `first` is created_at of the oldest message it shows, and `last` of the newest where it does not show the end. 2
    calls where nothing changed, else 3 or 4. Raises ConversationNotFound; InvalidCreatedAt.
    """
    for created_at in filter(None, (after, first, last)):
        parse_created_at(created_at)
    table = message_table()
    found, entry = table.conversation_and_entry(group_uuid, user_uuid)
    conversation = visible_to(found, user_uuid)
    entry = entry or entry_from_conversation(conversation, user_uuid)
    messages: list[Message] = []
    window: ConversationPage | None = None
    if conversation.version != version:
        messages = _upto(conversation, table.messages_after(group_uuid, after, limit=NEW_AT_ONCE))
        sent = conversation.seq - messages[0].seq + 1 if messages else 0
        if conversation.version - version != sent:
            window = ConversationPage(conversation, entry, _window(table, conversation, first, last))
            messages = []
    return Since(conversation, entry, messages, window, _seen_seq(table, conversation, user_uuid))


def _window(table: MessageTable, conversation: Conversation, first: str, last: str) -> list[Message]:
    """The messages from `first` to `last`, or to the end; the newest ones where those would be too many."""
    group_uuid = conversation.group_uuid
    if first:
        found = table.messages_between(group_uuid, first, last or END, limit=WINDOW_AT_MOST + 1)
        if len(found) <= WINDOW_AT_MOST:
            return _upto(conversation, found)
    return _upto(conversation, table.messages_before(group_uuid, None, limit=WINDOW_AT_MOST))


def _upto(conversation: Conversation, messages: list[Message]) -> list[Message]:
    """Without those that came after the conversation was read, for its version does not count them."""
    return [message for message in messages if message.seq <= conversation.seq]


def _seen_seq(table: MessageTable, conversation: Conversation, user_uuid: UUID) -> int:
    """What is read is noted, and what someone has written they have seen. 1 call.

    Nobody tells while a member blocks, nor who has not accepted yet.
    """
    if conversation.blocked or conversation.awaiting:
        return 0
    others = conversation.member_uuids - {user_uuid}
    entries = table.entries(conversation.group_uuid, others)
    return max((entry.read_seq for entry in entries), default=0)
