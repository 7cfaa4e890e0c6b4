"""The stream consumer on the emulator: lists follow, checkpoints hold, nothing is lost where there is none."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event, Thread

import pytest
import time_machine

from messaging.domain.entities import Conversation
from messaging.dynamodb.connection import streams_client
from messaging.dynamodb.schema import stream_arn
from messaging.dynamodb.table import MessageTable
from messaging.models import StreamCheckpoint
from messaging.queries import conversations
from messaging.stream.checkpoints import PostgresCheckpoints
from messaging.stream.consumer import StreamConsumer
from messaging.stream.consumer_types import SHARD_END
from messaging.stream.dead_letters import PostgresDeadLetters
from tests.conftest import Calls
from tests.messaging.capacity import items, units_written
from tests.messaging.talk import ANDREW, BAYKO, GROUP, entry_of, send, start

pytestmark = pytest.mark.django_db


@dataclass
class Remembered:
    """Checkpoints in memory."""

    saved: dict[str, str] = field(default_factory=dict)

    def load(self) -> dict[str, str]:
        return dict(self.saved)

    def save(self, shard_id: str, sequence_number: str) -> None:
        self.saved[shard_id] = sequence_number

    def forget(self, shard_ids: set[str] | None = None) -> None:
        for shard_id in list(self.saved) if shard_ids is None else shard_ids:
            self.saved.pop(shard_id, None)


@dataclass
class PutAside:
    """Dead letters in memory."""

    letters: list[dict[str, str | int]] = field(default_factory=list)

    def add(self, **letter: str | int) -> None:
        self.letters.append(letter)


def consumer(table: MessageTable, checkpoints: Remembered | None = None) -> StreamConsumer:
    arn = stream_arn(table)
    return StreamConsumer(
        table, streams_client(), arn, checkpoints or PostgresCheckpoints(arn), PostgresDeadLetters(arn)
    )


def drained(reader: StreamConsumer) -> None:
    """Read until two passes in a row bring nothing: one empty page does not mean that there is no more."""
    while reader.poll() or reader.poll():
        pass


def eventually(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_a_new_message_moves_every_member_s_entry(table: MessageTable) -> None:
    reader = consumer(table)
    reader.begin()
    start()
    send(text="Newest")

    drained(reader)

    for member, unread in ((ANDREW, 0), (BAYKO, 2)):
        entry = entry_of(table, member)
        assert (entry.message, entry.last_seq, entry.unread) == ("Newest", 2, unread)


def test_a_burst_of_a_hundred_messages_in_one_batch_costs_two_updates_of_three_units(
    table: MessageTable, calls: Calls
) -> None:
    start()
    reader = consumer(table)
    reader.begin()
    drained(reader)
    for number in range(100):
        send(by=(ANDREW, BAYKO)[number % 2], text=str(number))
    before = items(table)

    with calls.counted(table.client):
        drained(reader)

    assert calls.operations == ["UpdateItem", "UpdateItem"]
    assert units_written(before, items(table), transaction=False) == 6
    assert entry_of(table, ANDREW).last_seq == 101


def test_it_tells_of_what_it_has_moved_and_not_of_the_whole_table(table: MessageTable) -> None:
    told: list[Conversation] = []
    start()
    reader = consumer(table)
    reader.projected = told.extend
    reader.begin()
    drained(reader)
    assert told == []
    send(text="Newest")

    drained(reader)

    assert [(conversation.seq, conversation.message) for conversation in told] == [(2, "Newest")]


def test_consumer_resumes_after_its_checkpoint(table: MessageTable, monkeypatch: pytest.MonkeyPatch) -> None:
    first = consumer(table)
    first.begin()
    start()
    drained(first)
    assert StreamCheckpoint.objects.count() == 1
    send(text="while nobody read")

    monkeypatch.setattr(MessageTable, "conversations", lambda self: pytest.fail("projected everything"))
    second = consumer(table)
    second.begin()
    drained(second)

    assert entry_of(table, BAYKO).last_seq == 2


def test_the_checkpoint_is_written_after_applying(table: MessageTable, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoints = Remembered()
    reader = consumer(table, checkpoints)
    reader.begin()
    start()
    send()
    before = checkpoints.load()

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(MessageTable, "copy_to_entry", die)
        with pytest.raises(KeyboardInterrupt):
            reader.poll()
    assert checkpoints.load() == before

    again = consumer(table, checkpoints)
    again.begin()
    drained(again)
    assert entry_of(table, BAYKO).last_seq == 2


def test_without_a_checkpoint_it_projects_every_conversation_first(table: MessageTable) -> None:
    start()
    send(text="Nobody was listening")

    consumer(table).begin()

    assert entry_of(table, BAYKO).message == "Nobody was listening"


def test_a_checkpoint_of_a_shard_that_is_gone_is_not_valid(table: MessageTable) -> None:
    start()
    send(text="Lost with the shard")
    checkpoints = Remembered({"shardId-00000000000000000000-gone": "1"})

    reader = consumer(table, checkpoints)
    reader.begin()
    assert entry_of(table, BAYKO).message == "Lost with the shard"

    drained(reader)
    assert "shardId-00000000000000000000-gone" not in checkpoints.load()
    assert len(checkpoints.load()) == 1


def test_a_shard_that_was_read_to_its_end_is_not_read_again(table: MessageTable) -> None:
    checkpoints = Remembered()
    first = consumer(table, checkpoints)
    first.begin()
    start()
    drained(first)
    (shard,) = checkpoints.load()
    checkpoints.save(shard, SHARD_END)
    send(text="behind the end")

    second = consumer(table, checkpoints)
    second.begin()

    assert second.poll() == 0
    assert checkpoints.load() == {shard: SHARD_END}


def test_consumer_stops_when_told(table: MessageTable) -> None:
    stop = Event()
    worker = Thread(target=consumer(table, Remembered()).run, args=(stop,))
    worker.start()
    start()
    send(text="Live")

    eventually(lambda: entry_of(table, BAYKO).message == "Live")
    stop.set()
    worker.join(60)

    assert not worker.is_alive()
    assert conversations.list_conversations(user_uuid=BAYKO).entries[0].group_uuid == GROUP


def test_checkpoints_of_yesterday_are_not_trusted(table: MessageTable) -> None:
    checkpoints = PostgresCheckpoints("arn")
    with time_machine.travel("2026-11-20T12:00:00Z", tick=False) as clock:
        checkpoints.save("one", "1")
        clock.shift(timedelta(hours=19))
        assert checkpoints.load() == {"one": "1"}
        checkpoints.save("two", "2")
        clock.shift(timedelta(hours=19))
        assert checkpoints.load() == {"one": "1", "two": "2"}
        clock.shift(timedelta(hours=2))
        assert checkpoints.load() == {}
    assert not StreamCheckpoint.objects.exists()
