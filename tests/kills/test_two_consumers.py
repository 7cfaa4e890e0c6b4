"""Two consumers at once on one table, while messages flow: nothing is harmed."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from threading import Event, Thread
from typing import Any

import pytest

from messaging.dynamodb import connection
from messaging.dynamodb.connection import streams_client
from messaging.dynamodb.schema import stream_arn
from messaging.dynamodb.shards import describe_stream, iterator_after, read_records
from messaging.dynamodb.table import MessageTable
from messaging.stream import lambda_handler
from messaging.stream.projection import project

from .book import check_conversations, check_entries, contents, is_projected
from .flow import Flow
from .processes import Nursery

pytestmark = pytest.mark.django_db(transaction=True)

MESSAGES = 200
SEED = 2026
SECONDS = 120
"""Far more than it takes."""


def test_two_active_workers_leave_a_consistent_table(nursery: Nursery, table: MessageTable) -> None:
    flow = Flow(MESSAGES, SEED)
    workers = [nursery.bear("worker", table=table.name, lock=lock) for lock in (1, 2)]
    flow.begin()

    ends_well(flow, table)

    assert all(any("UpdateItem" in moment for moment in worker.moments()) for worker in workers)


def test_worker_and_lambda_function_leave_a_consistent_table(
    nursery: Nursery, table: MessageTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lambda_handler, "message_table", connection.message_table)
    flow = Flow(MESSAGES, SEED)
    worker = nursery.bear("worker", table=table.name)
    function = Function(table)
    function.thread.start()
    flow.begin()

    ends_well(flow, table)

    function.end()
    assert function.batches
    assert function.failures == []
    assert any("UpdateItem" in moment for moment in worker.moments())


def ends_well(flow: Flow, table: MessageTable) -> None:
    """Wait until all is written and projected, and compare it."""
    book = flow.end()
    until = time.monotonic() + SECONDS
    while not is_projected(found := contents(table)):
        assert time.monotonic() < until
        time.sleep(0.1)
    check_conversations(book, found)
    check_entries(book, found)
    assert project(table, table.conversations()) == 0


class Function:
    """The Lambda function and the event source mapping that invokes it."""

    def __init__(self, table: MessageTable) -> None:
        self.arn = stream_arn(table)
        self.stop = Event()
        self.batches = 0
        self.failures: list[Any] = []
        self.thread = Thread(target=self.run, daemon=True)

    def run(self) -> None:
        streams = streams_client()
        shards = [shard["ShardId"] for shard in describe_stream(streams, self.arn)["Shards"]]
        iterators = [iterator_after(streams, self.arn, shard, None) for shard in shards]
        while not self.stop.wait(0.1):
            following = []
            for iterator in iterators:
                records, after = read_records(streams, iterator, limit=100)
                if records:
                    self.batches += 1
                    answer = lambda_handler.handler({"Records": as_json(records)}, context=None)
                    self.failures += answer["batchItemFailures"]
                following += [after] if after else []
            iterators = following

    def end(self) -> None:
        self.stop.set()
        self.thread.join()


def as_json(value: Any) -> Any:
    """Convert records as Lambda passes them to functions: binary values as base64."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Mapping):
        return {name: as_json(each) for name, each in value.items()}
    return [as_json(each) for each in value] if isinstance(value, list) else value
