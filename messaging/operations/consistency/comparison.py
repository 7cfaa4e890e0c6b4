"""Compares a conversation with its messages and its members' entries with it, and says what is wrong. Pure.

Nothing here trusts an item: what cannot be read is malformed. What is only copied or counted is compared as DynamoDB
holds it, so that damage of any kind is a difference that can be put right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import combinations
from typing import Any
from uuid import UUID

from messaging.domain.folders import ARCHIVED, INBOX, REQUESTS, home_of, list_key
from messaging.domain.send_history import Sent
from messaging.domain.transitions import conversation_after, conversation_from_first, entry_from_conversation
from messaging.dynamodb.codec import Item, moment_at, number, number_at, number_of, uuids_at
from messaging.dynamodb.items import (
    CONVERSATION_SK,
    FOR_GOOD,
    Conversation,
    conversation_from,
    entry_item,
    format_created_at,
    group_pk,
    message_from,
    pair_group_uuid,
    user_pk,
)
from messaging.dynamodb.malformed import MalformedItem

from .findings import Finding, Kind

OWN = ("inbox", "read_seq", "read_sk", "muted_until")
"""A member's own attributes of an entry: the copy has none of them."""
NOT_FROM_MESSAGES = ("pk", "sk", "member_uuids", "left_uuids", "version", "blocked_by", "awaiting")
"""Of a conversation: what its messages do not tell."""
NOTHING_FROM_MESSAGES: Item = {
    "seq": {"N": "0"},
    "last_sk": {"S": format_created_at(datetime.fromtimestamp(0, UTC))},
    "message": {"S": ""},
    "last_user_uuid": {"B": bytes(16)},
    "sent": {"M": {}},
}

ONLY_THE_CONVERSATION_KNOWS = ("left_uuids", "blocked_by", "awaiting")
STAND_INS: Item = {**NOTHING_FROM_MESSAGES, "version": {"N": "0"}, "member_uuids": {"BS": []}}
"""In place of what cannot be read, so that the rest can be; all of it can be found out elsewhere."""

BY_HAND = "put it right by hand, then run this again"
NOTHING_TO_REBUILD = "there is nothing to rebuild it from"
PUT_RIGHT = "put {} right by hand, then run this again"
MESSAGES_FIRST = "its conversation has malformed messages: put those right by hand, then run this again"


@dataclass(slots=True)
class Recount:
    """What messages, added in the order of their keys, make of a conversation. Holds none of them."""

    conversation: Conversation | None = None
    """Without members; None before the first message. Numbered 1, 2, 3 … whatever numbers the messages have."""
    last_sk: str = ""
    """The newest sort key that was added."""
    misnumbered: int = 0
    first_misnumbered: str = ""
    malformed: list[tuple[str, MalformedItem]] = field(default_factory=list)
    """With their sort keys."""

    def add(self, item: Item) -> None:
        """Add the item that follows. A number that cannot be read is a wrong one: the order says which it should be."""
        self.last_sk = item["sk"]["S"]
        try:
            message = message_from(item if _is_number(item, "seq") else {**item, "seq": number(0)})
        except MalformedItem as error:
            self.malformed.append((self.last_sk, error))
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
class Snapshot:
    """A conversation, what its messages make of it, and the entries of those who should have one."""

    group_uuid: UUID
    item: Item | None = None
    """The conversation's own, as it is stored."""
    conversation: Conversation | None = None
    """As far as it can be read: see `legible`."""
    damaged: Sequence[MalformedItem] = ()
    """What cannot be read of it."""
    running: Recount = field(default_factory=Recount)
    entries: Mapping[UUID, Item] = field(default_factory=dict)
    """By member; while the conversation is missing, or its members cannot be read, everyone's who has one."""
    read: Mapping[str, Item] = field(default_factory=dict)
    """The messages that entries name as read, by sort key, as far as they exist and were looked for."""
    quiet: bool = True
    """Whether the conversation stayed the same from before its messages were read until after."""

    def set_item(self, item: Item | None) -> None:
        self.item = item
        self.conversation, self.damaged = legible(item) if item else (None, ())

    @property
    def by_hand(self) -> list[MalformedItem]:
        """What cannot be read of the conversation, and follows from nothing else."""
        return [
            each
            for each in self.damaged
            if each.attribute in ONLY_THE_CONVERSATION_KNOWS
            or (each.attribute == "member_uuids" and (known_members(self) is None or not self.running.count))
        ]


