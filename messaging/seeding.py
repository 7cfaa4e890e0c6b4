"""The conversations of the seed, written as the model demands, relative to now."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from cruddur.text import normalise_text

from .bulk import delete_messages, put_messages
from .dynamodb import ConversationMoved, MessageTable
from .items import Message, format_created_at, pair_group_uuid
from .sequence import conversation_from_messages, entry_from_conversation

CONVERSATIONS = Path(__file__).parent / "seed" / "conversations.json"


@dataclass(frozen=True, slots=True)
class SeedConversation:
    """A conversation of the seed before it has people and times."""

    between: tuple[str, str]
    """Handles."""
    ends_minutes_ago: float
    unread: Mapping[str, int]
    """By handle: how many of the last messages that member has not read."""
    messages: Sequence[tuple[str, float, str]]
    """Handle of the sender, minutes since the message before, text."""


def seed_conversations() -> list[SeedConversation]:
    """The conversations of `seed/conversations.json`."""
    return [
        SeedConversation(
            (each["between"][0], each["between"][1]),
            each["ends_minutes_ago"],
            each.get("unread", {}),
            [(handle, gap, text) for handle, gap, text in each["messages"]],
        )
        for each in json.loads(CONVERSATIONS.read_text(encoding="utf-8"))
    ]


def seed(
    table: MessageTable, conversations: Sequence[SeedConversation], *, people: Mapping[str, UUID], now: datetime
) -> Iterator[tuple[SeedConversation, bool]]:
    """Write each conversation that is not there; yields it and whether it was written.

    `people` are uuids by handle; raises KeyError for a handle it lacks. Safe to repeat, also after being killed:
    the conversation's own item and its entries come last and together, and leftovers without them are removed first.
    """
    for each in conversations:
        group_uuid = pair_group_uuid(*(people[handle] for handle in each.between))
        if table.conversation(group_uuid) is not None:
            yield each, False
            continue
        delete_messages(table, group_uuid)
        yield each, _write(table, each, group_uuid, people, now)


def _write(
    table: MessageTable, each: SeedConversation, group_uuid: UUID, people: Mapping[str, UUID], now: datetime
) -> bool:
    messages = _messages(each, group_uuid, people, now)
    members = frozenset(people[handle] for handle in each.between)
    conversation = conversation_from_messages(messages, member_uuids=members)
    entries: list[Any] = []
    for handle in each.between:
        last_read = messages[-1 - each.unread.get(handle, 0)] if len(messages) > each.unread.get(handle, 0) else None
        entry = entry_from_conversation(conversation, people[handle])
        entries.append(replace(entry, read_seq=last_read.seq, read_sk=last_read.created_at) if last_read else entry)
    put_messages(table, messages)
    try:
        table.create(conversation, None, entries)
    except ConversationMoved:
        return False
    return True


def _messages(each: SeedConversation, group_uuid: UUID, people: Mapping[str, UUID], now: datetime) -> list[Message]:
    end = now - timedelta(minutes=each.ends_minutes_ago)
    moment = end - timedelta(minutes=sum(gap for _, gap, _ in each.messages[1:]))
    messages: list[Message] = []
    for seq, (handle, gap, text) in enumerate(each.messages, start=1):
        if seq > 1:
            # Two messages never share a moment: a gap of 0 is one microsecond.
            moment += max(timedelta(minutes=gap), timedelta(microseconds=1))
        message_uuid = uuid5(group_uuid, f"seed {seq}")
        created_at = format_created_at(moment)
        messages.append(Message(group_uuid, created_at, seq, normalise_text(text), message_uuid, people[handle]))
    return messages
