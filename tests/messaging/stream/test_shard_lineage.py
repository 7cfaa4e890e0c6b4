"""The consumer on a scripted stream, for what emulators never do: splits, late children, expiry, trimming."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from messaging.domain.entities import Conversation
from messaging.dynamodb.shards import SHARD_START, StreamGone
from messaging.dynamodb.table import MessageTable
from messaging.stream.consumer import DESCRIBE_SECONDS, POLL_SECONDS
from messaging.stream.consumer_types import SHARD_END
from tests.messaging.scripted_watch import PassingTime, Watched
from tests.messaging.talk import ANDREW, BAYKO, entry_of, send, start

from .scripted_stream import ITERATOR_SECONDS, ScriptedStream, refused


@pytest.fixture
def versions(moto_table: MessageTable) -> list[Conversation]:
    """Return six images of one conversation, oldest first; the table has the newest."""
    start()
    found = [*moto_table.conversations()]
    for number in range(5):
        send(by=(ANDREW, BAYKO)[number % 2])
        found += moto_table.conversations()
    return found


@pytest.fixture
def split(versions: list[Conversation]) -> ScriptedStream:
    """Create two children listed before their parent, which looks open; its own parent is long gone."""
    stream = ScriptedStream()
    stream.open_shard("child-1", "parent")
    stream.open_shard("child-2", "parent")
    stream.open_shard("parent", "long gone")
    stream.shards["parent"].closed, stream.shards["parent"].says_closed = True, False
    for shard_id, images in {"parent": versions[:2], "child-1": versions[2:4], "child-2": versions[4:]}.items():
        stream.write(shard_id, *images)
    stream.page = 1
    return stream


def begun(stream: ScriptedStream, table: MessageTable, saved: dict[str, str] | None = None) -> Watched:
    watched = Watched.of(stream, table, saved)
    watched.consumer.begin()
    return watched


def stale(table: MessageTable) -> None:
    """Let the entries be as if nothing had been projected."""
    for user in (ANDREW, BAYKO):
        entry = entry_of(table, user)
        key = {"pk": {"S": f"GRP#{user}"}, "sk": {"S": str(entry.group_uuid)}}
        table.client.delete_item(TableName=table.name, Key=key)


# --- Lineage ----------------------------------------------------------------------------------------------------------


def test_every_shard_is_read_after_its_parent(moto_table: MessageTable, split: ScriptedStream) -> None:
    begun(split, moto_table).read_all()

    assert split.read[:2] == ["parent", "parent"]
    assert sorted(split.read) == ["child-1"] * 2 + ["child-2"] * 2 + ["parent"] * 2
    assert entry_of(moto_table, BAYKO).last_seq == 6


def test_a_parent_that_looks_open_is_read_to_its_end_first(moto_table: MessageTable, split: ScriptedStream) -> None:
    split.shards["parent"].closed = False
    watched = begun(split, moto_table)
    watched.read_all()
    assert set(split.read) == {"parent"}

    split.shards["parent"].closed = True
    watched.read_all()
    assert split.read.count("child-1") == split.read.count("child-2") == 2


def test_merged_shards_have_one_child(moto_table: MessageTable, versions: list[Conversation]) -> None:
    stream = ScriptedStream()
    stream.open_shard("one")
    stream.open_shard("other")
    stream.write("one", versions[0])
    stream.write("other", versions[1])
    stream.merge("one", "other", "both")
    stream.write("both", *versions[2:])
    begun(stream, moto_table).read_all()

    assert sorted(stream.read) == ["both"] * 4 + ["one", "other"]


def test_a_generation_that_ended_before_it_was_listed_is_read(
    moto_table: MessageTable, versions: list[Conversation]
) -> None:
    stream = ScriptedStream()
    stream.open_shard("first")
    stream.write("first", versions[0])
    watched = begun(stream, moto_table)
    for generation, (parent, child) in enumerate([("first", "second"), ("second", "third")], start=1):
        stream.split(parent, child, listed_after=2)
        stream.write(child, versions[generation])
    for _ in range(4):
        watched.read_all()

    assert stream.read == ["first", "second", "third"]


@pytest.mark.parametrize("listed_after", [0, 1, 2, 3, 4])
def test_a_child_that_is_listed_late_is_found_soon(
    moto_table: MessageTable, versions: list[Conversation], listed_after: int
) -> None:
    """Shards are listed at once when one ends, then after 1, 2, 4 and 8 seconds."""
    stream = ScriptedStream()
    stream.open_shard("parent")
    watched = Watched.of(stream, moto_table, time=PassingTime(waits=400))
    ended_at = 20.0
    found_at: list[float] = []

    def at_wait() -> None:
        stream.next_pass()
        if watched.time.now >= ended_at and not stream.shards["parent"].closed:
            stream.split("parent", "child", listed_after=listed_after)
            stream.write("child", versions[0])
        if "child" in stream.read and not found_at:
            found_at.append(watched.time.now)

    watched.time.at_wait = at_wait
    watched.consumer.run(watched.time)

    allowed = (0, 1, 3, 7, 15)[listed_after] + 8 * POLL_SECONDS
    assert found_at
    assert found_at[0] - ended_at <= allowed


def test_shards_are_listed_though_records_keep_coming(moto_table: MessageTable, versions: list[Conversation]) -> None:
    stream = ScriptedStream(page=1)
    stream.open_shard("busy")
    stream.write("busy", *versions[:1] * 200)
    watched = Watched.of(stream, moto_table, time=PassingTime(waits=100))
    before = 0
    listed_at: list[float] = []

    def at_wait() -> None:
        nonlocal before
        stream.next_pass()
        listings = stream.operations.count("describe_stream")
        if listings > before:
            listed_at.append(watched.time.now)
        before = listings

    watched.time.at_wait = at_wait
    watched.consumer.run(watched.time)

    assert len(stream.read) == 100
    assert max(later - earlier for earlier, later in pairwise([*listed_at, watched.time.now])) <= DESCRIBE_SECONDS


def test_it_does_not_ask_a_shard_more_often_than_it_answers(
    moto_table: MessageTable, versions: list[Conversation]
) -> None:
    stream = ScriptedStream(page=1)
    stream.open_shard("busy")
    stream.write("busy", *versions * 10)
    watched = Watched.of(stream, moto_table, time=PassingTime(waits=20))
    watched.consumer.run(watched.time)

    assert stream.operations.count("get_records") <= watched.time.now * 5


def test_a_shard_at_its_end_is_remembered_as_such(moto_table: MessageTable, split: ScriptedStream) -> None:
    watched = begun(split, moto_table)
    watched.read_all()

    assert watched.checkpoints.load() == {
        "parent": SHARD_END,
        "child-1": split.sequence_number("child-1", 1),
        "child-2": split.sequence_number("child-2", 1),
    }


def test_a_shard_of_which_nothing_was_read_is_remembered_too(moto_table: MessageTable) -> None:
    stream = ScriptedStream()
    stream.open_shard("idle")
    watched = begun(stream, moto_table)
    watched.read_all()

    assert watched.checkpoints.load() == {"idle": SHARD_START}
    Watched.of(stream, moto_table, watched.checkpoints.load()).consumer.begin()
    assert stream.opened == [("idle", SHARD_START)] * 2


def test_empty_pages_do_not_end_a_shard(moto_table: MessageTable, split: ScriptedStream) -> None:
    split.empty_pages = [True, True, False, True, True, False]
    watched = begun(split, moto_table)
    for _ in range(20):
        watched.poll()
        watched.consumer.find_shards()

    assert split.read.count("child-1") == split.read.count("child-2") == 2


# --- Iterators that expire --------------------------------------------------------------------------------------------


def test_an_expired_iterator_is_resumed_after_the_checkpoint(moto_table: MessageTable, split: ScriptedStream) -> None:
    watched = begun(split, moto_table)
    watched.poll()
    watched.time.now += ITERATOR_SECONDS + 1
    watched.poll()
    watched.read_all()

    assert split.opened[:2] == [("parent", SHARD_START), ("parent", "AFTER_SEQUENCE_NUMBER")]
    assert split.read.count("parent") == 2


def test_iterators_may_expire_all_the_time(moto_table: MessageTable, split: ScriptedStream) -> None:
    watched = begun(split, moto_table)
    for number in range(40):
        split.iterator_calls = 0 if number % 2 else None
        watched.poll()
        watched.consumer.find_shards()

    assert sorted(split.read) == ["child-1"] * 2 + ["child-2"] * 2 + ["parent"] * 2


# --- Trimmed data -----------------------------------------------------------------------------------------------------


def test_data_trimmed_while_it_was_away_is_followed_by_a_full_projection(
    moto_table: MessageTable, split: ScriptedStream, caplog: pytest.LogCaptureFixture
) -> None:
    stale(moto_table)
    saved = {"parent": split.sequence_number("parent", 0)}
    split.trim("parent", 2)
    watched = begun(split, moto_table, saved)

    assert entry_of(moto_table, BAYKO).last_seq == 6
    assert "are gone that were not read: parent" in caplog.text
    watched.read_all()
    assert split.read.count("child-1") == 2


def test_data_trimmed_while_it_reads_is_followed_by_a_full_projection(
    moto_table: MessageTable, split: ScriptedStream
) -> None:
    watched = begun(split, moto_table, {"parent": SHARD_START})
    watched.poll()
    assert entry_of(moto_table, BAYKO).last_seq == 1
    split.trim("parent", 2)
    watched.poll()

    assert entry_of(moto_table, BAYKO).last_seq == 6
    watched.read_all()
    assert split.read.count("parent") == 1


def test_shards_trimmed_at_once_are_followed_by_one_full_projection(
    moto_table: MessageTable, split: ScriptedStream
) -> None:
    saved = {"parent": SHARD_END} | {child: split.sequence_number(child, 0) for child in ("child-1", "child-2")}
    watched = Watched.of(split, moto_table, saved)
    projections: list[object] = []
    watched.consumer.applied = lambda batch: projections.append(batch) if batch.shard_id is None else None
    split.trim("child-1", 2)
    split.trim("child-2", 2)
    watched.consumer.begin()
    watched.read_all()

    assert len(projections) == 1


def test_other_shards_go_on_where_they_were_after_one_was_trimmed(
    moto_table: MessageTable, split: ScriptedStream
) -> None:
    saved = {"parent": SHARD_END, "child-1": split.sequence_number("child-1", 0)}
    saved["child-2"] = split.sequence_number("child-2", 1)
    split.trim("child-1", 2)
    begun(split, moto_table, saved).read_all()

    assert split.read == []


def test_a_shard_that_is_gone_before_its_end_was_read_is_followed_by_a_full_projection(
    moto_table: MessageTable, split: ScriptedStream
) -> None:
    stale(moto_table)
    saved = {"parent": split.sequence_number("parent", 0)}
    split.trim_away("parent")
    watched = begun(split, moto_table, saved)

    assert entry_of(moto_table, BAYKO).last_seq == 6
    watched.read_all()
    assert "parent" not in watched.checkpoints.load()


def test_a_generation_that_came_and_went_unseen_is_followed_by_a_full_projection(
    moto_table: MessageTable, versions: list[Conversation]
) -> None:
    """The end of the first is noted and the third is there: nothing but its unknown parent tells of the second."""
    stream = ScriptedStream()
    stream.open_shard("first")
    stream.split("first", "second")
    stream.write("second", *versions)
    stream.split("second", "third")
    stream.trim_away("second")
    stale(moto_table)
    begun(stream, moto_table, {"first": SHARD_END})

    assert entry_of(moto_table, BAYKO).last_seq == 6


def test_a_checkpoint_of_another_stream_is_followed_by_a_full_projection(
    moto_table: MessageTable, split: ScriptedStream
) -> None:
    stale(moto_table)
    begun(split, moto_table, {"foreign": SHARD_END})

    assert entry_of(moto_table, BAYKO).last_seq == 6


def test_a_number_that_is_none_of_the_shard_s_is_followed_by_a_full_projection(
    moto_table: MessageTable, split: ScriptedStream
) -> None:
    stale(moto_table)
    watched = begun(split, moto_table, {"parent": "17"})

    assert entry_of(moto_table, BAYKO).last_seq == 6
    watched.read_all()
    assert split.read.count("parent") == 2


# --- What is forgotten ------------------------------------------------------------------------------------------------


def test_the_end_of_a_shard_is_forgotten_when_it_is_trimmed_away(
    moto_table: MessageTable, split: ScriptedStream
) -> None:
    watched = begun(split, moto_table)
    watched.read_all()
    split.trim_away("parent")
    for _ in range(2):
        watched.consumer.find_shards()

    assert sorted(watched.checkpoints.load()) == ["child-1", "child-2"]
    assert sorted(watched.consumer._positions) == ["child-1", "child-2"]


def test_one_listing_without_a_shard_does_not_forget_its_end(moto_table: MessageTable, split: ScriptedStream) -> None:
    watched = begun(split, moto_table)
    watched.read_all()
    for is_missing in (True, False, True, False):
        split.shards["parent"].gone = is_missing
        watched.consumer.find_shards()

    assert watched.checkpoints.load()["parent"] == SHARD_END
    assert split.read.count("parent") == 2


def test_state_does_not_grow_over_weeks(moto_table: MessageTable, versions: list[Conversation]) -> None:
    stream = ScriptedStream()
    stream.open_shard("0")
    watched = begun(stream, moto_table)
    for number in range(100):
        stream.write(str(number), replace(versions[-1]))
        stream.split(str(number), str(number + 1))
        if number > 6:
            stream.trim_away(str(number - 6))
        watched.read_all()

    assert len(stream.read) == 100
    assert len(watched.checkpoints.load()) <= 9
    assert len(watched.consumer._positions) <= 9


# --- The stream as a whole --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["describe_stream", "get_shard_iterator", "get_records"])
def test_a_stream_that_is_gone_is_said_to_be(moto_table: MessageTable, split: ScriptedStream, operation: str) -> None:
    watched = Watched.of(split, moto_table)
    split.faults[operation] = [refused("ResourceNotFoundException")]

    with pytest.raises(StreamGone):
        watched.consumer.run(watched.time)


def test_new_stream_is_read_from_the_start(moto_table: MessageTable, split: ScriptedStream) -> None:
    watched = begun(split, moto_table)
    watched.read_all()
    split.shards.clear()
    stale(moto_table)
    split.open_shard("new")
    split.next_consumer(watched.checkpoints.load())
    watched.consumer.begin()

    assert entry_of(moto_table, BAYKO).last_seq == 6
    watched.poll()
    assert watched.checkpoints.load()["new"] == SHARD_START
