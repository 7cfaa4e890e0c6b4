"""Invented conversations: true to the model, uneven as life is, the same for the same seed."""

from __future__ import annotations

import tracemalloc
import unicodedata
from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise
from random import Random
from statistics import mean
from uuid import UUID

import pytest

from messaging.domain.entities import Entry, Message
from messaging.domain.text import MESSAGE_MAX_CHARS, problem_with
from messaging.domain.timestamps import parse_created_at
from messaging.domain.transitions import conversation_from_messages
from messaging.dynamodb.codec import conversation_item, entry_item, message_item
from messaging.dynamodb.keys import user_pk
from messaging.operations.seeding import phrasebooks
from messaging.operations.synthetic import (
    SPAN,
    ImpossibleVolume,
    MessageTexts,
    SyntheticConversation,
    Volume,
    fewest_people,
    pairs,
    shares,
    synthetic_conversations,
    text,
    volume_of,
)
from tests.messaging.capacity import write_units
from tests.messaging.talk import ANDREW, BAYKO

NOW = datetime(2026, 11, 21, 9, 5, tzinfo=UTC)


def people(number: int) -> list[UUID]:
    return [UUID(int=each) for each in range(1, number + 1)]


def plan(volume: Volume, seed: int = 1) -> list[SyntheticConversation]:
    return list(synthetic_conversations(people(volume.users), volume, random_seed=seed))


def telling(length: int, seed: str = "1") -> MessageTexts:
    return MessageTexts(SyntheticConversation((ANDREW, BAYKO), length, seed), NOW, phrasebooks())


def told(length: int, seed: str = "1") -> tuple[MessageTexts, list[Message]]:
    each = telling(length, seed)
    return each, list(each.messages())


# --- How much ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "volume"),
    [
        ({"messages": 100_000}, Volume(1000, 5000, 100_000)),
        ({"messages": 1}, Volume(2, 1, 1)),
        ({"conversations": 500}, Volume(100, 500, 10_000)),
        ({"conversations": 1}, Volume(2, 1, 20)),
        ({"conversations": 10}, Volume(7, 10, 200)),
        ({"users": 100}, Volume(100, 500, 10_000)),
        ({"users": 2}, Volume(2, 1, 20)),
        ({"users": 5}, Volume(5, 10, 200)),
        ({"users": 100, "messages": 100}, Volume(100, 5, 100)),
        ({"users": 4, "messages": 10_000}, Volume(4, 6, 10_000)),
        ({"users": 3, "conversations": 3}, Volume(3, 3, 60)),
        ({"conversations": 10, "messages": 10}, Volume(7, 10, 10)),
        ({"users": 2, "conversations": 1, "messages": 100_000}, Volume(2, 1, 100_000)),
    ],
)
def test_missing_numbers_are_derived(given: dict[str, int], volume: Volume) -> None:
    assert volume_of(**given) == volume


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"users": 1}, "at least --users 2"),
        ({"users": 20, "conversations": 191}, "20 people can have 190 conversations at most.* --users 21"),
        ({"conversations": 5, "messages": 4}, "at least --messages 5, or at most --conversations 4"),
    ],
)
def test_numbers_that_contradict_each_other_are_refused(given: dict[str, int], sentence: str) -> None:
    with pytest.raises(ImpossibleVolume, match=sentence):
        volume_of(**given)


def test_the_fewest_people_are_just_enough() -> None:
    for conversations in range(1, 500):
        fewest = fewest_people(conversations)
        assert pairs(fewest - 1) < conversations <= pairs(fewest)


# --- Members of conversations -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "volume",
    [
        Volume(2, 1, 1),
        Volume(2, 1, 500),
        Volume(20, 190, 1000),
        Volume(20, 189, 189),
        Volume(300, 40, 700),
        Volume(1000, 5000, 100_000),
    ],
)
def test_there_are_as_many_as_wanted_and_no_pair_twice(volume: Volume) -> None:
    planned = plan(volume)

    assert len(planned) == volume.conversations
    assert sum(talk.length for talk in planned) == volume.messages
    assert min(talk.length for talk in planned) >= 1
    assert len({frozenset(talk.member_uuids) for talk in planned}) == volume.conversations
    assert all(len(set(talk.member_uuids)) == 2 for talk in planned)
    assert {uuid for talk in planned for uuid in talk.member_uuids} <= set(people(volume.users))
    assert len({talk.random_seed for talk in planned}) == volume.conversations


def test_a_few_have_many_and_a_few_are_long() -> None:
    planned = plan(Volume(1000, 5000, 100_000))

    had = Counter(uuid for talk in planned for uuid in talk.member_uuids)
    lengths = sorted((talk.length for talk in planned), reverse=True)
    assert had.most_common(1)[0] == (people(1)[0], max(had.values()))
    assert had.most_common(1)[0][1] > 500
    assert sorted(had.values())[500] < 20
    assert lengths[0] > 5000
    assert lengths[2500] < 20


def test_the_longest_comes_first_so_that_nobody_waits_for_it_in_the_end() -> None:
    planned = plan(Volume(100, 500, 10_000))

    assert planned[0].length == max(talk.length for talk in planned)
    assert [talk.length for talk in planned] != sorted((talk.length for talk in planned), reverse=True)


@pytest.mark.parametrize(("total", "parts"), [(0, 3), (1, 5), (100, 1), (99_999, 1000), (5, 5)])
def test_shares_sum_to_the_total(total: int, parts: int) -> None:
    assert sum(shares(total, parts)) == total
    assert len(list(shares(total, parts))) == parts
    assert min(shares(total, parts)) >= 0