def legible(item: Item) -> tuple[Conversation | None, list[MalformedItem]]:
    """Return the conversation of an item, and what of it cannot be read.

    What follows from its messages, and its version, are those of no messages where they cannot be read. None where its
    members, or who may write, cannot be.
    """
    damaged: list[MalformedItem] = []
    readable = dict(item)
    for _ in range(len(NOT_FROM_MESSAGES) + len(NOTHING_FROM_MESSAGES) + 1):
        try:
            conversation = conversation_from(readable)
        except MalformedItem as error:
            damaged.append(error)
            readable[error.attribute] = STAND_INS.get(error.attribute, {})
            if error.attribute in ONLY_THE_CONVERSATION_KNOWS:
                del readable[error.attribute]
        else:
            known = all(each.attribute in STAND_INS and each.attribute != "member_uuids" for each in damaged)
            return conversation if known else None, damaged
    return None, damaged


def problems(look: Snapshot, *, settled_version: int) -> list[Finding]:
    """What is wrong, the conversation first: entries are compared only with one that agrees with its messages.

    Entries that are older than `settled_version` are behind; between it and the newest version they only lag.
    """
    pk, running = group_pk(look.group_uuid), look.running
    found = [
        Finding(Kind.MALFORMED, pk, sk, f"its {error.attribute} {error.why}", PUT_RIGHT.format(error.attribute))
        for sk, error in running.malformed
    ]
    if by_hand := look.by_hand:
        names = " and ".join(each.attribute for each in by_hand)
        what = f"its {_in_words(by_hand)}"
        return [*found, Finding(Kind.MALFORMED, pk, CONVERSATION_SK, what, PUT_RIGHT.format(names))]
    if running.malformed and look.damaged:
        what = f"its {_in_words(look.damaged)}"
        return [*found, Finding(Kind.CONVERSATION_DIFFERS, pk, CONVERSATION_SK, what, MESSAGES_FIRST)]
    of_conversation = [] if running.malformed else list(_of_conversation(look))
    if of_conversation or look.conversation is None or not look.conversation.begun:
        return found + of_conversation
    # Who leaves for good has an entry until all they wrote is gone, and it follows nothing any more.
    for member in sorted(look.conversation.member_uuids - look.conversation.left_uuids):
        found += _of_entry(look, look.conversation, member, settled_version)
    return found


def _in_words(damaged: Iterable[MalformedItem]) -> str:
    return ", its ".join(f"{each.attribute} {each.why}" for each in damaged)


def _of_conversation(look: Snapshot) -> Iterator[Finding]:
    pk, running = group_pk(look.group_uuid), look.running
    if running.misnumbered:
        what = (
            f"the numbers of {running.misnumbered:,} of its {running.count:,} messages are not 1, 2, 3 …; "
            f"the first of them is {running.first_misnumbered}"
        )
        yield Finding(Kind.NUMBERS_WRONG, pk, CONVERSATION_SK, what)
    if look.damaged:
        # Without messages and entries nobody ever wrote: somebody blocks.
        can_be_made = running.count or (look.conversation and not look.conversation.begun and not look.entries)
        obstacle = "" if can_be_made else NOTHING_TO_REBUILD
        yield Finding(Kind.CONVERSATION_DIFFERS, pk, CONVERSATION_SK, f"its {_in_words(look.damaged)}", obstacle)
    elif look.conversation is None:
        if running.count:
            what = f"the conversation of {running.count:,} messages is missing"
            obstacle = "" if known_members(look) else "nothing tells who its members are"
            yield Finding(Kind.CONVERSATION_MISSING, pk, CONVERSATION_SK, what, obstacle)
    elif running.conversation is None:
        if not look.conversation.begun:
            return  # Somebody blocks, or blocked, whom they never wrote to: it has no entries either.
        what = f"it counts {look.conversation.seq:,} messages and has none"
        yield Finding(Kind.CONVERSATION_DIFFERS, pk, CONVERSATION_SK, what, NOTHING_TO_REBUILD)
    elif wrong := _differences(look.conversation, running.conversation):
        what = f"it does not agree with its {running.count:,} messages in {', '.join(wrong)}"
        yield Finding(Kind.CONVERSATION_DIFFERS, pk, CONVERSATION_SK, what)


def _differences(conversation: Conversation, of_messages: Conversation) -> list[str]:
    return [name for name in NOTHING_FROM_MESSAGES if _told(conversation, name) != _told(of_messages, name)]


