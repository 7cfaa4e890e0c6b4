"""The consumer on a scripted stream, for what emulators never do: splits, expired and trimmed iterators."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from messaging.aws import ServiceError
from messaging.dynamodb import MessageTable
from messaging.items import Conversation, conversation_item
from messaging.shards import StreamGone
from messaging.stream import SHARD_END, StreamConsumer

from .talk import ANDREW, BAYKO, entry_of, send, start
from .test_stream import PutAside, Remembered


def refused(code: str) -> ServiceError:
    return ServiceError({"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": 400}}, "")  # type: ignore[typeddict-item]


@dataclass
class ScriptedStreams:
    """A stream service: shards with parents, each a list of conversations; answers and failures as scripted."""

    shards: dict[str, str | None]
    records: dict[str, list[Conversation]]
    open: set[str] = field(default_factory=set)
    failures: dict[str, list[str]] = field(default_factory=dict)
    """Error codes by operation, each raised once."""
    read: list[str] = field(default_factory=list)
    iterators: list[tuple[str, str]] = field(default_factory=list)

    def _fail(self, operation: str) -> None:
        if self.failures.get(operation):
            raise refused(self.failures[operation].pop(0))

    def describe_stream(self, *, StreamArn: str, ExclusiveStartShardId: str | None = None) -> dict[str, Any]:
        self._fail("describe_stream")
        names = list(self.shards)
        begin = names.index(ExclusiveStartShardId) + 1 if ExclusiveStartShardId else 0
        shards = [
            {"ShardId": name} | ({"ParentShardId": parent} if (parent := self.shards[name]) else {})
            for name in names[begin : begin + 1]
        ]
        more = {"LastEvaluatedShardId": shards[-1]["ShardId"]} if begin + 1 < len(names) else {}
        return {"StreamDescription": {"Shards": shards, **more}}

    def get_shard_iterator(
        self, *, StreamArn: str, ShardId: str, ShardIteratorType: str, SequenceNumber: str = "0"
    ) -> dict[str, Any]:
        self._fail("get_shard_iterator")
        self.iterators.append((ShardId, ShardIteratorType))
        return {"ShardIterator": f"{ShardId}/{SequenceNumber}"}

    def get_records(self, *, ShardIterator: str, Limit: int) -> dict[str, Any]:
        self._fail("get_records")
        shard, position = ShardIterator.split("/")
        images = self.records[shard][int(position) :][:1]
        self.read += [shard] * len(images)
        end = int(position) + len(images)
        more = shard in self.open or end < len(self.records[shard])
        return {
            "Records": [
                {"dynamodb": {"NewImage": conversation_item(image), "SequenceNumber": str(end)}} for image in images
            ]
        } | ({"NextShardIterator": f"{shard}/{end}"} if more else {})


@pytest.fixture
def versions(moto_table: MessageTable) -> list[Conversation]:
    start()
    found = [*moto_table.conversations()]
    for number in range(5):
        send(by=(ANDREW, BAYKO)[number % 2])
        found += moto_table.conversations()
    return found


def read_all(consumer: StreamConsumer) -> None:
    while consumer.poll():
        consumer.find_shards()


@pytest.fixture
def split(versions: list[Conversation]) -> ScriptedStreams:
    """A parent listed after its children."""
    return ScriptedStreams(
        shards={"child-1": "parent", "child-2": "parent", "parent": "long gone"},
        records={"parent": versions[:2], "child-1": versions[2:4], "child-2": versions[4:]},
        open={"child-1", "child-2"},
    )


def test_it_reads_every_shard_and_parents_before_children(moto_table: MessageTable, split: ScriptedStreams) -> None:
    consumer = StreamConsumer(moto_table, split, "arn", Remembered(), PutAside())  # type: ignore[arg-type]
    consumer.begin()
    read_all(consumer)

    assert split.read[:2] == ["parent", "parent"]
    assert sorted(split.read) == ["child-1"] * 2 + ["child-2"] * 2 + ["parent"] * 2
    assert entry_of(moto_table, BAYKO).last_seq == 6


def test_a_child_that_is_listed_late_is_found(moto_table: MessageTable, split: ScriptedStreams) -> None:
    late = split.shards.pop("child-2")
    consumer = StreamConsumer(moto_table, split, "arn", Remembered(), PutAside())  # type: ignore[arg-type]
    consumer.begin()
    read_all(consumer)
    split.shards["child-2"] = late
    consumer.find_shards()
    read_all(consumer)

    assert split.read.count("child-2") == 2


def test_a_shard_at_its_end_is_remembered_as_such(moto_table: MessageTable, split: ScriptedStreams) -> None:
    checkpoints = Remembered()
    consumer = StreamConsumer(moto_table, split, "arn", checkpoints, PutAside())  # type: ignore[arg-type]
    consumer.begin()
    read_all(consumer)

    assert checkpoints.load() == {"parent": SHARD_END, "child-1": "2", "child-2": "2"}


def test_an_expired_iterator_is_resumed_after_the_checkpoint(moto_table: MessageTable, split: ScriptedStreams) -> None:
    consumer = StreamConsumer(moto_table, split, "arn", Remembered(), PutAside())  # type: ignore[arg-type]
    consumer.begin()
    consumer.poll()
    split.failures["get_records"] = ["ExpiredIteratorException"]
    consumer.poll()
    read_all(consumer)

    assert split.iterators[:2] == [("parent", "TRIM_HORIZON"), ("parent", "AFTER_SEQUENCE_NUMBER")]
    assert split.read.count("parent") == 2


@pytest.mark.parametrize("operation", ["get_shard_iterator", "get_records"])
def test_a_trimmed_stream_is_followed_by_a_full_projection(
    moto_table: MessageTable, split: ScriptedStreams, operation: str
) -> None:
    checkpoints = Remembered({"parent": "1"})
    consumer = StreamConsumer(moto_table, split, "arn", checkpoints, PutAside())  # type: ignore[arg-type]
    split.failures[operation] = ["TrimmedDataAccessException"]
    consumer.begin()
    consumer.poll()

    assert entry_of(moto_table, BAYKO).last_seq == 6
    read_all(consumer)
    assert ("parent", "TRIM_HORIZON") in split.iterators


def test_a_stream_that_is_gone_is_said_to_be(moto_table: MessageTable, split: ScriptedStreams) -> None:
    split.failures["describe_stream"] = ["ResourceNotFoundException"]

    with pytest.raises(StreamGone):
        StreamConsumer(moto_table, split, "arn", Remembered(), PutAside()).begin()  # type: ignore[arg-type]
