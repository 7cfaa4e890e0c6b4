"""Compare a conversation with its messages and its members' entries, and report the differences. Pure.

No item is trusted: values that cannot be parsed are malformed. Copied and counted values are compared in DynamoDB's own
representation, so that damage of any kind is a difference that can be repaired.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import combinations
from typing import Any
from uuid import UUID

from messaging.domain.entities import FOR_GOOD, Conversation, Sent, pair_group_uuid
from messaging.domain.folders import ARCHIVED, INBOX, REQUESTS, home_of, list_key
from messaging.domain.timestamps import format_created_at
from messaging.domain.transitions import conversation_after, conversation_from_first
from messaging.dynamodb.codec import (
    Item,
    conversation_from,
    key_of,
    message_from,
    moment_at,
    number,
    number_at,
    number_of,
    same_value,
    sents_value,
    text,
    uuid_bytes,
    uuid_set,
    uuids_at,
)
from messaging.dynamodb.keys import CONVERSATION_SK, group_pk, user_pk
from messaging.dynamodb.malformed import MalformedItem
from messaging.dynamodb.repairs import copy_of

from .findings import Finding, Kind

NOT_FROM_MESSAGES = ("pk", "sk", "member_uuids", "left_uuids", "version", "blocked_by", "awaiting")
"""The attributes of a conversation that cannot be derived from its messages."""
NOTHING_FROM_MESSAGES: Item = {
    "seq": number(0),
    "last_sk": text(format_created_at(datetime.fromtimestamp(0, UTC))),
    "message": text(""),
    "last_user_uuid": uuid_bytes(UUID(int=0)),
    "sent": sents_value({}),
}

ONLY_THE_CONVERSATION_KNOWS = ("left_uuids", "blocked_by", "awaiting")
STAND_INS: Item = {**NOTHING_FROM_MESSAGES, "version": number(0), "member_uuids": uuid_set(frozenset())}
"""Replacements for malformed values, so that the rest can be parsed; all can be derived elsewhere."""

BY_HAND = "put it right by hand, then run this again"
NOTHING_TO_REBUILD = "there is nothing to rebuild it from"
PUT_RIGHT = "put {} right by hand, then run this again"
MESSAGES_FIRST = "its conversation has malformed messages: put those right by hand, then run this again"


@dataclass(slots=True)
class Recount:
    """Rebuilds a conversation from messages added in the order of their keys. Keeps no messages."""

    conversation: Conversation | None = None
    """Without members; None before the first message. Numbered 1, 2, 3 …, whatever numbers the messages have."""
    last_sk: str = ""
    """The newest sort key added."""
    misnumbered: int = 0
    first_misnumbered: str = ""
    malformed: list[tuple[str, MalformedItem]] = field(default_factory=list)
    """Malformed messages with their sort keys."""

    def add(self, item: Item) -> None:
        """Add the next item. An unreadable number counts as wrong: the order determines the right one."""
        self.last_sk = key_of(item)[1]
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
    """A conversation, what its messages add up to, and the entries of its members."""

    group_uuid: UUID
    item: Item | None = None
    """The conversation's own item, as stored."""
    conversation: Conversation | None = None
    """The parsed conversation, as far as possible: see `legible`."""
    damaged: Sequence[MalformedItem] = ()
    """The attributes of it that cannot be parsed."""
    running: Recount = field(default_factory=Recount)
    entries: Mapping[UUID, Item] = field(default_factory=dict)
    """Entries by member; all entries while the conversation is missing or its members cannot be parsed."""
    read: Mapping[str, Item] = field(default_factory=dict)
    """The messages that entries name as read, by sort key, if they exist and were looked up."""
    quiet: bool = True
    """Whether the conversation did not change while its messages were read."""

    def set_item(self, item: Item | None) -> None:
        self.item = item
        self.conversation, self.damaged = legible(item) if item else (None, ())

    @property
    def by_hand(self) -> list[MalformedItem]:
        """The malformed attributes that cannot be derived from anything else."""
        return [
            each
            for each in self.damaged
            if each.attribute in ONLY_THE_CONVERSATION_KNOWS
            or (each.attribute == "member_uuids" and (known_members(self) is None or not self.running.count))
        ]