def _told(conversation: Conversation, name: str) -> Any:
    value = getattr(conversation, name)
    # Not to have sent and to have sent nothing are the same.
    return {member: sent for member, sent in value.items() if sent != Sent()} if name == "sent" else value


def _of_entry(look: Snapshot, conversation: Conversation, member: UUID, settled_version: int) -> Iterator[Finding]:
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
    yield from _of_own(conversation, member, item)
    yield from _of_position(look, conversation, item)


def _of_own(conversation: Conversation, member: UUID, item: Item) -> Iterator[Finding]:
    if wrong := own_as_it_should_be(conversation, member, item):
        what = f"its {' and its '.join(wrong)} cannot be what its member chose"
        yield Finding(Kind.CHOICE_WRONG, item["pk"]["S"], item["sk"]["S"], what)


def own_as_it_should_be(conversation: Conversation, member: UUID, item: Item) -> dict[str, Any]:
    """Return what of the member's own list and mute has to be set (None: removed) because it cannot be read."""
    wrong: dict[str, Any] = {}
    lists = [{"S": list_key(member, which)} for which in (INBOX, REQUESTS, ARCHIVED)]
    if "inbox" in item and item["inbox"] not in lists:
        home = home_of(conversation, member)
        wrong["inbox"] = {"S": home} if home else None
    try:
        number_of(item, "muted_until", largest=FOR_GOOD)
    except MalformedItem:
        wrong["muted_until"] = None
    return wrong


def _of_position(look: Snapshot, conversation: Conversation, item: Item) -> Iterator[Finding]:
    pk, sk = item["pk"]["S"], item["sk"]["S"]
    try:
        position = position_of(item)
    except MalformedItem as error:
        obstacle = MESSAGES_FIRST if look.running.malformed else ""
        yield Finding(Kind.POSITION_WRONG, pk, sk, f"its {error.attribute} {error.why}", obstacle)
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
    running = Recount()
    for item in messages:
        before = running.misnumbered
        running.add(item)
        if running.misnumbered > before:
            yield item, running.count


def position_of(item: Item) -> tuple[int, str] | None:
    """How far the member of an entry has read: number and created_at; None for nowhere. Raises MalformedItem."""
    if "read_seq" not in item and "read_sk" not in item:
        return None
    return number_at(item, "read_seq"), moment_at(item, "read_sk")


def version_of(item: Item) -> int | None:
    """The version of a conversation or entry, None when it has none that can be read."""
    try:
        return number_at(item, "version")
    except MalformedItem:
        return None


def _is_number(item: Item, name: str) -> bool:
    try:
        number_at(item, name)
    except MalformedItem:
        return False
    return True


def copy_of(conversation: Conversation, member: UUID) -> dict[str, Any]:
    """The attributes that a member's entry has from the conversation."""
    entry = entry_item(entry_from_conversation(conversation, member))
    return {name: value for name, value in entry.items() if name not in ("pk", "sk", *OWN)}


def _same(one: Mapping[str, Any] | None, other: Mapping[str, Any]) -> bool:
    if one is not None and "BS" in one and "BS" in other:
        return sorted(one["BS"]) == sorted(other["BS"])
    return one == other


def rebuilt(look: Snapshot) -> Conversation:
    """The conversation as its messages make it, newer than itself and every entry; needs known members.

    Without messages it is the one of somebody who blocks, where that can be read.
    """
    members = look.conversation.member_uuids if look.conversation else known_members(look)
    if look.running.conversation is None and look.conversation is not None and not look.conversation.begun:
        by = min(look.conversation.blocked_by or look.conversation.member_uuids)
        return replace(look.conversation, message="", last_user_uuid=by, version=newer_version(look), sent={})
    if look.running.conversation is None or members is None:
        msg = "without messages and members there is no conversation"
        raise ValueError(msg)
    left = look.conversation.left_uuids if look.conversation else frozenset()
    return replace(look.running.conversation, member_uuids=members, left_uuids=left, version=newer_version(look))


def newer_version(look: Snapshot) -> int:
    """Above those of the conversation and of every entry; every message was a version, too."""
    known = (version_of(item) or 0 for item in (look.item, *look.entries.values()) if item)
    return 1 + max((look.running.count, *known))


def known_members(look: Snapshot) -> frozenset[UUID] | None:
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
        return uuids_at(entry, "member_uuids")
    except MalformedItem:
        return None
