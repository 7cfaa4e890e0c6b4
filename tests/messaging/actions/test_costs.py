"""What the access patterns cost: calls, units, consistency. Exact, by AWS's rules (see capacity.py).

The numbers are those of `messaging.operations.capacity.patterns`, with which `ddb_capacity` reckons.
"""

from datetime import timedelta
from statistics import fmean
from uuid import UUID, uuid4

import pytest

from cruddur.observability.request_context import working_for
from messaging.actions import read as read_actions
from messaging.dynamodb.item_kinds import CONVERSATION, ENTRY, MESSAGE, kind_of
from messaging.dynamodb.keys import conversation_key, entry_key, message_key, user_pk
from messaging.dynamodb.table import MessageTable
from messaging.dynamodb.table_definition import GROUP_INDEX, INBOX_INDEX, INDEXES
from messaging.operations.capacity import patterns
from messaging.operations.seeding import seed, seed_conversations
from messaging.queries import conversations
from messaging.stream.projection import project
from tests.conftest import Calls
from tests.messaging.capacity import assert_written, item_size, items, projection, read_units, units, units_written
from tests.messaging.talk import ANDREW, BAYKO, GROUP, NOW, drain, send, start, write_all
from tests.messaging.unread_total import unread_total
from users.people import seeded_people


def test_a_thread_takes_two_strongly_consistent_calls(moto_table: MessageTable, calls: Calls) -> None:
    start()
    with calls.counted(moto_table.client):
        conversations.load_conversation(user_uuid=ANDREW, group_uuid=GROUP)

    assert calls.operations == [*patterns.THREAD.calls]
    (_, batch), (_, query) = calls.made
    assert batch["RequestItems"][moto_table.name]["ConsistentRead"] is True
    assert query["ConsistentRead"] is True


@pytest.mark.parametrize("direction", ["before", "after"])
def test_an_older_or_newer_window_takes_two_calls(moto_table: MessageTable, calls: Calls, direction: str) -> None:
    message = start()
    with calls.counted(moto_table.client):
        conversations.load_conversation(user_uuid=ANDREW, group_uuid=GROUP, **{direction: message.created_at})

    assert calls.operations == [*patterns.THREAD.calls]


def test_opening_a_thread_at_its_first_unread_message_takes_two_calls_too(
    moto_table: MessageTable, calls: Calls
) -> None:
    lines = [(BAYKO, str(n), NOW + timedelta(minutes=n)) for n in range(61)]
    write_all(moto_table, lines, members=(ANDREW, BAYKO))
    with calls.counted(moto_table.client):
        conversations.load_from_first_unread(user_uuid=ANDREW, group_uuid=GROUP)

    assert calls.operations == [*patterns.THREAD.calls]
    assert calls.made[1][1]["ConsistentRead"] is True


def test_a_list_takes_one_call(moto_table: MessageTable, calls: Calls) -> None:
    start()
    with calls.counted(moto_table.client):
        conversations.list_conversations(user_uuid=ANDREW)
        unread_total(user_uuid=ANDREW, now=NOW)

    assert calls.operations == [*patterns.LIST.calls] * 2


def test_sending_takes_two_calls_and_four_units(moto_table: MessageTable, calls: Calls) -> None:
    start(text="é" * 300)
    before = items(moto_table)
    with calls.counted(moto_table.client):
        send(text="x" * 200)

    assert calls.operations == [*patterns.SEND.calls]
    assert calls.made[0][1]["ConsistentRead"] is True
    assert patterns.SEND.writes == 4
    assert_written(patterns.SEND, before, items(moto_table), transaction=True)


def test_sending_again_takes_two_calls_and_writes_nothing(moto_table: MessageTable, calls: Calls) -> None:
    after = start().created_at
    uuid = uuid4()
    send(uuid=uuid, after=after)
    before = items(moto_table)
    with calls.counted(moto_table.client):
        send(uuid=uuid, after=after)

    assert calls.operations == [*patterns.SEND_AGAIN.calls]
    assert items(moto_table) == before


