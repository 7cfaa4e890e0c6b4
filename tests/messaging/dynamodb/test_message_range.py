"""Messages of a span of time, on moto and on the emulator: every one of it, nothing else, a page at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from messaging.domain.entities import Message
from messaging.dynamodb.client import Unavailable
from messaging.dynamodb.keys import FIRST_MESSAGE_SK
from messaging.dynamodb.message_range import messages_between
from messaging.dynamodb.table import MessageTable
from messaging.operations.periods import LAST_CREATED_AT
from tests.conftest import Calls
from tests.messaging.faults import answer, fault
from tests.messaging.talk import ANDREW, BAYKO, GROUP, write_all

NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)


def across_new_year(table: MessageTable, number: int = 9) -> list[Message]:
    """Create messages six hours apart, the middle one at New Year."""
    begin = NEW_YEAR - timedelta(hours=6 * (number // 2))
    lines = [((ANDREW, BAYKO)[n % 2], str(n), begin + timedelta(hours=6 * n)) for n in range(number)]
    return write_all(table, lines, members=(ANDREW, BAYKO))


@contextmanager
def pages_of(number: int, table: MessageTable) -> Iterator[None]:
    """Let DynamoDB end each page after so many items, as it does after 1 MB."""

    def end_earlier(params: dict[str, Any], **_: Any) -> None:
        params["Limit"] = min(number, params.get("Limit", number))

    table.client.meta.events.register("before-parameter-build.dynamodb.Query", end_earlier)
    try:
        yield
    finally:
        table.client.meta.events.unregister("before-parameter-build.dynamodb.Query", end_earlier)


@pytest.mark.parametrize("newest_first", [False, True])
def test_range_has_all_messages_but_not_the_conversation_item(either_table: MessageTable, newest_first: bool) -> None:
    sent = across_new_year(either_table)

    for first in (FIRST_MESSAGE_SK, "", "#"):
        found = list(messages_between(either_table, GROUP, first, LAST_CREATED_AT, newest_first=newest_first))
        assert found == (sent[::-1] if newest_first else sent)


@pytest.mark.parametrize("newest_first", [False, True])
def test_range_includes_both_ends(either_table: MessageTable, newest_first: bool) -> None:
    sent = across_new_year(either_table)

    found = list(
        messages_between(either_table, GROUP, sent[3].created_at, sent[6].created_at, newest_first=newest_first)
    )

    assert sorted(found, key=lambda message: message.seq) == sent[3:7]


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("limit", [None, 1, 4, 9, 100])
def test_pages_lose_and_repeat_nothing(either_table: MessageTable, newest_first: bool, limit: int | None) -> None:
    sent = across_new_year(either_table)
    wanted = (sent[::-1] if newest_first else sent)[:limit]

    with pages_of(2, either_table):
        found = list(
            messages_between(either_table, GROUP, "0", LAST_CREATED_AT, newest_first=newest_first, limit=limit)
        )

    assert found == wanted


def test_empty_range_makes_no_request(moto_table: MessageTable, calls: Calls) -> None:
    across_new_year(moto_table)

    with calls.counted(moto_table.client):
        assert list(messages_between(moto_table, GROUP, LAST_CREATED_AT, FIRST_MESSAGE_SK)) == []

    assert calls.operations == []


def test_pages_are_read_when_they_are_needed_and_consistently(moto_table: MessageTable, calls: Calls) -> None:
    across_new_year(moto_table)

    with calls.counted(moto_table.client), pages_of(3, moto_table):
        messages = messages_between(moto_table, GROUP, FIRST_MESSAGE_SK, LAST_CREATED_AT)
        for number in range(1, 7):
            next(messages)
            assert len(calls.made) == (1 if number <= 3 else 2)

    assert all(parameters["ConsistentRead"] is True for _, parameters in calls.made)


def test_range_waits_while_the_table_is_throttled(moto_table: MessageTable) -> None:
    sent = across_new_year(moto_table)
    throttled = [answer("ProvisionedThroughputExceededException")] * 4

    with fault(moto_table, "Query", *throttled) as asked:
        assert list(messages_between(moto_table, GROUP, FIRST_MESSAGE_SK, LAST_CREATED_AT)) == sent

    assert len(asked) == 5


def test_range_gives_up_after_the_time_limit(moto_table: MessageTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messaging.dynamodb.retry.FAILING_SECONDS", 0.0)

    with fault(moto_table, "Query", *[answer("InternalServerError", 500)] * 2), pytest.raises(Unavailable):
        list(messages_between(moto_table, GROUP, FIRST_MESSAGE_SK, LAST_CREATED_AT))
