"""Compares a conversation with its messages and its members' entries with it, and says what is wrong. Pure.

Nothing here trusts an item: what cannot be read is malformed. What is only copied or counted is compared as DynamoDB
holds it, so that damage of any kind is a difference that can be put right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any
from uuid import UUID

from messaging.items import (
    CONVERSATION_SK,
    Conversation,
    conversation_from,
    entry_item,
    group_pk,
    message_from,
    pair_group_uuid,
    parse_created_at,
    user_pk,
)
from messaging.sends import Sent
from messaging.sequence import conversation_after, conversation_from_first, entry_from_conversation
from messaging.values import Item

from .findings import Finding, Kind

UNREADABLE = (AttributeError, KeyError, TypeError, ValueError)
"""What the functions of `items` raise for an item that is not of the model."""
OWN = ("inbox", "read_seq", "read_sk", "muted_until")
"""A member's own attributes of an entry: the copy has none of them."""
NOT_FROM_MESSAGES = ("pk", "sk", "member_uuids", "left_uuids", "version", "blocked_by", "awaiting")
"""Of a conversation: what its messages do not tell."""
NOTHING_FROM_MESSAGES: Item = {
    "seq": {"N": "0"},
    "last_sk": {"S": ""},
    "message": {"S": ""},
    "last_user_uuid": {"B": bytes(16)},
    "sent": {"M": {}},
}

BY_HAND = "put it right by hand, then run this again"
MESSAGES_FIRST = "its conversation has malformed messages: put those right by hand, then run this again"


@dataclass(slots=True)
class Running:
    """What messages, added in the order of their keys, make of a conversation. Holds none of them."""

    conversation: Conversation | None = None
    """Without members; None before the first message. Numbered 1, 2, 3 … whatever numbers the messages have."""
    last_sk: str = ""
    """The newest sort key that was added."""
    misnumbered: int = 0
    first_misnumbered: str = ""
    malformed: list[str] = field(default_factory=list)
    """Sort keys."""

    def add(self, item: Item) -> None:
        """Add the item that follows."""
        self.last_sk = item["sk"]["S"]
        try:
            parse_created_at(self.last_sk)
            message = message_from(item)
        except UNREADABLE:
            self.malformed.append(self.last_sk)
            return
        if message.seq != self.count + 1:
            self.misnumbered += 1
            self.first_misnumbered = self.first_misnumbered or self.last_sk
            message = replace(message, seq=self.count + 1)
        if self.conversation:
            self.conversation = conversation_after(self.conversation, message)
        else:
            self.conversation = conversation_from_first(message, member_uuids=frozenset())

    @property
    def count(self) -> int:
        return self.conversation.seq if self.conversation else 0


@dataclass(slots=True)
class Look:
    """A conversation, what its messages make of it, and the entries of those who should have one."""

    group_uuid: UUID
    item: Item | None = None
    """The conversation's own, as it is stored."""
    conversation: Conversation | None = None
    """As far as it can be read: see `legible`."""
    running: Running = field(default_factory=Running)
    entries: Mapping[UUID, Item] = field(default_factory=dict)
    """By member; while the conversation is missing, everyone's who has one."""
    read: Mapping[str, Item] = field(default_factory=dict)
    """The messages that entries name as read, by sort key, as far as they exist and were looked for."""
    quiet: bool = True
    """Whether the conversation stayed the same from before its messages were read until after."""

    def set_item(self, item: Item | None) -> None:
        self.item, self.conversation = item, legible(item) if item else None


def legible(item: Item) -> Conversation | None:
    """The conversation of an item; of a damaged one what its messages do not tell, if that can be read, else None."""
    kept = {name: item[name] for name in NOT_FROM_MESSAGES if name in item}
    for readable in (item, {**NOTHING_FROM_MESSAGES, **kept}):
        try:
            return conversation_from(readable)
        except UNREADABLE:
            continue
    return None


