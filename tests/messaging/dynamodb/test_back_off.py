"""The consumer while DynamoDB cannot answer: longer and longer waits, nothing lost, nobody's fault, and it can stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from botocore.exceptions import (  # noqa: TID251 - faults are botocore's own
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from messaging.domain.entities import Conversation
from messaging.dynamodb.client import ServiceError, Unavailable
from messaging.dynamodb.codec import conversation_item
from messaging.dynamodb.shards import SHARD_START
from messaging.dynamodb.table import MessageTable
from messaging.stream.apply import TRIES
from messaging.stream.consumer import DRAIN_TRIES, POLL_SECONDS
from tests.messaging.faults import answer, fault
from tests.messaging.scripted_watch import PassingTime, Watched
from tests.messaging.stream.scripted_stream import ScriptedStream, refused
from tests.messaging.talk import ANDREW, BAYKO, entry_of, start

URL = "http://dynamodb"
FAULTS = {
    "throttled": refused("ProvisionedThroughputExceededException"),
    "too many readers": refused("LimitExceededException"),
    "failing": refused("InternalServerError", 500),
    "unavailable": refused("ServiceUnavailable", 503),
    "out of reach": EndpointConnectionError(endpoint_url=URL),
    "no answer": ReadTimeoutError(endpoint_url=URL),
    "no connection": ConnectTimeoutError(endpoint_url=URL),
}
GROWING = [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
THROTTLED = answer("ThrottlingException")


@pytest.fixture
def conversation(moto_table: MessageTable) -> Conversation:
    """Create a conversation whose entries lag one version behind its image in the stream."""
    start()
    (found,) = moto_table.conversations()
    return replace(found, version=found.version + 1, message="Newer")


@pytest.fixture
def stream(conversation: Conversation) -> ScriptedStream:
    stream = ScriptedStream()
    stream.open_shard("one")
    stream.write("one", conversation)
    return stream


def copies(conversation: Conversation, number: int) -> list[Conversation]:
    return [replace(conversation, group_uuid=uuid4()) for _ in range(number)]


def watched(stream: ScriptedStream, table: MessageTable, *, waits: int, saved: bool = True) -> Watched:
    return Watched.of(stream, table, {"one": SHARD_START} if saved else {}, time=PassingTime(waits=waits))


@pytest.mark.parametrize("operation", ["describe_stream", "get_shard_iterator", "get_records"])
@pytest.mark.parametrize("failure", FAULTS.values(), ids=FAULTS.keys())
def test_waits_grow_until_success(
    moto_table: MessageTable, stream: ScriptedStream, operation: str, failure: Exception
) -> None:
    stream.faults[operation] = [failure] * len(GROWING)
    reader = watched(stream, moto_table, waits=len(GROWING) + 1)
    reader.consumer.run(reader.time)

    assert reader.time.waited == [*GROWING, POLL_SECONDS]
    assert entry_of(moto_table, BAYKO).message == "Newer"
    assert reader.aside.letters == []


def test_back_off_resets_after_success(moto_table: MessageTable, stream: ScriptedStream) -> None:
    throttled = FAULTS["throttled"]
    stream.faults["get_records"] = [throttled, throttled, throttled, None, throttled, throttled]
    reader = watched(stream, moto_table, waits=7)
    reader.consumer.run(reader.time)

    assert reader.time.waited == [0.5, 1.0, 2.0, POLL_SECONDS, 0.5, 1.0, POLL_SECONDS]


@pytest.mark.parametrize(("applying", "pause"), [(0.0, POLL_SECONDS), (0.1, POLL_SECONDS - 0.1), (9.0, 0.0)])
def test_time_spent_applying_counts_as_pause(
    moto_table: MessageTable, stream: ScriptedStream, applying: float, pause: float
) -> None:
    reader = watched(stream, moto_table, waits=1)
    reader.table.interfere.append(lambda _operation: setattr(reader.time, "now", applying))
    reader.consumer.run(reader.time)

    assert reader.time.waited == [pytest.approx(pause)]


def test_without_a_shard_to_read_there_is_a_pause(moto_table: MessageTable) -> None:
    reader = watched(ScriptedStream(), moto_table, waits=3, saved=False)
    reader.time.now = 1_000.0
    reader.consumer.run(reader.time)

    assert reader.time.waited == [POLL_SECONDS] * 3


def test_a_batch_that_is_throttled_is_applied_later_and_makes_no_dead_letter(
    moto_table: MessageTable, stream: ScriptedStream, conversation: Conversation
) -> None:
    stream.write("one", *copies(conversation, 2))
    stream.page = 10
    reader = watched(stream, moto_table, waits=TRIES + 4)
    side_by_side, one_after_the_other = 3, TRIES + 2
    with fault(moto_table, "UpdateItem", *[THROTTLED] * 2 * (side_by_side + one_after_the_other)):
        reader.consumer.run(reader.time)

    assert reader.time.back_offs == [*GROWING, 10.0]
    assert reader.aside.letters == []
    assert reader.checkpoints.load() == {"one": stream.sequence_number("one", 2)}
    assert entry_of(moto_table, BAYKO).message == "Newer"


def test_moved_entries_are_published_though_others_fail(
    moto_table: MessageTable, stream: ScriptedStream, conversation: Conversation
) -> None:
    stream.write("one", *copies(conversation, 1))
    stream.page = 10
    reader = watched(stream, moto_table, waits=1)
    told: list[list[UUID]] = []
    reader.consumer.projected = lambda conversations: told.append([each.group_uuid for each in conversations])

    def refuse_the_other(params: dict[str, Any], **_: Any) -> None:
        if f'"S": "{conversation.group_uuid}"' not in params["body"].decode():
            raise Unavailable

    moto_table.client.meta.events.register("before-call.dynamodb.UpdateItem", refuse_the_other)
    reader.consumer.run(reader.time)

    assert told == [[conversation.group_uuid]]


def test_the_checkpoint_waits_for_a_batch_that_is_throttled(
    moto_table: MessageTable, stream: ScriptedStream, conversation: Conversation
) -> None:
    stream.write("one", *copies(conversation, 1))
    reader = watched(stream, moto_table, waits=1)
    with fault(moto_table, "UpdateItem", *[THROTTLED] * 2 * 2):
        reader.consumer.run(reader.time)

    assert reader.checkpoints.load() == {"one": SHARD_START}


def test_a_record_that_fails_in_the_middle_holds_up_neither_batch_nor_checkpoint(
    moto_table: MessageTable, stream: ScriptedStream, conversation: Conversation
) -> None:
    other, last = copies(conversation, 2)
    damaged = conversation_item(other)
    del damaged["seq"]
    stream.write("one", damaged, last)
    stream.page = 3
    reader = watched(stream, moto_table, waits=100)
    reader.consumer.begin()
    reader.poll()

    (letter,) = reader.aside.letters
    reason = f"malformed item MSG#{other.group_uuid} #CONVERSATION: seq is missing"
    assert (letter["key"], letter["reason"]) == (f"MSG#{other.group_uuid}", reason)
    assert (letter["shard_id"], letter["sequence_number"]) == ("one", stream.sequence_number("one", 1))
    assert entry_of(moto_table, BAYKO).message == "Newer"
    assert entry_of(moto_table, BAYKO, last.group_uuid).message == "Newer"
    assert reader.checkpoints.load() == {"one": stream.sequence_number("one", 2)}


def test_stop_during_failure_makes_no_dead_letter(
    moto_table: MessageTable, stream: ScriptedStream, conversation: Conversation
) -> None:
    reader = watched(stream, moto_table, waits=2)
    with fault(moto_table, "UpdateItem", *[answer("ValidationException")] * 20) as sent:
        reader.consumer.run(reader.time)

    assert len(sent) == 2
    assert reader.aside.letters == []
    assert reader.checkpoints.load() == {"one": SHARD_START}


# --- Projecting everything --------------------------------------------------------------------------------------------


@pytest.fixture
def pages(moto_table: MessageTable, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Make scans return one item a page; return the list of requested pages."""
    asked: list[dict[str, Any]] = []

    def one_item(params: dict[str, Any], **_: Any) -> None:
        params["Limit"] = 1
        asked.append(params.get("ExclusiveStartKey", {}))

    moto_table.client.meta.events.register("provide-client-params.dynamodb.Scan", one_item)
    return asked


