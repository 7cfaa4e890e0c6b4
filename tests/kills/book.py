"""Record what the table must hold from the acknowledged writes, and compare the table with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from messaging.domain.entities import SENDS_KEPT, Conversation, Entry, Message, Send, pair_group_uuid
from messaging.dynamodb.codec import conversation_from, entry_from, message_from
from messaging.dynamodb.keys import CONVERSATION_SK, user_pk
from messaging.dynamodb.table import MessageTable


@dataclass(slots=True)
class Line:
    """A message as its writer was answered."""

    by: UUID
    message_uuid: UUID
    text: str
    edited: bool = False
    deleted: bool = False

    def is_kept_as(self, message: Message) -> bool:
        return (
            (message.user_uuid, message.message_uuid) == (self.by, self.message_uuid)
            and message.message == ("" if self.deleted else self.text)
            and bool(message.deleted_at) == self.deleted
            and bool(message.edited_at) == (self.edited and not self.deleted)
        )


@dataclass(slots=True)
class Chapter:
    """A conversation."""

    members: frozenset[UUID]
    lines: list[Line] = field(default_factory=list)
    """In order."""
    changes: int = 0
    """Sends, edits and deletions: each is stored once, however often it was asked for."""
    read: dict[UUID, int] = field(default_factory=dict)
    """The number of the newest message that a member said to have read."""

    def unread(self, member: UUID) -> int:
        """Count others' messages after the last one that the member read or wrote."""
        last = max((seq for seq, line in enumerate(self.lines, 1) if line.by == member), default=0)
        last = max(last, self.read.get(member, 0))
        return sum(line.by != member for line in self.lines[last:])


@dataclass(slots=True)
class Book:
    """All conversations."""

    chapters: dict[UUID, Chapter] = field(default_factory=dict)

    def between(self, one: UUID, other: UUID) -> Chapter:
        return self.chapters.setdefault(pair_group_uuid(one, other), Chapter(frozenset((one, other))))

    def sent(self, one: UUID, other: UUID, message_uuid: UUID, text: str) -> int:
        """Record that this message of `one` was acknowledged; return its number, as nobody else writes meanwhile."""
        chapter = self.between(one, other)
        chapter.lines.append(Line(one, message_uuid, text))
        chapter.changes += 1
        return len(chapter.lines)


@dataclass(slots=True)
class Contents:
    """The contents of a table."""

    conversations: dict[UUID, Conversation] = field(default_factory=dict)
    messages: dict[UUID, list[Message]] = field(default_factory=dict)
    """In order, by group."""
    entries: dict[tuple[UUID, UUID], Entry] = field(default_factory=dict)
    """By member and group."""


def items(table: MessageTable) -> list[dict[str, Any]]:
    """Return all items in the order of their keys."""
    pages = table.client.get_paginator("scan").paginate(TableName=table.name, ConsistentRead=True)
    found: list[Any] = [item for page in pages for item in page["Items"]]
    return sorted(found, key=lambda item: (item["pk"]["S"], item["sk"]["S"]))


def contents(table: MessageTable) -> Contents:
    """Return what the table holds now."""
    found = Contents()
    for item in items(table):
        if item["sk"]["S"] == CONVERSATION_SK:
            conversation = conversation_from(item)
            found.conversations[conversation.group_uuid] = conversation
        elif item["pk"]["S"].startswith("MSG#"):
            message = message_from(item)
            found.messages.setdefault(message.group_uuid, []).append(message)
        else:
            entry = entry_from(item)
            found.entries[entry.user_uuid, entry.group_uuid] = entry
    return found


def check_whole(found: Contents) -> None:
    """Check that each conversation has as many messages as it says: changes are atomic."""
    assert found.conversations.keys() == found.messages.keys()
    for group_uuid, conversation in found.conversations.items():
        assert [message.seq for message in found.messages[group_uuid]] == list(range(1, conversation.seq + 1))
        assert found.messages[group_uuid][-1].created_at == conversation.last_sk
        assert found.messages[group_uuid][-1].message == conversation.message


def check_conversations(book: Book, found: Contents) -> None:
    """Check that every acknowledged message is stored once, whole, in order and numbered without a gap."""
    assert found.conversations.keys() == found.messages.keys() == book.chapters.keys()
    for group_uuid, chapter in book.chapters.items():
        messages = found.messages[group_uuid]
        assert [message.seq for message in messages] == list(range(1, len(chapter.lines) + 1))
        for line, message in zip(chapter.lines, messages, strict=True):
            assert line.is_kept_as(message), (line, message)
        conversation, newest = found.conversations[group_uuid], messages[-1]
        assert conversation.member_uuids == chapter.members
        assert (conversation.seq, conversation.version) == (len(messages), chapter.changes)
        assert conversation.last_sk == newest.created_at
        assert conversation.message == newest.message
        assert conversation.last_user_uuid == newest.user_uuid
        for member in chapter.members:
            mine = [message for message in messages if message.user_uuid == member]
            sent = conversation.sent_by(member)
            assert sent.seq == (mine[-1].seq if mine else 0)
            assert sent.newest == tuple(
                Send(each.message_uuid, each.created_at) for each in reversed(mine[-SENDS_KEPT:])
            )


def check_entries(book: Book, found: Contents) -> None:
    """Check that every entry matches its conversation and counts unread messages exactly."""
    members = {(member, group) for group, chapter in book.chapters.items() for member in chapter.members}
    assert found.entries.keys() == members
    for (member, group_uuid), entry in found.entries.items():
        conversation, chapter = found.conversations[group_uuid], book.chapters[group_uuid]
        read = chapter.read.get(member, 0)
        assert entry == Entry(
            user_uuid=member,
            group_uuid=group_uuid,
            member_uuids=conversation.member_uuids,
            last_message_at=conversation.last_sk,
            message=conversation.message,
            last_user_uuid=conversation.last_user_uuid,
            last_seq=conversation.seq,
            sent_seq=conversation.sent_by(member).seq,
            version=conversation.version,
            inbox=user_pk(member),
            read_seq=read,
            read_sk=found.messages[group_uuid][read - 1].created_at if read else "",
        )
        assert entry.unread == chapter.unread(member)


def is_projected(found: Contents) -> bool:
    """Return whether all entries have taken the newest version of their conversation."""
    return all(
        (entry := found.entries.get((member, conversation.group_uuid))) and entry.version == conversation.version
        for conversation in found.conversations.values()
        for member in conversation.member_uuids
    )
