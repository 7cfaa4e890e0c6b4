"""Writing in bulk: batches, what DynamoDB leaves unprocessed, patience that ends, threads that stop."""

from __future__ import annotations

import _thread
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from threading import Event
from typing import Any
from uuid import uuid4

import pytest
from botocore.awsrequest import AWSResponse  # noqa: TID251 - what a fault is made of
from botocore.exceptions import ParamValidationError  # noqa: TID251

from messaging.domain.entities import Message
from messaging.domain.timestamps import format_created_at
from messaging.dynamodb import bulk, retry
from messaging.dynamodb.bulk import BulkWriter, Stopped, delete_messages, in_threads, put_messages
from messaging.dynamodb.client import ServiceError, Throttled, Unavailable, patient
from messaging.dynamodb.codec import message_item
from messaging.dynamodb.table import MessageTable
from tests.conftest import Calls
from tests.messaging.faults import answer, fault
from tests.messaging.talk import ANDREW, GROUP, NOW


def messages(number: int) -> list[Message]:
    return [
        Message(GROUP, format_created_at(NOW + timedelta(seconds=seq)), seq, f"Text {seq}", uuid4(), ANDREW)
        for seq in range(1, number + 1)
    ]


def unprocessed(table: MessageTable, left: list[Message]) -> Callable[[], AWSResponse]:
    """Return DynamoDB's answer when it wrote all but these."""
    requests = [{"PutRequest": {"Item": message_item(each)}} for each in left]
    return answer("BatchWriteItemOutput", 200, UnprocessedItems={table.name: requests})


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "LONGEST_WAIT", 0.001)


