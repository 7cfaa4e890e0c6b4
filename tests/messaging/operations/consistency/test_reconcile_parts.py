"""Reconciling: parts of the table, stopped runs, and what it reads and keeps in memory."""

from __future__ import annotations

import itertools
import tracemalloc
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import pytest

from messaging.domain.entities import Message
from messaging.domain.timestamps import format_created_at
from messaging.dynamodb.codec import message_item, number
from messaging.dynamodb.keys import entry_key
from messaging.dynamodb.table import MessageTable
from messaging.operations.consistency.comparison import Recount
from messaging.operations.consistency.findings import Finding, Kind
from messaging.operations.consistency.reconcile import Reconciliation
from messaging.operations.consistency.snapshot_reader import ScanCursor, parse_cursor
from tests.conftest import Calls
from tests.messaging.damage import (
    ENTRY,
    HEALED,
    OTHER_GROUP,
    THIRD_GROUP,
    VIR,
    change,
    delete,
    healthy,
    kinds,
    pages_of,
    put,
    reconcile,
    sk,
    stray_entries,
)
from tests.messaging.talk import ANDREW, BAYKO, GROUP, LONDO, NOW


@pytest.fixture
def talked(table: MessageTable) -> MessageTable:
    return healthy(table)


def test_one_person_s_conversations_alone(talked: MessageTable) -> None:
    change(talked, entry_key(LONDO, THIRD_GROUP), message={"S": "?"})
    change(talked, entry_key(ANDREW, OTHER_GROUP), message={"S": "?"})
    change(talked, ENTRY, message={"S": "?"})
    stray_entries(talked)

    run = Reconciliation(talked, sleep=lambda _: None)
    found = list(run.of_user(LONDO))

    assert {(each.pk, each.sk) for each in found} == {
        (f"GRP#{LONDO}", str(THIRD_GROUP)),
        (f"GRP#{ANDREW}", str(OTHER_GROUP)),
    }
    assert all(each.repaired for each in found)
    assert run.compared == Counter(conversations=2, messages=2, entries=2)
    found = list(Reconciliation(talked, sleep=lambda _: None).of_user(VIR))
    assert kinds(found) == [Kind.ENTRY_DIFFERS, Kind.ENTRY_STRAY]


def test_one_conversation_alone(talked: MessageTable) -> None:
    change(talked, entry_key(LONDO, THIRD_GROUP), message={"S": "?"})
    stray_entries(talked)
    delete(talked, ENTRY)

    found = list(Reconciliation(talked, sleep=lambda _: None).of_group(GROUP))

    assert kinds(found) == [Kind.ENTRY_MISSING, Kind.ENTRY_STRAY]
    assert {each.pk for each in found} == {f"GRP#{BAYKO}", f"GRP#{VIR}"}


@pytest.mark.parametrize("segments", [1, 5])
def test_a_run_that_is_stopped_after_any_page_goes_on_where_it_was(talked: MessageTable, segments: int) -> None:
    stray_entries(talked)
    put(talked, {"pk": {"S": "CONFIG"}, "sk": {"S": "v1"}})
    for name in ("an entry is missing", "an entry has another preview", "a blocked conversation has another preview"):
        HEALED[name][0](talked)
    at_once = reconcile(talked, dry_run=True)
    found: list[Finding] = []
    place: ScanCursor | None = ScanCursor(0, segments)
    stops = 0
    with pages_of(talked, 8):  # the partition with most items has seven
        while place:
            run = Reconciliation(talked, dry_run=True, sleep=lambda _: None, advance=stop_at(page=2))
            with suppress(KeyboardInterrupt):
                found += run.of_table(place)
            assert run.cursor != str(place)
            place = parse_cursor(run.cursor) if run.cursor else None
            stops += 1

    assert stops > 2
    assert {each.identity for each in found} == {each.identity for each in at_once}


def stop_at(*, page: int) -> Callable[[int], None]:
    pages = itertools.count(1)

    def advance(_: int) -> None:
        if next(pages) == page:
            raise KeyboardInterrupt

    return advance


def test_a_place_is_read_as_it_is_written() -> None:
    for place in (ScanCursor(0, 1), ScanCursor(3, 40), ScanCursor(3, 40, "MSG#1"), ScanCursor(3, 40, "a/b")):
        assert parse_cursor(str(place)) == place


@pytest.mark.parametrize("text", ["", "7", "MSG#1", "4/4", "-1/4", "1/x/y"])
def test_malformed_cursor_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_cursor(text)


def test_every_read_but_the_index_s_is_consistent(talked: MessageTable, calls: Calls) -> None:
    change(talked, ENTRY, message={"S": "?"}, read_seq=number(1))
    with calls.counted(talked.client):
        list(Reconciliation(talked, sleep=lambda _: None).of_group(GROUP))
        reconcile(talked)

    for operation, params in calls.made:
        if operation in ("Scan", "GetItem") or (operation == "Query" and "IndexName" not in params):
            assert params["ConsistentRead"] is True, operation
        if operation == "BatchGetItem":
            assert all(each["ConsistentRead"] is True for each in params["RequestItems"].values())


# --- Size -------------------------------------------------------------------------------------------------------------


def test_of_ten_thousand_messages_only_running_values_are_kept() -> None:
    running = Recount()
    running.add(message_item(Message(GROUP, sk(0), 1, "x" * 1000, uuid4(), ANDREW)))
    tracemalloc.start()
    try:
        for seq in range(2, 10_001):
            at = format_created_at(NOW + timedelta(seconds=seq))
            running.add(message_item(Message(GROUP, at, seq, "x" * 1000, uuid4(), (ANDREW, BAYKO)[seq % 2])))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert (running.count, running.misnumbered) == (10_000, 0)
    assert peak < 100_000


def test_healthy_table_costs_one_scan_and_its_items(talked: MessageTable, calls: Calls) -> None:
    with calls.counted(talked.client):
        reconcile(talked)

    assert calls.operations == ["Scan", "BatchGetItem", "BatchGetItem", "BatchGetItem"]
    keys = [
        sum(len(each["Keys"]) for each in params["RequestItems"].values())
        for operation, params in calls.made
        if operation == "BatchGetItem"
    ]
    # Six entries; three whose member has not read the newest, of which two have read anything; three conversations.
    assert keys == [6, 2, 3]
