"""Generate any number of invented conversations: members, lengths and texts. Pure; deterministic for a seed.

As in real life, a few people have many conversations and a few conversations have many messages, after Zipf's law: the
second has half as many as the first, the third a third.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import accumulate
from math import isqrt
from random import Random
from uuid import UUID

from cruddur.problem import Problem
from messaging.domain.entities import Conversation, Entry, Message, pair_group_uuid
from messaging.domain.text import MESSAGE_MAX_CHARS
from messaging.domain.timestamps import format_created_at
from messaging.domain.transitions import conversation_after, conversation_from_first, entry_from_conversation

CONVERSATIONS_A_PERSON = 5
"""Default. Each conversation counts for two people, so that people have 10 on average."""
MESSAGES_A_CONVERSATION = 20
SPAN = timedelta(days=730)
"""How far back the messages reach."""
WANTED_CHARS = 155
"""Target length; texts are a little longer on average: 180 characters, like the original's."""
JOINTS = (*" " * 15, "\n")
"""Separators between two phrases."""
LONGEST_PAUSE = timedelta(days=1)
"""Average pause between the messages of the slowest conversations."""
SAME_SENDER = 0.35
"""Probability that a message has the same sender as the one before."""
ALL_READ = 0.7
"""Share of members who have read everything."""
UNITS_A_MESSAGE = 1.05
"""Average write units: most messages are below 1 KB."""
UNITS_A_CONVERSATION = 3
"""Write units of its own item and of two entries."""
INDEX_UNITS_A_CONVERSATION = 4
"""Write units of the indexes, which have their own capacity: two items for each of the two entries."""


class ImpossibleVolume(Problem):
    """The numbers contradict each other."""


@dataclass(frozen=True, slots=True)
class Volume:
    """The numbers of people, conversations and messages to generate."""

    users: int
    conversations: int
    messages: int

    @property
    def table_write_units(self) -> float:
        """The approximate write units of the table's own capacity, by AWS's rules."""
        return UNITS_A_MESSAGE * self.messages + UNITS_A_CONVERSATION * self.conversations

    @property
    def write_units(self) -> float:
        """The approximate write units in all, including indexes."""
        return self.table_write_units + INDEX_UNITS_A_CONVERSATION * self.conversations