def with_conversations(table: MessageTable, conversation: Conversation, number: int) -> list[UUID]:
    found = copies(conversation, number)
    for each in found:
        table.client.put_item(TableName=table.name, Item=conversation_item(each))
    return [each.group_uuid for each in found]


@pytest.mark.parametrize("operation", ["Scan", "UpdateItem"])
def test_a_full_projection_that_is_throttled_goes_on_where_it_was(
    moto_table: MessageTable,
    stream: ScriptedStream,
    conversation: Conversation,
    pages: list[dict[str, Any]],
    operation: str,
) -> None:
    groups = with_conversations(moto_table, conversation, 4)
    reader = watched(stream, moto_table, waits=200, saved=False)
    calls = 0

    def every_other(request: Any, **_: Any) -> Any:
        nonlocal calls
        calls += 1
        # botocore itself tries a call twice.
        return THROTTLED() if calls % 4 in {2, 3} else None

    event = f"before-send.dynamodb.{operation}"
    moto_table.client.meta.events.register_first(event, every_other)
    stream.next_consumer({})
    reader.consumer._tries = None
    reader.consumer.begin()
    moto_table.client.meta.events.unregister(event, every_other)

    throttled = len(reader.time.waited)
    assert throttled >= len(groups)
    different = {str(page) for page in pages}
    assert len(different) > len(groups)
    assert len(pages) == len(different) + (throttled if operation == "Scan" else 0)
    assert [entry_of(moto_table, BAYKO, group).message for group in groups] == ["Newer"] * 4