def problems(look: Look, *, settled_version: int) -> list[Finding]:
    """What is wrong, the conversation first: entries are compared only with one that agrees with its messages.

    Entries that are older than `settled_version` are behind; between it and the newest version they only lag.
    """
    pk, running = group_pk(look.group_uuid), look.running
    found = [Finding(Kind.MALFORMED, pk, sk, "this is no message", BY_HAND) for sk in running.malformed]
    if look.item is not None and look.conversation is None:
        what = "its members or its version cannot be read"
        return [*found, Finding(Kind.MALFORMED, pk, CONVERSATION_SK, what, BY_HAND)]
    of_conversation = [] if running.malformed else list(_of_conversation(look))
    if of_conversation or look.conversation is None or not look.conversation.begun:
        return found + of_conversation
    # Who leaves for good has an entry until all they wrote is gone, and it follows nothing any more.
    for member in sorted(look.conversation.member_uuids - look.conversation.left_uuids):
        found += _of_entry(look, look.conversation, member, settled_version)
    return found


def _of_conversation(look: Look) -> Iterator[Finding]:
    pk, running = group_pk(look.group_uuid), look.running
    if running.misnumbered:
        what = (
            f"the numbers of {running.misnumbered:,} of its {running.count:,} messages are not 1, 2, 3 …; "
            f"the first of them is {running.first_misnumbered}"
        )
        yield Finding(Kind.NUMBERS_WRONG, pk, CONVERSATION_SK, what)
    if look.conversation is None:
        if running.count:
            what = f"the conversation of {running.count:,} messages is missing"
            obstacle = "" if known_members(look) else "nothing tells who its members are"
            yield Finding(Kind.CONVERSATION_MISSING, pk, CONVERSATION_SK, what, obstacle)
    elif running.conversation is None:
        if not look.conversation.begun:
            return  # Somebody blocks, or blocked, whom they never wrote to: it has no entries either.
        what = f"it counts {look.conversation.seq:,} messages and has none"
        yield Finding(Kind.CONVERSATION_DIFFERS, pk, CONVERSATION_SK, what, "there is nothing to rebuild it from")
    elif wrong := _differences(look.conversation, running.conversation):
        what = f"it does not agree with its {running.count:,} messages in {', '.join(wrong)}"
        yield Finding(Kind.CONVERSATION_DIFFERS, pk, CONVERSATION_SK, what)


def _differences(conversation: Conversation, of_messages: Conversation) -> list[str]:
    return [name for name in NOTHING_FROM_MESSAGES if _told(conversation, name) != _told(of_messages, name)]


def _told(conversation: Conversation, name: str) -> Any:
    value = getattr(conversation, name)
    # Not to have sent and to have sent nothing are the same.
    return {member: sent for member, sent in value.items() if sent != Sent()} if name == "sent" else value


def _of_entry(look: Look, conversation: Conversation, member: UUID, settled_version: int) -> Iterator[Finding]:
    pk, sk = user_pk(member), str(look.group_uuid)
    item = look.entries.get(member)
    if item is None:
        yield Finding(Kind.ENTRY_MISSING, pk, sk, "a member has no entry for this conversation")
        return
    version = version_of(item)
    # A conversation that could not be compared with its messages is copied where the stream would, and nowhere else.
    obstacle = MESSAGES_FIRST if look.running.malformed else ""
    if version is not None and version > conversation.version:
        what = f"it has version {version:,} of a conversation of version {conversation.version:,}"
        yield Finding(Kind.ENTRY_AHEAD, pk, sk, what, obstacle)
    elif version is not None and version < settled_version:
        what = f"it has version {version:,} of a conversation that had {settled_version:,} a while ago"
        yield Finding(Kind.ENTRY_BEHIND, pk, sk, what)
    elif version is None or version == conversation.version:
        copy = copy_of(conversation, member)
        if wrong := [name for name, value in copy.items() if not _same(item.get(name), value)]:
            what = f"it differs from its conversation in {', '.join(wrong)}"
            yield Finding(Kind.ENTRY_DIFFERS, pk, sk, what, obstacle)
    yield from _of_position(look, conversation, item)


