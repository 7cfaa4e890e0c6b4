"""Write the seed's conversations and any number of invented ones, valid for the model, with times relative to now."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from threading import Event, Lock
from typing import Any
from uuid import UUID, uuid5

from cruddur.text import normalise_long_text
from messaging.domain.entities import Message, pair_group_uuid
from messaging.domain.timestamps import format_created_at
from messaging.domain.transitions import conversation_from_messages, entry_from_conversation
from messaging.dynamodb.bulk import BulkWriter, delete_messages, in_threads, put_messages
from messaging.dynamodb.codec import Item, conversation_item, entry_item, key_of, message_item, number
from messaging.dynamodb.keys import conversation_key, entry_key
from messaging.dynamodb.retry import with_retries
from messaging.dynamodb.table import ConversationMoved, MessageTable

from .synthetic import MessageTexts, SyntheticConversation

CONVERSATIONS = Path(__file__).parent.parent / "seed" / "conversations.json"
SENTENCE_END = re.compile(r"(?<=[.!?؟।])\s+|(?<=[\u3002\uff01\uff1f])\s*|\n+")
SHORTEST_PHRASEBOOK = 9
"""Number of sentences."""
THREADS = 4
"""More threads are not faster with DynamoDB on the same machine."""
PARCEL = 500
"""Messages that a thread takes at a time, in whole conversations: enough to fill most batches."""


@dataclass(frozen=True, slots=True)
class SeedConversation:
    """A conversation of the seed before it has users and times."""

    between: tuple[str, str]
    """Handles."""
    ends_minutes_ago: float
    unread: Mapping[str, int]
    """By handle: how many of the last messages that member has not read."""
    messages: Sequence[tuple[str, float, str]]
    """Handle of the sender, minutes since the message before, text."""


def seed_conversations() -> list[SeedConversation]:
    """Return the conversations of `seed/conversations.json`."""
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
    """Write each conversation that does not exist; yield it and whether it was written.

    `people` maps handles to uuids; raises KeyError for a missing handle. Safe to repeat, also after being killed: the
    conversation's own item and its entries are written last and together, and incomplete leftovers are deleted first.
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
            # Messages never share a time: a gap of 0 becomes one microsecond.
            moment += max(timedelta(minutes=gap), timedelta(microseconds=1))
        message_uuid = uuid5(group_uuid, f"seed {seq}")
        created_at = format_created_at(moment)
        messages.append(Message(group_uuid, created_at, seq, normalise_long_text(text), message_uuid, people[handle]))
    return messages


@dataclass(slots=True)
class SyntheticSeeding:
    """Writes invented conversations, and counts the complete ones.

    The same conversations with the same `now` produce the same items, so another run with `completes` can finish one
    that stopped anywhere.
    """

    table: MessageTable
    now: datetime
    threads: int = THREADS
    completes: bool = False
    """Whether an earlier run may have written some of the conversations: complete ones are skipped."""
    found: int = 0
    """Conversations found complete."""
    taken: int = 0
    """Conversations started."""
    conversations: int = 0
    """Complete conversations."""
    messages: int = 0
    """Messages of the complete conversations."""
    _writer: BulkWriter = field(init=False)
    _taking: Lock = field(init=False, default_factory=Lock)

    def __post_init__(self) -> None:
        self._writer = BulkWriter(self.table, Event())

    @property
    def write_units(self) -> float:
        """Write units so far, as reported by DynamoDB; 0 where it reports none."""
        return self._writer.write_units

    def write(
        self, talks: Iterator[SyntheticConversation], written: Callable[[int], object] = lambda number: None
    ) -> None:
        """Write conversations; call `written` with each number of messages stored or found.

        Messages are written first, then the conversation, then its entries: visible conversations are always complete,
        and the projection adds missing entries. Memory does not grow with the number of messages.

        Raises Unavailable, and KeyboardInterrupt after Ctrl-C; conversations being written stay incomplete. With
        `completes`, 1 more call per 50 conversations, and 3 read units per conversation.
        """
        parcels = _parcels(talks)

        def work() -> None:
            while parcel := self._next(parcels):
                self._write_parcel(self._without_found(parcel, written), written)

        in_threads(self.threads, work, stop=self._writer.stop)

    def _next(self, parcels: Iterator[list[SyntheticConversation]]) -> list[SyntheticConversation]:
        with self._taking:
            parcel = next(parcels, [])
            self.taken += len(parcel)
            return parcel

    def _without_found(
        self, parcel: list[SyntheticConversation], written: Callable[[int], object]
    ) -> list[SyntheticConversation]:
        """Return the conversations of a parcel that an earlier run has not completed."""
        if not self.completes:
            return parcel
        keys = [key for talk in parcel for key in _keys_of(talk)]
        there = with_retries(lambda: self.table.items(keys))
        whole = [talk for talk in parcel if self._is_whole(talk, there)]
        length = sum(talk.length for talk in whole)
        with self._taking:
            self.found += len(whole)
            self.conversations += len(whole)
            self.messages += length
        written(length)
        return [talk for talk in parcel if talk not in whole]

    def _is_whole(self, talk: SyntheticConversation, there: Mapping[tuple[str, str], Item]) -> bool:
        """Return whether its item and its entries, which are written last, exist.

        The projection also creates entries once the conversation exists; those have no read position.
        """
        found = [there.get(key_of(key)) for key in _keys_of(talk)]
        if None in found:
            return False
        conversation, *entries = filter(None, found)
        if conversation.get("version") != number(talk.length) or all("read_seq" in entry for entry in entries):
            return True
        told = MessageTexts(talk, self.now, phrasebooks())
        deque(told.messages(), maxlen=0)
        return all(
            "read_seq" in stored or "read_seq" not in entry_item(entry)
            for stored, entry in zip(entries, told.entries(), strict=True)
        )

    def _write_parcel(self, parcel: list[SyntheticConversation], written: Callable[[int], object]) -> None:
        told = [MessageTexts(talk, self.now, phrasebooks()) for talk in parcel]
        self._writer.put((message_item(message) for each in told for message in each.messages()), written)
        self._writer.put(conversation_item(each.conversation) for each in told)
        self._writer.put(entry_item(entry) for each in told for entry in each.entries())
        with self._taking:
            self.conversations += len(parcel)
            self.messages += sum(talk.length for talk in parcel)


def _keys_of(talk: SyntheticConversation) -> list[dict[str, Any]]:
    """Return the keys of a conversation and of its members' entries."""
    group_uuid = pair_group_uuid(*talk.member_uuids)
    return [conversation_key(group_uuid), *(entry_key(member, group_uuid) for member in talk.member_uuids)]


def _parcels(talks: Iterator[SyntheticConversation]) -> Iterator[list[SyntheticConversation]]:
    parcel: list[SyntheticConversation] = []
    for talk in talks:
        parcel.append(talk)
        if sum(each.length for each in parcel) >= PARCEL:
            yield parcel
            parcel = []
    if parcel:
        yield parcel


@cache
def phrasebooks() -> list[list[str]]:
    """Return the sentences of each conversation of the seed except the shortest, as material for invented texts."""
    books = [
        [phrase for _, _, text in each.messages for phrase in SENTENCE_END.split(normalise_long_text(text)) if phrase]
        for each in seed_conversations()
    ]
    return [book for book in books if len(book) >= SHORTEST_PHRASEBOOK]