@pytest.fixture
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Advance the clock by 400 s each time it is read."""
    ticks = count(0, 400)
    monkeypatch.setattr(retry, "monotonic", lambda: next(ticks))


def test_batch_has_25_items(either_table: MessageTable, calls: Calls) -> None:
    written: list[int] = []
    wanted = messages(60)

    with calls.counted(either_table.client):
        BulkWriter(either_table).put(map(message_item, wanted), written.append)

    assert calls.operations == ["BatchWriteItem"] * 3
    assert written == [25, 25, 10]
    assert either_table.messages_after(GROUP, "", limit=100) == wanted


def test_items_are_not_asked_for_before_they_can_be_written(moto_table: MessageTable) -> None:
    asked = count()
    ahead: list[int] = []
    items = (message_item(message) for message, _ in zip(messages(75), asked, strict=False))
    done = 0

    def written(number: int) -> None:
        nonlocal done
        done += number
        ahead.append(next(asked) - done)

    BulkWriter(moto_table).put(items, written)

    assert max(ahead) <= 25


def test_only_unprocessed_items_are_written_again(table: MessageTable, calls: Calls) -> None:
    wanted = messages(3)

    with fault(table, "BatchWriteItem", unprocessed(table, wanted[1:])), calls.counted(table.client):
        put_messages(table, wanted)

    sizes = [len(params["RequestItems"][table.name]) for _, params in calls.made]
    assert sizes == [3, 2]
    assert table.messages_after(GROUP, "", limit=10) == wanted[1:]


@pytest.mark.parametrize(
    ("code", "status"),
    [("ProvisionedThroughputExceededException", 400), ("ThrottlingException", 400), ("InternalServerError", 500)],
)
def test_transient_error_is_retried(table: MessageTable, code: str, status: int) -> None:
    with fault(table, "BatchWriteItem", *[answer(code, status)] * 8) as sent:
        put_messages(table, messages(2))

    assert len(sent) == 9
    assert len(table.messages_after(GROUP, "", limit=10)) == 2


@pytest.mark.usefixtures("_clock")
def test_bulk_write_gives_up_when_no_items_are_accepted(moto_table: MessageTable) -> None:
    wanted = messages(2)

    with (
        fault(moto_table, "BatchWriteItem", *[unprocessed(moto_table, wanted)] * 9) as sent,
        pytest.raises(Throttled),
    ):
        put_messages(moto_table, wanted)

    assert len(sent) == 3


@pytest.mark.usefixtures("_clock")
def test_bulk_write_continues_while_items_are_accepted(table: MessageTable) -> None:
    wanted = messages(8)
    fewer = [unprocessed(table, wanted[number:]) for number in range(1, 8)]

    with fault(table, "BatchWriteItem", *fewer) as sent:
        put_messages(table, wanted)

    assert len(sent) == 8
    assert table.messages_after(GROUP, "", limit=10) == wanted[7:]


@pytest.mark.usefixtures("_clock")
def test_a_failing_dynamodb_is_given_less_time(moto_table: MessageTable) -> None:
    with (
        # Each is one attempt of the web's client, which makes two.
        fault(moto_table, "BatchWriteItem", *[answer("InternalServerError", 500)] * 9) as sent,
        pytest.raises(Unavailable) as caught,
    ):
        put_messages(moto_table, messages(1))

    assert not isinstance(caught.value, Throttled)
    assert len(sent) == 2


def test_rejected_write_is_not_retried(moto_table: MessageTable) -> None:
    with (
        fault(moto_table, "BatchWriteItem", answer("AccessDeniedException")) as sent,
        pytest.raises(ServiceError, match="AccessDenied"),
    ):
        put_messages(moto_table, messages(1))

    assert len(sent) == 1


def test_consumed_capacity_is_summed(moto_table: MessageTable) -> None:
    consumed = [{"TableName": moto_table.name, "CapacityUnits": 26.5}]
    writer = BulkWriter(moto_table)

    with fault(moto_table, "BatchWriteItem", *[answer("Output", 200, ConsumedCapacity=consumed)] * 2) as sent:
        writer.put(map(message_item, messages(50)))

    assert len(sent) == 2
    assert writer.write_units == 53


def test_stopped_bulk_write_writes_no_more(moto_table: MessageTable) -> None:
    stop = Event()

    with pytest.raises(Stopped):
        BulkWriter(moto_table, stop).put(map(message_item, messages(60)), lambda number: stop.set())

    assert len(moto_table.messages_after(GROUP, "", limit=100)) == 25


def test_stopped_bulk_write_does_not_wait(moto_table: MessageTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_WAIT", 1e6)
    monkeypatch.setattr(retry, "LONGEST_WAIT", 1e6)
    stop = Event()

    def throttle() -> Any:
        stop.set()
        return answer("ThrottlingException")()

    with fault(moto_table, "BatchWriteItem", *[throttle] * 2), pytest.raises(Stopped):
        BulkWriter(moto_table, stop).put(map(message_item, messages(1)))


def test_all_messages_of_a_group_are_deleted(either_table: MessageTable) -> None:
    put_messages(either_table, messages(130))

    delete_messages(either_table, GROUP)

    assert either_table.messages_after(GROUP, "", limit=10) == []


# --- Threads ----------------------------------------------------------------------------------------------------------


def test_all_threads_work_at_once() -> None:
    arrived = [Event() for _ in range(3)]
    numbers = iter(range(3))

    def work() -> None:
        arrived[next(numbers)].set()
        assert all(each.wait(10) for each in arrived)

    in_threads(3, work, stop=Event())


def test_the_first_error_stops_the_others_and_is_raised() -> None:
    stop = Event()
    turns = iter([True, False, False])
    told: list[bool] = []

    def work() -> None:
        if next(turns):
            raise Throttled
        told.append(stop.wait(10))
        raise Stopped

    with pytest.raises(Throttled):
        in_threads(3, work, stop=stop)

    assert told == [True, True]


def test_ctrl_c_stops_all_threads() -> None:
    stop, ended = Event(), Event()

    def work() -> None:
        _thread.interrupt_main()
        assert stop.wait(10)
        ended.set()

    with pytest.raises(KeyboardInterrupt):
        in_threads(1, work, stop=stop)

    assert ended.is_set()


def test_after_ctrl_c_nobody_waits_long_for_a_call_without_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "LEAVING_SECONDS", 0.01)
    answered = Event()

    def work() -> None:
        _thread.interrupt_main()
        answered.wait(30)

    try:
        with pytest.raises(KeyboardInterrupt):
            in_threads(1, work, stop=Event())
        assert not answered.is_set()
    finally:
        answered.set()


def test_a_client_for_bulk_leaves_it_to_dynamodb_to_check_parameters(table: MessageTable) -> None:
    unchecked = MessageTable(patient(table.client, attempts=1, validate=False), table.name)

    put_messages(unchecked, messages(30))

    assert len(table.messages_after(GROUP, "", limit=100)) == 30
    with pytest.raises(ServiceError, match=r"Validation|Serialization"):
        BulkWriter(unchecked).put([{"pk": {"SS": "5"}, "sk": {"S": "1"}}])
    with pytest.raises(ParamValidationError):
        BulkWriter(table).put([{"pk": {"SS": "5"}, "sk": {"S": "1"}}])