def test_the_same_seed_gives_the_same_plan() -> None:
    volume = Volume(50, 100, 2000)

    assert plan(volume, 7) == plan(volume, 7) != plan(volume, 8)


# --- What is said -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [1, 2, 3, 40, 3000])
@pytest.mark.parametrize("seed", ["1", "2", "3", "4"])
def test_messages_are_numbered_without_a_gap_and_strictly_later_each(length: int, seed: str) -> None:
    _, messages = told(length, seed)

    assert [message.seq for message in messages] == list(range(1, length + 1))
    moments = [parse_created_at(message.created_at) for message in messages]
    assert all(one < other for one, other in pairwise(moments))
    assert moments[0] >= NOW - SPAN
    assert moments[-1] <= NOW
    assert len({message.message_uuid for message in messages}) == length
    assert {message.user_uuid for message in messages} <= {ANDREW, BAYKO}


def test_times_have_microseconds_and_differ_between_conversations() -> None:
    messages = [message for seed in range(30) for message in told(5, str(seed))[1]]

    assert sum(message.created.microsecond == 0 for message in messages) < 3
    assert len({message.created.date() for message in messages}) > 30


def test_more_messages_than_microseconds_still_have_an_order() -> None:
    each = MessageTexts(SyntheticConversation((ANDREW, BAYKO), 10, "1"), NOW, phrasebooks())
    each._random.random = lambda: 1e-9  # type: ignore[method-assign]  # all at once, just now

    moments = [message.created for message in each.messages()]

    assert all(one < other for one, other in pairwise(moments))
    assert moments[-1] <= NOW


@pytest.mark.parametrize("length", [1, 2, 7, 300])
def test_the_conversation_is_what_its_messages_make(length: int) -> None:
    each, messages = told(length)

    assert each.conversation == conversation_from_messages(messages, member_uuids=frozenset((ANDREW, BAYKO)))


def test_before_it_is_told_there_is_no_conversation() -> None:
    each = telling(3)
    next(each.messages())

    with pytest.raises(ValueError, match="not told to the end"):
        _ = each.conversation


def entries_of_many(length: int) -> list[tuple[Entry, list[Message]]]:
    tellings = [told(length, str(seed)) for seed in range(60)]
    return [(entry, messages) for each, messages in tellings for entry in each.entries()]


def test_entries_are_copied_from_the_conversation_and_lie_in_the_inbox() -> None:
    for entry, messages in entries_of_many(8):
        sent = [message.seq for message in messages if message.user_uuid == entry.user_uuid]
        assert (entry.last_seq, entry.version, entry.last_message_at) == (8, 8, messages[-1].created_at)
        assert entry.sent_seq == max(sent, default=0)
        assert entry.inbox == user_pk(entry.user_uuid)


def test_read_positions_are_messages_and_reach_to_one_s_own_last() -> None:
    for entry, messages in entries_of_many(8):
        positions = {0: ""} | {message.seq: message.created_at for message in messages}
        assert entry.read_sk == positions[entry.read_seq]
        assert entry.read_seq >= entry.sent_seq


def test_some_have_unread_messages_and_most_have_not() -> None:
    entries = [entry for entry, _ in entries_of_many(8)]
    for entry, messages in entries_of_many(8):
        after = [message for message in messages if message.seq > max(entry.read_seq, entry.sent_seq)]
        assert entry.unread == len(after)
        assert all(message.user_uuid != entry.user_uuid for message in after)

    unread = [entry.unread for entry in entries if entry.unread]
    assert len(entries) / 20 < len(unread) < len(entries) / 2
    assert max(unread) > 1


def test_the_same_seed_tells_the_same() -> None:
    assert told(9, "7")[1] == told(9, "7")[1]
    assert told(9, "7")[1] != told(9, "8")[1]


def test_texts_can_be_sent_and_differ_in_length_and_script() -> None:
    texts = [message.message for seed in range(150) for message in told(40, str(seed))[1]]

    assert {problem_with(each) for each in texts} == {None}
    assert all(unicodedata.is_normalized("NFC", each) for each in texts)
    assert 160 < mean(map(len, texts)) < 200
    assert min(map(len, texts)) == 1
    assert max(map(len, texts)) == MESSAGE_MAX_CHARS
    assert len(set(texts)) > len(texts) * 0.6
    for script in ("LATIN", "ARABIC", "HEBREW", "CJK", "CYRILLIC", "GREEK", "HANGUL", "DEVANAGARI"):
        assert any(unicodedata.name(char, "").startswith(script) for each in texts for char in each), script
    assert any(unicodedata.category(char) == "So" for each in texts for char in each)


def test_a_phrase_alone_is_a_text() -> None:
    assert {text(Random(seed), ["?"])[0] for seed in range(5)} == {"?"}
    assert min(len(text(Random(seed), ["?"])) for seed in range(500)) == 1


# --- What it costs ----------------------------------------------------------------------------------------------------


def test_messages_are_not_kept_in_memory() -> None:
    each = telling(4000)
    messages = each.messages()
    next(messages)
    tracemalloc.start()
    try:
        for _ in messages:
            pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 100_000


def test_the_units_it_says_it_takes_are_those_of_its_items() -> None:
    volume = Volume(40, 60, 1200)
    units = 0
    for talk in plan(volume):
        each = MessageTexts(talk, NOW, phrasebooks())
        items = [message_item(message) for message in each.messages()]
        items += [conversation_item(each.conversation), *map(entry_item, each.entries())]
        units += sum(write_units({}, item, transaction=False) for item in items)

    assert volume.write_units == pytest.approx(units, rel=0.03)
    assert volume.table_write_units == pytest.approx(units - 4 * volume.conversations, rel=0.03)
