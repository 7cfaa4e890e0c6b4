"""Leaving conversations for good: everything one wrote goes, nothing else moves, and it can stop anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from messaging.actions import edit_message, leave_conversations
from messaging.actions.send_message import Blocked
from messaging.domain.entities import Conversation, pair_group_uuid
from messaging.dynamodb.keys import entry_key
from messaging.dynamodb.table import MessageTable
from messaging.operations.consistency.reconcile import Reconciliation
from messaging.queries import conversations
from messaging.stream.projection import project
from tests.conftest import Calls
from tests.messaging.capacity import items, units_written
from tests.messaging.faults import during
from tests.messaging.talk import ANDREW, BAYKO, GROUP, LONDO, NOW, drain, entry_of, send, start, write_all

LATER = NOW + timedelta(hours=1)
LONDOS = pair_group_uuid(ANDREW, LONDO)


def leave(table: MessageTable, user: UUID = ANDREW) -> list[Conversation]:
    return list(leave_conversations.leave_all(table, user, now=LATER))


def conversation(table: MessageTable, group: UUID = GROUP) -> Conversation:
    found = table.conversation(group)
    assert found is not None
    return found


def texts(table: MessageTable, group: UUID = GROUP) -> list[str]:
    return [message.message for message in table.messages_after(group, "", limit=1000)]


def test_one_s_own_messages_become_tombstones_in_every_conversation(either_table: MessageTable) -> None:
    start(text="Mine")
    send(by=BAYKO, text="Theirs")
    send(text="Mine too")
    start(by=LONDO, to=ANDREW, text="Londo's")
    send(group=LONDOS, text="Mine as well")

    leave(either_table)

    assert texts(either_table) == ["", "Theirs", ""]
    assert texts(either_table, LONDOS) == ["Londo's", ""]
    tombstone = either_table.messages_after(GROUP, "", limit=1)[0]
    assert (tombstone.deleted_at, tombstone.user_uuid, tombstone.seq) == ("2026-11-21T10:05:00.000000+00:00", ANDREW, 1)


def test_conversations_in_no_list_are_left_too(either_table: MessageTable) -> None:
    start()
    either_table.client.update_item(
        TableName=either_table.name, Key=entry_key(ANDREW, GROUP), UpdateExpression="REMOVE inbox"
    )

    leave(either_table)

    assert texts(either_table) == [""]


def test_more_messages_than_one_transaction_takes(table: MessageTable) -> None:
    people = [ANDREW, ANDREW, BAYKO]
    write_all(
        table,
        [(people[n % 3], str(n), NOW + timedelta(seconds=n)) for n in range(3 * leave_conversations.MESSAGES_A_PAGE)],
        members=(ANDREW, BAYKO),
    )

    leave(table)

    assert texts(table) == [str(n) if n % 3 == 2 else "" for n in range(3 * leave_conversations.MESSAGES_A_PAGE)]


def test_leaving_deletes_only_own_entries(either_table: MessageTable) -> None:
    start()
    start(to=LONDO)

    leave(either_table)

    entries = [key for key in items(either_table) if key[0].startswith("GRP#")]
    assert entries == [(f"GRP#{BAYKO}", str(GROUP)), (f"GRP#{LONDO}", str(LONDOS))]


def test_leaving_changes_no_unread_count_or_order_of_others(either_table: MessageTable) -> None:
    start(by=BAYKO, to=ANDREW)
    send(text="Unread")
    send(text="Unread, too")
    drain(either_table)
    before = entry_of(either_table, BAYKO)

    leave(either_table)
    drain(either_table)

    after = entry_of(either_table, BAYKO)
    assert (after.unread, after.last_message_at, after.inbox) == (before.unread, before.last_message_at, before.inbox)
    assert after.unread == 2
    assert (before.message, after.message) == ("Unread, too", "")


def test_the_preview_of_others_messages_stays(either_table: MessageTable) -> None:
    start()
    send(by=BAYKO, text="Where are you going?")

    leave(either_table)

    assert conversation(either_table).message == "Where are you going?"


def test_each_change_publishes_a_new_version(either_table: MessageTable) -> None:
    start()
    version = conversation(either_table).version

    told = leave(either_table)

    assert [each.version for each in told] == [version + 1, version + 2]
    assert told[-1] == conversation(either_table)


def test_sending_to_a_former_member_is_rejected(either_table: MessageTable) -> None:
    start()
    mine = send(by=BAYKO)
    leave(either_table)

    with pytest.raises(Blocked):
        send(by=BAYKO)
    with pytest.raises(Blocked):
        start(by=BAYKO, to=ANDREW)
    with pytest.raises(Blocked):
        edit_message.edit(user_uuid=BAYKO, group_uuid=GROUP, created_at=mine.created_at, text="Hm", now=NOW)


def test_former_member_cannot_write(either_table: MessageTable) -> None:
    start()
    leave(either_table)

    with pytest.raises(Blocked):
        send()


def test_remaining_members_can_delete_their_messages(either_table: MessageTable) -> None:
    mine = start(by=BAYKO, to=ANDREW)
    leave(either_table)

    edit_message.delete(user_uuid=BAYKO, group_uuid=GROUP, created_at=mine.created_at, now=LATER)

    assert texts(either_table) == [""]


@pytest.mark.parametrize("writer", [ANDREW, BAYKO])
def test_a_message_on_its_way_while_somebody_leaves_is_refused(either_table: MessageTable, writer: UUID) -> None:
    start()

    with during(either_table, "TransactWriteItems", lambda: leave(either_table)), pytest.raises(Blocked):
        send(by=writer, text="Too late")

    assert texts(either_table) == [""]


def test_an_edit_on_its_way_while_somebody_leaves_is_refused(either_table: MessageTable) -> None:
    mine = start(by=BAYKO, to=ANDREW, text="As it was")

    with during(either_table, "TransactWriteItems", lambda: leave(either_table)), pytest.raises(Blocked):
        edit_message.edit(user_uuid=BAYKO, group_uuid=GROUP, created_at=mine.created_at, text="Hm", now=NOW)

    assert texts(either_table) == ["As it was"]


def test_an_own_edit_on_its_way_brings_no_text_back(either_table: MessageTable) -> None:
    mine = start()

    with (
        during(either_table, "TransactWriteItems", lambda: leave(either_table)),
        pytest.raises((Blocked, edit_message.MessageIsDeleted)),
    ):
        edit_message.edit(user_uuid=ANDREW, group_uuid=GROUP, created_at=mine.created_at, text="Back", now=NOW)

    assert texts(either_table) == [""]


def test_message_sent_while_leaving_is_erased_too(either_table: MessageTable) -> None:
    start()

    with during(either_table, "UpdateItem", lambda: send(text="At the last moment")):
        leave(either_table)

    assert texts(either_table) == ["", ""]


def test_concurrent_deletion_is_tolerated(either_table: MessageTable) -> None:
    mine = start()
    send()

    def delete() -> None:
        edit_message.delete(user_uuid=ANDREW, group_uuid=GROUP, created_at=mine.created_at, now=NOW)

    with during(either_table, "TransactWriteItems", delete):
        leave(either_table)

    assert texts(either_table) == ["", ""]


def let_londo_in(table: MessageTable) -> None:
    table.client.update_item(
        TableName=table.name,
        Key={"pk": {"S": f"MSG#{GROUP}"}, "sk": {"S": "#CONVERSATION"}},
        UpdateExpression="ADD member_uuids :more",
        ExpressionAttributeValues={":more": {"BS": [LONDO.bytes]}},
    )


def test_in_a_group_of_three_a_message_of_who_leaves_is_refused_on_its_way(either_table: MessageTable) -> None:
    start()
    let_londo_in(either_table)

    with during(either_table, "TransactWriteItems", lambda: leave(either_table)), pytest.raises(Blocked):
        send(text="Too late")

    assert texts(either_table) == [""]


def test_a_group_of_three_goes_on_without_who_left(either_table: MessageTable) -> None:
    start()
    let_londo_in(either_table)
    leave(either_table)

    send(by=BAYKO, text="The two of us")
    with pytest.raises(Blocked):
        send(by=ANDREW)
    drain(either_table)
    leave(either_table, LONDO)

    with pytest.raises(Blocked):
        send(by=BAYKO)
    assert texts(either_table) == ["", "The two of us"]


# --- The entry stays away ---------------------------------------------------------------------------------------------


def test_the_projection_makes_no_entry_for_who_has_left(either_table: MessageTable) -> None:
    start()
    leave(either_table)

    drain(either_table)

    assert not either_table.entries(GROUP, [ANDREW])


def test_an_old_record_makes_no_entry_for_who_has_left_since(either_table: MessageTable) -> None:
    start()
    old = conversation(either_table)
    leave(either_table)

    assert project(either_table, [old]) == 0

    assert not either_table.entries(GROUP, [ANDREW])


def test_a_record_that_is_applied_while_somebody_leaves_makes_no_entry(either_table: MessageTable) -> None:
    start()
    old = conversation(either_table)
    # One entry is lost, so that the consumer would create it again.
    either_table.client.delete_item(TableName=either_table.name, Key=entry_key(ANDREW, GROUP))

    def leave_now() -> None:
        list(leave_conversations.leave_one(either_table, GROUP, ANDREW, now=LATER))

    with during(either_table, "TransactWriteItems", leave_now):
        project(either_table, [old])

    assert not either_table.entries(GROUP, [ANDREW])


def test_reconciling_finds_nothing_wrong_and_brings_nothing_back(table: MessageTable) -> None:
    start()
    send(by=BAYKO)
    leave(table)
    drain(table)
    before = items(table)

    assert list(Reconciliation(table, sleep=lambda _: None).of_table()) == []

    assert items(table) == before


# --- Stopping anywhere ------------------------------------------------------------------------------------------------


class Died(Exception):
    """The process is gone."""


@contextmanager
def dying_at(table: MessageTable, number: int) -> Iterator[list[str]]:
    """Let the process die just before its call of this number, counted from 0; yields the calls that were sent."""
    sent: list[str] = []

    def die(request: Any, **_: Any) -> None:
        if len(sent) == number:
            raise Died
        sent.append(request.headers["X-Amz-Target"].decode())

    table.client.meta.events.register_first("before-send.dynamodb", die)
    try:
        yield sent
    finally:
        table.client.meta.events.unregister("before-send.dynamodb", die)


def a_life(table: MessageTable) -> None:
    """Create conversations with two people, one of them longer than a page."""
    people = [ANDREW, BAYKO]
    count = leave_conversations.MESSAGES_A_PAGE + 5
    write_all(
        table,
        [(people[n % 2], str(n), NOW + timedelta(seconds=n)) for n in range(count)],
        members=(ANDREW, BAYKO),
    )
    write_all(table, [(LONDO, "Hi", NOW), (ANDREW, "Hello", NOW + timedelta(seconds=1))], members=(ANDREW, LONDO))


def as_left(table: MessageTable) -> dict[Any, Any]:
    """Return all items without attributes that depend on chance or on the number of restarts."""
    found = items(table)
    chance = ("version", "message_uuid", "sent")
    return {key: {name: value for name, value in item.items() if name not in chance} for key, item in found.items()}


def test_leaving_is_completed_after_a_crash_at_any_call(moto_table: MessageTable, fresh: Callable[[], None]) -> None:
    a_life(moto_table)
    with dying_at(moto_table, -1) as calls:
        leave(moto_table)
    expected = as_left(moto_table)

    for number in range(len(calls)):
        fresh()
        a_life(moto_table)
        with dying_at(moto_table, number), pytest.raises(Died):
            leave(moto_table)

        leave(moto_table)

        assert as_left(moto_table) == expected, f"died at call {number}"
    assert len(calls) > 8


@pytest.fixture
def fresh(moto_table: MessageTable) -> Callable[[], None]:
    """Return a function that empties the table."""

    def empty() -> None:
        for pk, sk in items(moto_table):
            moto_table.client.delete_item(TableName=moto_table.name, Key={"pk": {"S": pk}, "sk": {"S": sk}})

    return empty


def test_repeated_leaving_changes_nothing(either_table: MessageTable) -> None:
    a_life(either_table)
    leave(either_table)
    before = items(either_table)

    assert leave(either_table) == []

    assert items(either_table) == before


# --- Costs ------------------------------------------------------------------------------------------------------------


def test_three_conversations_and_sixty_messages_cost(moto_table: MessageTable, calls: Calls) -> None:
    for other in (BAYKO, LONDO, UUID(int=4)):
        people = [ANDREW, other]
        write_all(
            moto_table,
            [(people[n % 2], f"Message {n}", NOW + timedelta(seconds=n)) for n in range(40)],
            members=(ANDREW, other),
        )
    before = items(moto_table)

    with calls.counted(moto_table.client):
        leave(moto_table)

    each = ["UpdateItem", *["Query", "TransactWriteItems"] * 2, "DeleteItem"]
    assert calls.operations == ["Query", *each * 3]
    after = items(moto_table)
    messages = {key for key in before if key[0].startswith("MSG#") and key[1] != "#CONVERSATION"}
    in_transactions = units_written(
        {key: before[key] for key in messages}, {key: after[key] for key in messages}, transaction=True
    )
    entries = {key for key in before if key[0] == f"GRP#{ANDREW}"}
    of_entries = units_written({key: before[key] for key in entries}, {}, transaction=False)
    conversations_in_transactions = 3 * 2 * 2
    assert (in_transactions, conversations_in_transactions, of_entries) == (120, 12, 9)
    assert conversations.list_conversations(user_uuid=ANDREW).entries == []
