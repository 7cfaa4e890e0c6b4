"""The seed: worth reading, true to the model, safe to repeat."""

import unicodedata
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from threading import Event, Thread
from typing import Any
from uuid import UUID

import pytest

from messaging.domain.entities import Message, pair_group_uuid
from messaging.domain.text import problem_with
from messaging.domain.transitions import conversation_from_messages
from messaging.dynamodb.bulk import put_messages
from messaging.dynamodb.client import ServiceError
from messaging.dynamodb.codec import entry_from
from messaging.dynamodb.item_kinds import kind_of
from messaging.dynamodb.table import MessageTable
from messaging.operations import seeding
from messaging.operations.seeding import (
    SeedConversation,
    SyntheticSeeding,
    phrasebooks,
    seed,
    seed_conversations,
)
from messaging.operations.synthetic import MessageTexts, SyntheticConversation, Volume, synthetic_conversations
from messaging.queries import conversations
from messaging.stream.projection import project
from tests.conftest import Calls
from tests.messaging.damage import everything, restore
from tests.messaging.faults import answer
from tests.messaging.stream.test_consumer import Remembered, consumer, drained
from tests.messaging.talk import ANDREW, BAYKO, GROUP, drain, send, start
from users.people import seeded_people

NOW = datetime(2026, 11, 21, 9, 5, tzinfo=UTC)
SHORT = SeedConversation(
    ("andrewbrown", "bayko"), 60, {"andrewbrown": 2}, [("andrewbrown", 0, "A"), ("bayko", 5, "B"), ("bayko", 0, "C")]
)
PEOPLE = {"andrewbrown": ANDREW, "bayko": BAYKO}


def test_it_has_the_people_and_conversations_that_lists_need() -> None:
    handles = [person.handle for person in seeded_people()]
    synthetic_conversations = seed_conversations()
    with_andrew = [talk for talk in synthetic_conversations if "andrewbrown" in talk.between]

    assert handles[:4] == ["andrewbrown", "bayko", "londo", "altbrown"]
    assert len(handles) == len(set(handles)) >= 24
    assert synthetic_conversations[0].between == ("andrewbrown", "bayko")
    assert len(synthetic_conversations[0].messages) >= 104
    assert len(with_andrew) >= 25
    assert len({frozenset(talk.between) for talk in synthetic_conversations}) == len(synthetic_conversations)
    assert any(talk.ends_minutes_ago > 366 * 24 * 60 for talk in with_andrew) or any(
        (NOW - timedelta(minutes=talk.ends_minutes_ago)).year < NOW.year for talk in with_andrew
    )
    assert any(talk.unread.get("andrewbrown") for talk in with_andrew)


def test_its_texts_can_all_be_sent_and_differ_in_script_and_length() -> None:
    texts = [text for talk in seed_conversations() for _, _, text in talk.messages]

    assert [text for text in texts if problem_with(text)] == []
    assert max(len(text) for text in texts) == 1024
    assert any("https://" in text for text in texts)
    for script in ("ARABIC", "HEBREW", "CJK", "CYRILLIC", "GREEK"):
        assert any(unicodedata.name(char, "").startswith(script) for text in texts for char in text), script


def test_unread_messages_follow_ones_own_last_message() -> None:
    for talk in seed_conversations():
        for handle, unread in talk.unread.items():
            assert all(sender != handle for sender, _, _ in talk.messages[-unread:])


def test_all_of_it_is_written_as_the_model_demands(table: MessageTable) -> None:
    synthetic_conversations = seed_conversations()
    people = {person.handle: pair_group_uuid(ANDREW, BAYKO) for person in seeded_people()}
    people = {handle: type(ANDREW)(int=number) for number, handle in enumerate(people, start=1)}

    assert all(written for _, written in seed(table, synthetic_conversations, people=people, now=NOW))

    found = {conversation.group_uuid: conversation for conversation in table.conversations()}
    assert len(found) == len(synthetic_conversations)
    for talk in synthetic_conversations:
        group = pair_group_uuid(*(people[handle] for handle in talk.between))
        messages = table.messages_after(group, "", limit=1000)
        assert [m.seq for m in messages] == list(range(1, len(talk.messages) + 1))
        assert all(one.created_at < other.created_at for one, other in pairwise(messages))
        assert (found[group].seq, found[group].last_sk) == (len(messages), messages[-1].created_at)
        for handle in talk.between:
            _, entry = table.conversation_and_entry(group, people[handle])
            assert entry is not None
            assert entry.unread == talk.unread.get(handle, 0)
    assert project(table, table.conversations()) == 0


def test_its_times_are_relative_to_now(moto_table: MessageTable) -> None:
    list(seed(moto_table, [SHORT], people=PEOPLE, now=NOW))

    times = [m.created for m in conversations.load_conversation(user_uuid=ANDREW, group_uuid=GROUP).messages]

    end = NOW - timedelta(hours=1)
    assert times == [end - timedelta(minutes=5), end, end + timedelta(microseconds=1)]