def legible(item: Item) -> tuple[Conversation | None, list[MalformedItem]]:
    """Parse a conversation's item; return it with its malformed attributes.

    Malformed values that follow from the messages, and the version, are replaced by those of an empty conversation.
    Return None if the members, or who may write, cannot be parsed.
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
    """Return the problems, the conversation's first; compare entries only if it agrees with its messages.

    Entries older than `settled_version` are behind; those between it and the newest version only lag.
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
    # A member who has left for good keeps an entry, no longer updated, until all their messages are deleted.
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
        # No messages and no entries: the conversation was created by a block.
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
            return  # Created by a block before the first message, so it has no entries either.
        what = f"it counts {look.conversation.seq:,} messages and has none"
        yield Finding(Kind.CONVERSATION_DIFFERS, pk, CONVERSATION_SK, what, NOTHING_TO_REBUILD)
    elif wrong := _differences(look.conversation, running.conversation):
        what = f"it does not agree with its {running.count:,} messages in {', '.join(wrong)}"
        yield Finding(Kind.CONVERSATION_DIFFERS, pk, CONVERSATION_SK, what)


def _differences(conversation: Conversation, of_messages: Conversation) -> list[str]:
    return [name for name in NOTHING_FROM_MESSAGES if _told(conversation, name) != _told(of_messages, name)]


def _told(conversation: Conversation, name: str) -> Any:
    value = getattr(conversation, name)
    # A missing count and an empty one are equal.
    return {member: sent for member, sent in value.items() if sent != Sent()} if name == "sent" else value


def _of_entry(look: Snapshot, conversation: Conversation, member: UUID, settled_version: int) -> Iterator[Finding]:
    pk, sk = user_pk(member), str(look.group_uuid)
    item = look.entries.get(member)
    if item is None:
        yield Finding(Kind.ENTRY_MISSING, pk, sk, "a member has no entry for this conversation")
        return
    version = version_of(item)
    # If the messages are malformed, only repeat what the stream would do.
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
        yield Finding(Kind.CHOICE_WRONG, *key_of(item), what)


def own_as_it_should_be(conversation: Conversation, member: UUID, item: Item) -> dict[str, Any]:
    """Return the corrected values of the member's own malformed attributes (None: remove)."""
    wrong: dict[str, Any] = {}
    lists = [text(list_key(member, which)) for which in (INBOX, REQUESTS, ARCHIVED)]
    if "inbox" in item and item["inbox"] not in lists:
        home = home_of(conversation, member)
        wrong["inbox"] = text(home) if home else None
    try:
        number_of(item, "muted_until", largest=FOR_GOOD)
    except MalformedItem:
        wrong["muted_until"] = None
    return wrong


def _of_position(look: Snapshot, conversation: Conversation, item: Item) -> Iterator[Finding]:
    pk, sk = key_of(item)
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
    """Yield each message with a wrong number, and the right number. Needs all messages in order."""
    running = Recount()
    for item in messages:
        before = running.misnumbered
        running.add(item)
        if running.misnumbered > before:
            yield item, running.count


def position_of(item: Item) -> tuple[int, str] | None:
    """Return how far a member has read: number and created_at; None for nothing. Raises MalformedItem."""
    if "read_seq" not in item and "read_sk" not in item:
        return None
    return number_at(item, "read_seq"), moment_at(item, "read_sk")


def version_of(item: Item) -> int | None:
    """Return the version of a conversation or entry, None if it is missing or malformed."""
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


def _same(one: Mapping[str, Any] | None, other: Mapping[str, Any]) -> bool:
    return one is not None and same_value(one, other)


def rebuilt(look: Snapshot) -> Conversation:
    """Rebuild the conversation from its messages, newer than itself and every entry; needs known members.

    Without messages, rebuild the conversation that a block creates, if it can be parsed.
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
    """Return a version above those of the conversation and all entries, and the number of messages."""
    known = (version_of(item) or 0 for item in (look.item, *look.entries.values()) if item)
    return 1 + max((look.running.count, *known))


def known_members(look: Snapshot) -> frozenset[UUID] | None:
    """Return the members of a conversation without an item: the pair of its uuid, or those all entries agree on."""
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
