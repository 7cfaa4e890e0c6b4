"""The seed: worth reading, true to the model, safe to repeat."""

import unicodedata
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from messaging import conversations
from messaging.bulk import put_messages
from messaging.dynamodb import MessageTable
from messaging.items import Message, pair_group_uuid
from messaging.projection import project
from messaging.seeding import SeedConversation, seed, seed_conversations
from messaging.text import problem_with
from users.people import seeded_people

from .talk import ANDREW, BAYKO, GROUP

NOW = datetime(2026, 11, 21, 9, 5, tzinfo=UTC)
SHORT = SeedConversation(
    ("andrewbrown", "bayko"), 60, {"andrewbrown": 2}, [("andrewbrown", 0, "A"), ("bayko", 5, "B"), ("bayko", 0, "C")]
)
PEOPLE = {"andrewbrown": ANDREW, "bayko": BAYKO}


def test_it_has_the_people_and_conversations_that_lists_need() -> None:
    handles = [person.handle for person in seeded_people()]
    talks = seed_conversations()
    with_andrew = [talk for talk in talks if "andrewbrown" in talk.between]

    assert handles[:4] == ["andrewbrown", "bayko", "londo", "altbrown"]
    assert len(handles) == len(set(handles)) >= 24
    assert talks[0].between == ("andrewbrown", "bayko")
    assert len(talks[0].messages) >= 104
    assert len(with_andrew) >= 25
    assert len({frozenset(talk.between) for talk in talks}) == len(talks)
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


def test_what_is_unread_was_written_by_the_other_after_one_s_own_last() -> None:
    for talk in seed_conversations():
        for handle, unread in talk.unread.items():
            assert all(sender != handle for sender, _, _ in talk.messages[-unread:])


def test_all_of_it_is_written_as_the_model_demands(table: MessageTable) -> None:
    talks = seed_conversations()
    people = {person.handle: pair_group_uuid(ANDREW, BAYKO) for person in seeded_people()}
    people = {handle: type(ANDREW)(int=number) for number, handle in enumerate(people, start=1)}

    assert all(written for _, written in seed(table, talks, people=people, now=NOW))

    found = {conversation.group_uuid: conversation for conversation in table.conversations()}
    assert len(found) == len(talks)
    for talk in talks:
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

    times = [m.created for m in conversations.thread(user_uuid=ANDREW, group_uuid=GROUP).messages]

    end = NOW - timedelta(hours=1)
    assert times == [end - timedelta(minutes=5), end, end + timedelta(microseconds=1)]


def test_again_it_leaves_what_is_there(moto_table: MessageTable) -> None:
    list(seed(moto_table, [SHORT], people=PEOPLE, now=NOW))

    assert [written for _, written in seed(moto_table, [SHORT], people=PEOPLE, now=NOW + timedelta(days=3))] == [False]
    assert len(conversations.thread(user_uuid=ANDREW, group_uuid=GROUP).messages) == 3


def test_after_it_was_killed_half_way_it_leaves_no_remains(moto_table: MessageTable) -> None:
    remains = Message(GROUP, "2026-11-01T00:00:00.000000+00:00", 1, "A", GROUP, ANDREW)
    put_messages(moto_table, [remains])

    list(seed(moto_table, [SHORT], people=PEOPLE, now=NOW))

    assert [m.message for m in conversations.thread(user_uuid=ANDREW, group_uuid=GROUP).messages] == ["A", "B", "C"]


def test_a_person_who_is_missing_is_named(moto_table: MessageTable) -> None:
    with pytest.raises(KeyError, match="bayko"):
        list(seed(moto_table, [SHORT], people={"andrewbrown": ANDREW}, now=NOW))