def test_repeated_seed_keeps_existing_items(moto_table: MessageTable) -> None:
    list(seed(moto_table, [SHORT], people=PEOPLE, now=NOW))

    assert [written for _, written in seed(moto_table, [SHORT], people=PEOPLE, now=NOW + timedelta(days=3))] == [False]
    assert len(conversations.load_conversation(user_uuid=ANDREW, group_uuid=GROUP).messages) == 3


def test_after_it_was_killed_half_way_it_leaves_no_remains(moto_table: MessageTable) -> None:
    remains = Message(GROUP, "2026-11-01T00:00:00.000000+00:00", 1, "A", GROUP, ANDREW)
    put_messages(moto_table, [remains])

    list(seed(moto_table, [SHORT], people=PEOPLE, now=NOW))

    assert [m.message for m in conversations.load_conversation(user_uuid=ANDREW, group_uuid=GROUP).messages] == [
        "A",
        "B",
        "C",
    ]


def test_a_person_who_is_missing_is_named(moto_table: MessageTable) -> None:
    with pytest.raises(KeyError, match="bayko"):
        list(seed(moto_table, [SHORT], people={"andrewbrown": ANDREW}, now=NOW))


# --- Invented conversations -------------------------------------------------------------------------------------------

SOME = Volume(12, 30, 900)
PEOPLE_OF_SOME = [UUID(int=number) for number in range(1, SOME.users + 1)]


def plan(volume: Volume = SOME) -> Iterator[SyntheticConversation]:
    return synthetic_conversations(PEOPLE_OF_SOME, volume, random_seed=1)


def items(table: MessageTable) -> list[dict[str, Any]]:
    pages = table.client.get_paginator("scan").paginate(TableName=table.name, ConsistentRead=True)
    return [item for page in pages for item in page["Items"]]


def unread(table: MessageTable) -> dict[tuple[UUID, UUID], int]:
    entries = [entry_from(item) for item in items(table) if kind_of(item) == "entry"]
    return {(entry.user_uuid, entry.group_uuid): entry.unread for entry in entries}


def unread_as_planned() -> dict[tuple[UUID, UUID], int]:
    found: dict[tuple[UUID, UUID], int] = {}
    for talk in plan():
        each = MessageTexts(talk, NOW, phrasebooks())
        list(each.messages())
        found |= {(entry.user_uuid, entry.group_uuid): entry.unread for entry in each.entries()}
    return found


@contextmanager
def refused(table: MessageTable, what: bytes) -> Iterator[None]:
    """Make DynamoDB refuse every batch whose request contains these bytes."""

    def refuse(request: Any, **_: Any) -> Any:
        return answer("AccessDeniedException")() if what in request.body else None

    table.client.meta.events.register_first("before-send.dynamodb.BatchWriteItem", refuse)
    try:
        yield
    finally:
        table.client.meta.events.unregister("before-send.dynamodb.BatchWriteItem", refuse)


@pytest.mark.parametrize("threads", [1, 3])
def test_invented_conversations_are_whole_and_as_the_model_demands(table: MessageTable, threads: int) -> None:
    told: list[int] = []
    growing = SyntheticSeeding(table, NOW, threads)

    growing.write(plan(), told.append)

    assert Counter(map(kind_of, items(table))) == {"message": 900, "conversation": 30, "entry": 60}
    for conversation in table.conversations():
        messages = table.messages_after(conversation.group_uuid, "", limit=1000)
        assert [message.seq for message in messages] == list(range(1, conversation.seq + 1))
        assert conversation == conversation_from_messages(messages, member_uuids=conversation.member_uuids)
        assert conversation.group_uuid == pair_group_uuid(*conversation.member_uuids)
    assert (growing.conversations, growing.messages, sum(told)) == (30, 900, 900)


def test_the_projection_has_nothing_to_move(table: MessageTable) -> None:
    SyntheticSeeding(table, NOW).write(plan())

    assert project(table, table.conversations()) == 0
    assert unread(table) == unread_as_planned()


def test_however_many_threads_write_the_same_is_written(table: MessageTable) -> None:
    SyntheticSeeding(table, NOW, 4).write(plan())
    by_four = items(table)
    SyntheticSeeding(table, NOW, 1).write(plan())

    assert sorted(map(repr, items(table))) == sorted(map(repr, by_four))


def test_a_conversation_is_written_after_its_messages(table: MessageTable) -> None:
    growing = SyntheticSeeding(table, NOW, 1)

    with refused(table, b"#CONVERSATION"), pytest.raises(ServiceError):
        growing.write(plan())

    assert {kind_of(item) for item in items(table)} == {"message"}
    assert (growing.conversations, growing.messages) == (0, 0)
    assert growing.taken > 0