def test_draining_gives_up_a_full_projection_after_so_many_tries(
    moto_table: MessageTable, stream: ScriptedStream, pages: list[dict[str, Any]]
) -> None:
    reader = watched(stream, moto_table, waits=200, saved=False)
    with fault(moto_table, "Scan", *[THROTTLED] * 100), pytest.raises(Unavailable):
        reader.consumer.drain(reader.time)

    assert reader.time.waited == GROWING[: DRAIN_TRIES - 1]
    assert len(pages) == DRAIN_TRIES
    assert reader.checkpoints.load() == {}


def test_stopped_full_projection_does_not_count_as_done(
    moto_table: MessageTable, stream: ScriptedStream, conversation: Conversation
) -> None:
    with_conversations(moto_table, conversation, 3)
    reader = watched(stream, moto_table, waits=1, saved=False)
    with fault(moto_table, "Scan", THROTTLED, THROTTLED):
        reader.consumer.run(reader.time)

    assert reader.checkpoints.load() == {}


# --- Stopping ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["describe_stream", "get_shard_iterator", "get_records"])
def test_consumer_stops_during_back_off(moto_table: MessageTable, stream: ScriptedStream, operation: str) -> None:
    stream.faults[operation] = [FAULTS["throttled"]] * 100
    reader = watched(stream, moto_table, waits=3)
    reader.consumer.run(reader.time)

    assert reader.time.waited == GROWING[:3]
    assert stream.operations.count(operation) == 3


def test_it_stops_when_told_while_a_trimmed_shard_is_made_up_for(
    moto_table: MessageTable, stream: ScriptedStream
) -> None:
    stream.trim("one", 1)
    reader = Watched.of(stream, moto_table, {"one": "17"}, time=PassingTime(waits=2))
    with fault(moto_table, "Scan", *[THROTTLED] * 100):
        reader.consumer.run(reader.time)

    assert reader.time.waited == GROWING[:2]
    assert reader.checkpoints.load() == {"one": "17"}


def test_consumer_stops_between_two_conversations(
    moto_table: MessageTable, stream: ScriptedStream, conversation: Conversation
) -> None:
    stream.write("one", *copies(conversation, 3))
    stream.page = 10
    reader = watched(stream, moto_table, waits=100)
    copied: list[str] = []

    def stop(operation: str) -> None:
        copied.append(operation)
        reader.time.set()

    reader.table.interfere.append(stop)
    reader.consumer.run(reader.time)

    assert len(copied) == len({ANDREW, BAYKO})
    assert reader.checkpoints.load() == {"one": SHARD_START}


# --- What does not pass by itself -------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["describe_stream", "get_shard_iterator", "get_records"])
@pytest.mark.parametrize("code", ["AccessDeniedException", "ExpiredTokenException", "UnrecognizedClientException"])
def test_rejected_stream_request_is_not_retried(
    moto_table: MessageTable, stream: ScriptedStream, operation: str, code: str
) -> None:
    stream.faults[operation] = [refused(code)]
    reader = watched(stream, moto_table, waits=100)

    with pytest.raises(ServiceError, match=code):
        reader.consumer.run(reader.time)
    assert reader.time.waited == []


@pytest.mark.parametrize("operation", ["UpdateItem", "TransactWriteItems", "Scan"])
def test_rejected_table_request_is_not_retried(
    moto_table: MessageTable, stream: ScriptedStream, conversation: Conversation, operation: str
) -> None:
    stream.write("one", *copies(conversation, 1))
    make: Callable[[], Any] = answer("AccessDeniedException")
    reader = watched(stream, moto_table, waits=100, saved=operation != "Scan")

    with fault(moto_table, operation, make), pytest.raises(ServiceError, match="AccessDenied"):
        reader.consumer.run(reader.time)
    assert reader.time.waited == []
    assert reader.aside.letters == []