def test_a_send_asks_for_earlier_sends_only_when_the_conversation_does_not_reach_back(
    moto_table: MessageTable, calls: Calls
) -> None:
    start()
    known = [send() for _ in range(4)]

    with calls.counted(moto_table.client):
        send(after=known[-1].created_at)
    assert calls.operations == ["GetItem", "TransactWriteItems"]

    with calls.counted(moto_table.client):
        send(after=known[0].created_at)
    assert calls.operations == ["GetItem", "Query", "TransactWriteItems"]
    assert calls.made[1][1]["ConsistentRead"] is True


def test_starting_takes_one_call_and_twelve_units(moto_table: MessageTable, calls: Calls) -> None:
    with calls.counted(moto_table.client):
        start(text="x" * 200)

    assert calls.operations == [*patterns.START.calls]
    assert patterns.START.writes == 12
    assert_written(patterns.START, {}, items(moto_table), transaction=True)


def test_projecting_takes_two_calls_and_six_units_however_many_messages(moto_table: MessageTable, calls: Calls) -> None:
    start()
    for _ in range(10):
        send(text="x" * 300)
    before = items(moto_table)
    changed = list(moto_table.conversations())

    with calls.counted(moto_table.client):
        assert project(moto_table, changed) == 2

    assert calls.operations == [*patterns.PROJECT.calls]
    assert patterns.PROJECT.writes == 6
    assert_written(patterns.PROJECT, before, items(moto_table), transaction=False)


def test_projecting_again_changes_nothing_and_is_paid_for_like_a_write_of_each_entry(
    moto_table: MessageTable, calls: Calls
) -> None:
    start()
    before = items(moto_table)
    changed = list(moto_table.conversations())

    with calls.counted(moto_table.client):
        assert project(moto_table, changed) == 0

    assert calls.operations == [*patterns.PROJECT_AGAIN.calls]
    assert items(moto_table) == before
    entries = [before[(user_pk(member), str(GROUP))] for member in (ANDREW, BAYKO)]
    assert sum(units(item_size(entry)) for entry in entries) == patterns.PROJECT_AGAIN.writes


def test_marking_read_takes_two_calls_and_two_units(moto_table: MessageTable, calls: Calls) -> None:
    message = start()
    before = items(moto_table)
    with calls.counted(moto_table.client):
        read_actions.mark_read(user_uuid=BAYKO, group_uuid=GROUP, created_at=message.created_at)

    assert calls.operations == [*patterns.MARK_READ.calls]
    assert calls.made[0][1]["ConsistentRead"] is True
    assert patterns.MARK_READ.writes == 2
    assert_written(patterns.MARK_READ, before, items(moto_table), transaction=False)


def test_messages_cost_the_indexes_nothing(moto_table: MessageTable) -> None:
    message = start()

    stored = items(moto_table)

    for key in (message_key(GROUP, message.created_at), conversation_key(GROUP)):
        item = stored[(key["pk"]["S"], key["sk"]["S"])]
        assert not item.keys() & {"inbox", "message_group_uuid", "last_message_at"}


def test_items_contain_no_names_or_handles(moto_table: MessageTable) -> None:
    start()
    send()

    names = {name for item in items(moto_table).values() for name in item}

    assert not [name for name in names if "handle" in name or "name" in name]


def test_an_entry_keeps_its_key_and_is_never_deleted(moto_table: MessageTable, calls: Calls) -> None:
    start()
    keys = set(items(moto_table))
    with calls.counted(moto_table.client):
        message = send(now=NOW + timedelta(days=400))
        drain(moto_table)

    assert set(items(moto_table)) - keys == {(f"MSG#{GROUP}", message.created_at)}
    assert not {"DeleteItem", "BatchWriteItem"} & set(calls.operations)
    key = entry_key(BAYKO, GROUP)
    moved = items(moto_table)[(key["pk"]["S"], key["sk"]["S"])]
    assert moved["last_message_at"]["S"] == message.created_at
    assert item_size(moved) < 1024