def test_entries_that_were_not_written_the_projection_completes(table: MessageTable) -> None:
    growing = SyntheticSeeding(table, NOW, 1)

    with refused(table, b"GRP#"), pytest.raises(ServiceError):
        growing.write(plan())

    assert {kind_of(item) for item in items(table)} == {"message", "conversation"}
    assert growing.conversations == 0
    conversations = list(table.conversations())
    assert project(table, conversations) == 2 * len(conversations)
    assert project(table, conversations) == 0


def test_when_a_thread_fails_the_others_stop(table: MessageTable, calls: Calls) -> None:
    with refused(table, b"PutRequest"), calls.counted(table.client), pytest.raises(ServiceError):
        SyntheticSeeding(table, NOW, 3).write(plan())

    assert 1 <= len(calls.operations) <= 3
    assert table.is_empty()


def test_nearly_all_batches_are_full(moto_table: MessageTable, calls: Calls) -> None:
    with calls.counted(moto_table.client):
        SyntheticSeeding(moto_table, NOW, 1).write(plan())

    assert len(calls.operations) <= (900 + 30 + 60) / 25 + 8


def test_a_consumer_of_the_stream_meanwhile_does_no_harm(table: MessageTable) -> None:
    reader, writing = consumer(table, Remembered()), Event()
    reader.begin()
    writing.set()

    def consume() -> None:
        while writing.is_set():
            reader.poll()

    worker = Thread(target=consume)
    worker.start()
    try:
        SyntheticSeeding(table, NOW, 2).write(plan())
    finally:
        writing.clear()
        worker.join()
    drained(reader)

    assert unread(table) == unread_as_planned()
    assert project(table, table.conversations()) == 0


def test_an_entry_that_the_consumer_made_first_gets_its_read_position(table: MessageTable) -> None:
    with refused(table, b"GRP#"), pytest.raises(ServiceError):
        SyntheticSeeding(table, NOW, 1).write(plan())
    project(table, table.conversations())

    SyntheticSeeding(table, NOW, 1).write(plan())

    assert unread(table) == unread_as_planned()


def _stopped_at(table: MessageTable, number: int, moment: str) -> None:
    """Write until the request of this number, from 0: stop before it is sent, or after it is done."""
    requests = count()

    def stop(**_: Any) -> None:
        if next(requests) == number:
            raise Interrupted

    event = f"{moment}.dynamodb.BatchWriteItem"
    table.client.meta.events.register(event, stop)
    try:
        SyntheticSeeding(table, NOW, 1).write(plan_of(8, 60))
    finally:
        table.client.meta.events.unregister(event, stop)


class Interrupted(Exception):
    """The run ends here."""


def plan_of(conversations: int, messages: int) -> Iterator[SyntheticConversation]:
    return synthetic_conversations(
        [UUID(int=each) for each in range(1, 7)], Volume(6, conversations, messages), random_seed=7
    )


@pytest.mark.parametrize("moment", ["before-call", "after-call"])
def test_wherever_a_run_stops_another_one_makes_the_same_table(
    moto_table: MessageTable, calls: Calls, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    monkeypatch.setattr(seeding, "PARCEL", 15)
    with calls.counted(moto_table.client) as made:
        SyntheticSeeding(moto_table, NOW, 1).write(plan_of(8, 60))
    whole = everything(moto_table)

    for number in range(made.operations.count("BatchWriteItem")):
        restore(moto_table, {})
        with pytest.raises(Interrupted):
            _stopped_at(moto_table, number, moment)
        project(moto_table, moto_table.conversations())
        completing = SyntheticSeeding(moto_table, NOW, 1, completes=True)
        completing.write(plan_of(8, 60))

        assert everything(moto_table) == whole, number
        assert (completing.conversations, completing.messages) == (8, 60)


def test_changes_of_conversations_since_the_import_stay(table: MessageTable, calls: Calls) -> None:
    SyntheticSeeding(table, NOW, 1).write(plan_of(8, 60))
    for conversation in list(table.conversations()):
        member = min(conversation.member_uuids)
        send(by=member, group=conversation.group_uuid, text="Since then")
    drain(table)
    since = everything(table)

    with calls.counted(table.client) as made:
        completing = SyntheticSeeding(table, NOW, 1, completes=True)
        completing.write(plan_of(8, 60))

    assert everything(table) == since
    assert completing.found == 8
    assert "BatchWriteItem" not in made.operations


def test_a_table_is_empty_without_any_item(either_table: MessageTable) -> None:
    assert either_table.is_empty()
    start()

    assert not either_table.is_empty()


def test_phrases_are_sentences_of_the_seed() -> None:
    phrases = [phrase for book in phrasebooks() for phrase in book]

    assert "Strange question." in phrases
    assert all(phrase == phrase.strip() and problem_with(phrase) is None for phrase in phrases)
    assert min(map(len, phrasebooks())) >= 9
