"""The meter: capacity as reported, time with repetitions, whatever ends a request."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from threading import Barrier, Thread
from uuid import uuid4

import pytest

from messaging.dynamodb.client import ServiceError, Unavailable, connect
from messaging.dynamodb.metering import Request, metered, total
from messaging.dynamodb.table import MessageTable
from messaging.queries import conversations
from tests.messaging.faults import answer, fault
from tests.messaging.talk import ANDREW, GROUP, send, start


def operations(requests: Sequence[Request]) -> list[str]:
    return [request.operation for request in requests]


def test_it_notes_what_each_request_read_and_brought(table: MessageTable) -> None:
    start()

    with metered(table.client) as requests:
        table.conversation(GROUP)
        table.messages_before(GROUP, None, limit=20)

    for request, operation in zip(requests, ("GetItem", "Query"), strict=True):
        assert (request.operation, request.items, request.write_units, request.error) == (operation, 1, None, None)
        assert request.read_units == 1.0
        assert request.milliseconds > 0


def test_capacity_of_a_batch_is_summed(moto_table: MessageTable) -> None:
    start()

    with metered(moto_table.client) as requests:
        conversations.load_conversation(user_uuid=ANDREW, group_uuid=GROUP)

    batch, _ = requests
    assert (batch.operation, batch.items, batch.write_units) == ("BatchGetItem", 2, None)
    assert batch.read_units is not None
    assert batch.read_units >= 1


def test_capacity_of_writes_is_recorded(table: MessageTable) -> None:
    start()

    with metered(table.client) as requests:
        send()

    get, write = requests
    assert (get.operation, get.items) == ("GetItem", 1)
    assert (write.operation, write.items, write.read_units) == ("TransactWriteItems", 0, None)
    assert write.write_units == 4.0


def test_the_list_grows_while_requests_are_made(moto_table: MessageTable) -> None:
    with metered(moto_table.client) as requests:
        moto_table.conversation(GROUP)
        assert operations(requests) == ["GetItem"]
        moto_table.conversation(uuid4())
        assert operations(requests) == ["GetItem", "GetItem"]

    assert [request.items for request in requests] == [0, 0]


def test_it_asks_for_nothing_and_notes_nothing_afterwards(moto_table: MessageTable) -> None:
    with metered(moto_table.client) as requests:
        pass

    page = moto_table.client.scan(TableName=moto_table.name)

    assert requests == []
    assert "ConsumedCapacity" not in page


def test_metering_stops_when_its_block_raises(moto_table: MessageTable) -> None:
    with pytest.raises(KeyboardInterrupt), metered(moto_table.client) as requests:
        raise KeyboardInterrupt

    moto_table.conversation(GROUP)
    assert requests == []


def test_requests_without_capacity_are_timed_all_the_same(moto_table: MessageTable) -> None:
    with metered(moto_table.client) as requests:
        moto_table.client.describe_table(TableName=moto_table.name)

    (request,) = requests
    assert (request.operation, request.read_units, request.write_units) == ("DescribeTable", None, None)
    assert request.milliseconds > 0


def test_options_of_the_caller_are_kept(moto_table: MessageTable) -> None:
    with metered(moto_table.client):
        page = moto_table.client.scan(TableName=moto_table.name, ReturnConsumedCapacity="NONE")

    assert "ConsumedCapacity" not in page


def test_a_refused_request_counts_with_its_code(moto_table: MessageTable) -> None:
    with metered(moto_table.client) as requests, pytest.raises(ServiceError):
        moto_table.client.scan(TableName="no-such-table")

    (request,) = requests
    assert (request.operation, request.error) == ("Scan", "ResourceNotFoundException")
    assert total(requests).errors == 1


def test_a_request_without_an_answer_counts_too() -> None:
    client = connect(endpoint_url="http://127.0.0.1:9", region="us-east-1")

    with metered(client) as requests, pytest.raises(Unavailable):
        MessageTable(client, "any").conversation(GROUP)

    (request,) = requests
    assert (request.operation, request.error) == ("GetItem", "EndpointConnectionError")


def test_a_repetition_is_the_same_request_and_its_wait_counts(
    moto_table: MessageTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    clock = iter(range(100))
    # botocore's own: the repetition's wait must not slow the test down.
    monkeypatch.setattr(sys.modules["botocore.endpoint"].time, "sleep", waits.append)
    monkeypatch.setattr("messaging.dynamodb.metering.time.perf_counter", lambda: float(next(clock)))

    with fault(moto_table, "GetItem", answer("ThrottlingException")) as sent, metered(moto_table.client) as requests:
        moto_table.conversation(GROUP)

    assert len(sent) == 2
    assert len(waits) == 1
    (request,) = requests
    assert (request.operation, request.error, request.milliseconds) == ("GetItem", None, 1000.0)


def test_meters_within_meters_note_their_own(moto_table: MessageTable) -> None:
    with metered(moto_table.client) as outer:
        moto_table.conversation(GROUP)
        with metered(moto_table.client) as inner:
            moto_table.conversation(GROUP)

    assert len(outer) == 2
    assert len(inner) == 1


def test_requests_of_several_threads_are_all_noted(table: MessageTable) -> None:
    message = start()
    ready = Barrier(4)

    def read() -> None:
        ready.wait()
        for _ in range(5):
            table.message(GROUP, message.created_at)

    with metered(table.client) as requests:
        threads = [Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert operations(requests) == ["GetItem"] * 20
    assert all(request.items == 1 and request.milliseconds > 0 for request in requests)


def test_the_total_adds_up_what_was_reported() -> None:
    requests = [
        Request("Query", 0.5, None, 20, 4.0),
        Request("UpdateItem", None, 3.0, 0, 2.5),
        Request("Scan", None, None, 0, 1.0, "ThrottlingException"),
    ]

    summed = total(requests)

    assert (summed.requests, summed.read_units, summed.write_units) == (3, 0.5, 3.0)
    assert (summed.milliseconds, summed.errors) == (7.5, 1)