def test_a_page_of_the_seed_s_conversations_costs_one_read_unit(moto_table: MessageTable) -> None:
    handles = [person.handle for person in seeded_people()]
    people = {handle: UUID(int=number) for number, handle in enumerate(handles, start=1)}
    list(seed(moto_table, seed_conversations(), people=people, now=NOW))

    page = moto_table.client.query(
        TableName=moto_table.name,
        IndexName=INBOX_INDEX,
        KeyConditionExpression="inbox = :inbox",
        ExpressionAttributeValues={":inbox": {"S": user_pk(people["andrewbrown"])}},
        ScanIndexForward=False,
        Limit=conversations.PAGE_SIZE + 1,
    )["Items"]

    assert len(page) == conversations.PAGE_SIZE + 1
    assert read_units(page, consistent=False) == patterns.LIST.inbox_reads == patterns.THREAD_PAGE.inbox_reads


def test_a_conversation_and_an_entry_cost_one_read_unit_each(moto_table: MessageTable) -> None:
    start(text="x" * 1024)

    stored = items(moto_table)

    of_one = [
        read_units([stored[(key["pk"]["S"], key["sk"]["S"])]], consistent=True)
        for key in (conversation_key(GROUP), entry_key(ANDREW, GROUP), entry_key(BAYKO, GROUP))
    ]
    assert of_one == [1, 1, 1]
    # One's own entry and the conversation; the latter alone; and all three.
    assert patterns.THREAD.table_reads == patterns.THREAD_PAGE.table_reads == sum(of_one[:2])
    assert patterns.SEND.table_reads == of_one[0]
    assert patterns.SINCE.table_reads == sum(of_one)


def test_a_window_of_messages_costs_what_the_plan_reckons(moto_table: MessageTable, calls: Calls) -> None:
    text = "x" * 181
    write_all(moto_table, [(BAYKO, text, NOW + timedelta(minutes=n)) for n in range(50)], members=(ANDREW, BAYKO))
    with calls.counted(moto_table.client):
        conversations.load_conversation(user_uuid=ANDREW, group_uuid=GROUP)

    limit = calls.made[1][1]["Limit"]
    messages = [item for (_, sk), item in items(moto_table).items() if sk.startswith("2026-")]
    assert limit == patterns.MESSAGES_A_PAGE
    assert read_units(messages[:limit], consistent=True) == patterns.message_reads(181)


@pytest.mark.parametrize(("length", "more"), [(840, 0), (845, 2), (1024, 2)])
def test_a_message_above_a_kilobyte_costs_what_the_plan_reckons(
    moto_table: MessageTable, length: int, more: int
) -> None:
    start()
    before = items(moto_table)
    send(text="x" * length)

    assert patterns.extra_message_writes(length) == more
    assert units_written(before, items(moto_table), transaction=True) == patterns.SEND.writes + more


def test_items_are_as_large_as_the_plan_reckons(moto_table: MessageTable) -> None:
    handles = [person.handle for person in seeded_people()]
    people = {handle: UUID(int=number) for number, handle in enumerate(handles, start=1)}
    with working_for("b1946ac92492d234"):
        list(seed(moto_table, seed_conversations(), people=people, now=NOW))
    stored = items(moto_table).values()

    entries = [item for item in stored if kind_of(item) == ENTRY]
    messages = [item_size(item) - len(item["message"]["S"].encode()) for item in stored if kind_of(item) == MESSAGE]
    assert round(fmean(messages)) == patterns.MESSAGE_BYTES
    assert round(fmean(item_size(item) for item in stored if kind_of(item) == CONVERSATION)) == (
        patterns.CONVERSATION_BYTES
    )
    assert round(fmean(map(item_size, entries))) == patterns.ENTRY_BYTES
    in_index = {index: [item_size(projection(INDEXES[index], item)) for item in entries] for index in INDEXES}
    assert round(fmean(in_index[INBOX_INDEX])) == patterns.INBOX_ENTRY_BYTES
    assert round(fmean(in_index[GROUP_INDEX])) == patterns.GROUP_ENTRY_BYTES