def _of_position(look: Look, conversation: Conversation, item: Item) -> Iterator[Finding]:
    pk, sk = item["pk"]["S"], item["sk"]["S"]
    try:
        position = position_of(item)
    except UNREADABLE:
        yield Finding(Kind.MALFORMED, pk, sk, "how far its member has read cannot be told", BY_HAND)
        return
    if position is None or position == (conversation.seq, conversation.last_sk):
        return
    seq, created_at = position
    message = look.read.get(created_at)
    if message is None or message.get("seq") != item["read_seq"]:
        what = f"read up to number {seq:,} at {created_at}, where there is no such message"
        obstacle = MESSAGES_FIRST if look.running.malformed else ""
        yield Finding(Kind.POSITION_WRONG, pk, sk, what, obstacle)


def wrong_numbers(messages: Iterable[Item]) -> Iterator[tuple[Item, int]]:
    """The messages, of all in order, that do not have the number they should have, and that number."""
    running = Running()
    for item in messages:
        before = running.misnumbered
        running.add(item)
        if running.misnumbered > before:
            yield item, running.count


def position_of(item: Item) -> tuple[int, str] | None:
    """How far the member of an entry has read: number and created_at; None for nowhere. Raises one of UNREADABLE."""
    if "read_seq" not in item and "read_sk" not in item:
        return None
    seq, created_at = int(item["read_seq"]["N"]), item["read_sk"]["S"]
    parse_created_at(created_at)
    return seq, created_at


def version_of(item: Item) -> int | None:
    """The version of a conversation or entry, None when it has none."""
    try:
        return int(item["version"]["N"])
    except UNREADABLE:
        return None


def copy_of(conversation: Conversation, member: UUID) -> dict[str, Any]:
    """The attributes that a member's entry has from the conversation."""
    entry = entry_item(entry_from_conversation(conversation, member))
    return {name: value for name, value in entry.items() if name not in ("pk", "sk", *OWN)}


def _same(one: Mapping[str, Any] | None, other: Mapping[str, Any]) -> bool:
    if one is not None and "BS" in one and "BS" in other:
        return sorted(one["BS"]) == sorted(other["BS"])
    return one == other


def rebuilt(look: Look) -> Conversation:
    """The conversation as its messages make it, newer than itself and every entry; needs messages and known members."""
    members = look.conversation.member_uuids if look.conversation else known_members(look)
    if look.running.conversation is None or members is None:
        msg = "without messages and members there is no conversation"
        raise ValueError(msg)
    left = look.conversation.left_uuids if look.conversation else frozenset()
    return replace(look.running.conversation, member_uuids=members, left_uuids=left, version=newer_version(look))


def newer_version(look: Look) -> int:
    """Above those of the conversation and of every entry; every message was a version, too."""
    known = (version_of(item) or 0 for item in (look.item, *look.entries.values()) if item)
    return 1 + max((look.running.count, *known))


def known_members(look: Look) -> frozenset[UUID] | None:
    """Who is in a conversation whose own item is missing: the two whose pair it is, or those all entries agree on."""
    writers = look.running.conversation.sent.keys() if look.running.conversation else set()
    said = set(filter(None, map(_members_said, look.entries.values())))
    for pair in combinations(sorted({*writers, *look.entries, *(each for members in said for each in members)}), 2):
        if pair_group_uuid(*pair) == look.group_uuid:
            return frozenset(pair)
    if len(said) != 1:
        return None
    (members,) = said
    return members if members >= writers else None


def _members_said(entry: Item) -> frozenset[UUID] | None:
    try:
        return frozenset(UUID(bytes=bytes(each)) for each in entry["member_uuids"]["BS"])
    except UNREADABLE:
        return None
