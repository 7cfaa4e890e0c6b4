"""The status of a stream on a scripted one, for what emulators never do: splits, closed and trimmed shards."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from messaging.dynamodb.client import ServiceError
from messaging.dynamodb.shards import StreamGone
from messaging.stream.consumer_types import SHARD_END
from messaging.stream.status import READS, Checkpoint, ShardStatus, StreamStatus, stream_status

NOW = datetime(2026, 11, 21, 9, 5, tzinfo=UTC)
ARN = "arn:aws:dynamodb:us-east-1:000000000000:table/any/stream/2026"


def refused(code: str) -> ServiceError:
    return ServiceError({"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": 400}}, "")  # type: ignore[typeddict-item]


@dataclass
class Shard:
    """Pages of records after the checkpoint, each record an age in seconds; a closed one ends with its last page."""

    name: str
    pages: list[list[float]] = field(default_factory=list)
    parent: str | None = None
    closed: bool = False
    trimmed_at: str = ""
    """The operation that says so."""


@dataclass
class Streams:
    """A stream service that has these shards."""

    shards: list[Shard]
    gone: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)

    def describe_stream(self, *, StreamArn: str) -> dict[str, Any]:  # noqa: N803
        if self.gone:
            raise refused("ResourceNotFoundException")
        shards = []
        for each in self.shards:
            end = {"EndingSequenceNumber": "9"} if each.closed else {}
            parent = {"ParentShardId": each.parent} if each.parent else {}
            shards.append(
                {"ShardId": each.name, "SequenceNumberRange": {"StartingSequenceNumber": "1", **end}, **parent}
            )
        return {"StreamDescription": {"StreamStatus": "ENABLED", "Shards": shards}}

    def get_shard_iterator(self, *, StreamArn: str, ShardId: str, **where: str) -> dict[str, Any]:  # noqa: N803
        self._ask("get_shard_iterator", ShardId, where.get("SequenceNumber", where["ShardIteratorType"]))
        return {"ShardIterator": f"{ShardId}/0"}

    def get_records(self, *, ShardIterator: str, Limit: int) -> dict[str, Any]:  # noqa: N803
        name, _, page = ShardIterator.partition("/")
        shard = self._ask("get_records", name, f"{Limit} of page {page}")
        ages = shard.pages[int(page)][:Limit] if int(page) < len(shard.pages) else []
        is_last = shard.closed and int(page) + 1 >= len(shard.pages)
        return {
            "Records": [{"dynamodb": {"ApproximateCreationDateTime": NOW - timedelta(seconds=age)}} for age in ages]
        } | ({} if is_last else {"NextShardIterator": f"{name}/{int(page) + 1}"})

    def _ask(self, operation: str, name: str, what: str) -> Shard:
        self.asked.append((name, what))
        shard = next(each for each in self.shards if each.name == name)
        if shard.trimmed_at == operation:
            raise refused("TrimmedDataAccessException")
        return shard


def status(streams: Streams, checkpoints: dict[str, Checkpoint] | None = None) -> StreamStatus:
    pauses: list[float] = []
    return stream_status(streams, ARN, checkpoints or {}, now=NOW, pause=pauses.append)  # type: ignore[arg-type]


def at(position: str) -> Checkpoint:
    return Checkpoint(position, NOW - timedelta(minutes=1))


def test_it_tells_a_shard_s_parent_state_and_checkpoint() -> None:
    streams = Streams([Shard("parent", closed=True), Shard("child", parent="parent")])
    saved = {"parent": at(SHARD_END), "child": at("7")}

    found = status(streams, saved)

    assert (found.stream_arn, found.status, found.unlisted) == (ARN, "ENABLED", {})
    assert found.shards == [
        ShardStatus("parent", None, is_open=False, checkpoint=saved["parent"], lag=0),
        ShardStatus("child", "parent", is_open=True, checkpoint=saved["child"], lag=0),
    ]


def test_the_lag_is_the_age_of_the_oldest_record_after_the_checkpoint() -> None:
    streams = Streams([Shard("one", [[90.0, 5.0]]), Shard("two", [[12.2]])])

    found = status(streams, {"one": at("7"), "two": at("3")})

    assert [shard.lag for shard in found.shards] == [90, 13]
    assert found.lag == 90
    assert streams.asked == [("one", "7"), ("one", "1 of page 0"), ("two", "3"), ("two", "1 of page 0")]


def test_a_record_of_this_moment_or_of_a_clock_that_is_ahead_waits_too() -> None:
    assert status(Streams([Shard("one", [[0.0]])]), {"one": at("7")}).lag == 1
    assert status(Streams([Shard("one", [[-5.0]])]), {"one": at("7")}).lag == 1


def test_a_record_after_an_empty_page_is_found() -> None:
    assert status(Streams([Shard("one", [[], [], [30.0]])]), {"one": at("7")}).lag == 30


@pytest.mark.parametrize("closed", [False, True])
def test_status_reads_few_pages(closed: bool) -> None:
    streams = Streams([Shard("one", [[]] * 100, closed=closed)])

    assert status(streams, {"one": at("7")}).lag == 0
    assert len(streams.asked) == 1 + READS


def test_the_end_of_a_closed_shard_is_the_end_of_reading() -> None:
    streams = Streams([Shard("one", [[]], closed=True)])

    assert status(streams, {"one": at("7")}).lag == 0
    assert len(streams.asked) == 2


def test_a_shard_that_was_applied_to_its_end_is_not_read() -> None:
    streams = Streams([Shard("one", [[30.0]], closed=True)])

    assert status(streams, {"one": at(SHARD_END)}).lag == 0
    assert streams.asked == []


def test_without_a_checkpoint_everything_waits() -> None:
    streams = Streams([Shard("one", [[3600.0]])])

    found = status(streams)

    assert found.lag == 3600
    assert found.is_begun_anew
    assert streams.asked[0] == ("one", "TRIM_HORIZON")


@pytest.mark.parametrize("operation", ["get_shard_iterator", "get_records"])
def test_a_checkpoint_that_was_trimmed_is_said_to_be(operation: str) -> None:
    streams = Streams([Shard("one", trimmed_at=operation), Shard("two", [[30.0]])])

    found = status(streams, {"one": at("7"), "two": at("3")})

    assert [(shard.lag, shard.is_trimmed) for shard in found.shards] == [(None, True), (30, False)]
    assert found.lag == 30
    assert found.is_begun_anew


@pytest.mark.parametrize(("position", "anew"), [("7", True), (SHARD_END, False)])
def test_checkpoints_of_shards_that_are_gone_are_told(position: str, anew: bool) -> None:
    found = status(Streams([Shard("child", parent="parent")]), {"parent": at(position), "child": at("3")})

    assert found.unlisted == {"parent": at(position)}
    assert found.is_begun_anew is anew


def test_checkpoints_that_hold_begin_nothing_anew() -> None:
    assert not status(Streams([Shard("one"), Shard("two", parent="one")]), {"one": at("7")}).is_begun_anew


def test_child_of_a_finished_shard_needs_no_restart() -> None:
    assert not status(Streams([Shard("two", parent="one")]), {"one": at(SHARD_END)}).is_begun_anew


@pytest.mark.parametrize("parent", [None, "unheard of"])
def test_a_shard_of_an_unknown_parent_begins_anew(parent: str | None) -> None:
    assert status(Streams([Shard("one"), Shard("two", parent=parent)]), {"one": at("7")}).is_begun_anew


def test_a_stream_that_is_gone_is_said_to_be() -> None:
    with pytest.raises(StreamGone, match="ddb_schema_load"):
        status(Streams([], gone=True))