def volume_of(*, users: int | None = None, conversations: int | None = None, messages: int | None = None) -> Volume:
    """Choose what is not given: 20 messages a conversation, 5 conversations a person; fewer where people are few.

    Raises ImpossibleVolume when the given numbers contradict each other.
    """
    if conversations is None:
        by_users = min(CONVERSATIONS_A_PERSON * users, pairs(users)) if users else messages or 0
        by_messages = messages // MESSAGES_A_CONVERSATION if messages else by_users
        conversations = max(1, min(by_users, by_messages))
    if users is None:
        # Twice as many pairs as conversations, so that people do not all talk to each other.
        users = max(2, -(-conversations // CONVERSATIONS_A_PERSON), fewest_people(2 * conversations - 1))
    if messages is None:
        messages = MESSAGES_A_CONVERSATION * conversations
    if users < 2:  # noqa: PLR2004
        msg = "A conversation takes two people: give at least --users 2."
        raise ImpossibleVolume(msg)
    if conversations > pairs(users):
        msg = (
            f"{users:,} people can have {pairs(users):,} conversations at most, one a pair: "
            f"give fewer --conversations or at least --users {fewest_people(conversations)}."
        )
        raise ImpossibleVolume(msg)
    if messages < conversations:
        msg = (
            f"A conversation begins with a message: give at least --messages {conversations}, "
            f"or at most --conversations {messages}."
        )
        raise ImpossibleVolume(msg)
    return Volume(users, conversations, messages)


def pairs(people: int) -> int:
    """Return the number of different pairs of so many people."""
    return people * (people - 1) // 2


def fewest_people(conversations: int) -> int:
    """Return the smallest number of people that makes so many pairs."""
    people = (1 + isqrt(8 * conversations + 1)) // 2
    return people if pairs(people) >= conversations else people + 1


@dataclass(frozen=True, slots=True)
class SyntheticConversation:
    """A conversation before its messages are generated; everything else follows from its seed."""

    member_uuids: tuple[UUID, UUID]
    length: int
    """Number of messages."""
    random_seed: str


def synthetic_conversations(
    people: Sequence[UUID], volume: Volume, *, random_seed: int
) -> Iterator[SyntheticConversation]:
    """Yield conversations of these people, no pair twice, the longest first so that it does not delay the end.

    Memory: a few bytes per person and conversation.
    """
    random = Random(random_seed)
    lengths = array("Q", (1 + share for share in shares(volume.messages - volume.conversations, volume.conversations)))
    rest = lengths[1:]
    random.shuffle(rest)
    number = 0
    for index, partners in enumerate(partner_numbers(volume.conversations, len(people))):
        # Each chooses among later people, so that no pair repeats and none has to be remembered.
        for partner in random.sample(range(index + 1, len(people)), partners):
            length = rest[number - 1] if number else lengths[0]
            yield SyntheticConversation((people[index], people[partner]), length, f"{random_seed}/{number}")
            number += 1


def partner_numbers(conversations: int, people: int) -> list[int]:
    """Return how many of the people after them each person chooses; the first choose most."""
    numbers, left = [], 0
    for index, share in enumerate(shares(conversations, people - 1)):
        number = min(share + left, people - 1 - index)
        left += share - number
        numbers.append(number)
    for index, number in enumerate(numbers):
        more = min(left, people - 1 - index - number)
        numbers[index] += more
        left -= more
    return numbers


def shares(total: int, parts: int) -> Iterator[int]:
    """Divide the total into so many parts after Zipf's law: the second is half of the first, the third a third."""
    whole = sum(1 / rank for rank in range(1, parts + 1))
    before = 0
    for rank, sum_so_far in enumerate(accumulate(1 / rank for rank in range(1, parts + 1)), start=1):
        until = total if rank == parts else round(total * sum_so_far / whole)
        yield until - before
        before = until


@dataclass(slots=True)
class MessageTexts:
    """Generates a conversation message by message, keeping only the last ones.

    Iterate `messages` to its end; then `conversation` and `entries` are valid.
    """

    talk: SyntheticConversation
    now: datetime
    phrasebooks: Sequence[Sequence[str]]
    """Phrases for texts: each conversation uses one of these lists, and so its languages."""
    group_uuid: UUID = field(init=False)
    _random: Random = field(init=False)
    _conversation: Conversation | None = field(init=False, default=None)
    _last_read: dict[UUID, Message] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.group_uuid = pair_group_uuid(*self.talk.member_uuids)
        self._random = Random(self.talk.random_seed)

    def messages(self) -> Iterator[Message]:
        """Yield the messages in order, numbered from 1, the last one not later than `now`."""
        random, length = self._random, self.talk.length
        read_seqs = {member: self._read_seq() for member in self.talk.member_uuids}
        sender, other = random.sample(self.talk.member_uuids, 2)
        members = frozenset(self.talk.member_uuids)
        phrases, moments = random.choice(self.phrasebooks), self._moments()
        for seq in range(1, length + 1):
            message_uuid = UUID(int=random.getrandbits(128), version=4)
            message = Message(
                self.group_uuid, format_created_at(next(moments)), seq, text(random, phrases), message_uuid, sender
            )
            if self._conversation is None:
                self._conversation = conversation_from_first(message, member_uuids=members)
            else:
                self._conversation = conversation_after(self._conversation, message)
            for member, read_seq in read_seqs.items():
                # A sender has read everything before.
                if seq == read_seq or (member == sender and seq > read_seq):
                    self._last_read[member] = message
            yield message
            if random.random() > SAME_SENDER:
                sender, other = other, sender

    @property
    def conversation(self) -> Conversation:
        """Return the conversation that the messages add up to."""
        if self._conversation is None or self._conversation.seq < self.talk.length:
            msg = "its messages are not told to the end"
            raise ValueError(msg)
        return self._conversation

    def entries(self) -> Iterator[Entry]:
        """Yield each member's entry, as the conversation gives it, with a read position."""
        for member in self.talk.member_uuids:
            entry = entry_from_conversation(self.conversation, member)
            read = self._last_read.get(member)
            yield replace(entry, read_seq=read.seq, read_sk=read.created_at) if read else entry

    def _read_seq(self) -> int:
        """Return the number of the last message a member has read; 0 for none."""
        length = self.talk.length
        if self._random.random() < ALL_READ:
            return length
        return length - min(length, 1 + int(self._random.expovariate(1 / 5)))

    def _moments(self) -> Iterator[datetime]:
        """Yield increasing times in microseconds: a random one in each of the equal spans."""
        random, length = self._random, self.talk.length
        end = self.now - SPAN * random.random() ** 3
        longest = end - (self.now - SPAN)
        pace = LONGEST_PAUSE * random.random() ** 3
        each = max(min(longest, pace * length) // length, timedelta(microseconds=1))
        width = each // timedelta(microseconds=1)
        moment = end - each * length
        for _ in range(length):
            yield moment + timedelta(microseconds=random.randrange(width))
            moment += each


def text(random: Random, phrases: Sequence[str]) -> str:
    """Return a text of these phrases, 1 to 1024 characters, 180 on average."""
    wanted = random.expovariate(1 / WANTED_CHARS)
    words = random.choice(phrases)
    while len(words) < wanted:
        words = f"{words}{random.choice(JOINTS)}{random.choice(phrases)}"
    return words[:MESSAGE_MAX_CHARS]
