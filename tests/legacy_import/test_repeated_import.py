"""Importing again, into conversations that go on, and for people who chat here already."""

from __future__ import annotations

from uuid import uuid4

import pytest

from messaging.actions.block import block
from messaging.actions.conversation_settings import mark_unread
from messaging.actions.delete_account import ask
from messaging.actions.leave_conversations import leave_all
from messaging.domain.entities import pair_group_uuid
from messaging.dynamodb.bulk import delete_messages
from messaging.dynamodb.keys import conversation_key, message_key, user_pk
from messaging.dynamodb.table import MessageTable
from tests.messaging.capacity import items
from tests.messaging.command_runs import run
from tests.messaging.faults import answer, during, fault
from tests.messaging.talk import drain, entry_of, send, start
from tests.messaging.unread_total import unread_total
from users.models import MovedIn, User

from .imported import (
    ANDREW,
    BAYKO,
    COMMAND,
    EVE,
    LONDO,
    all_is_well,
    group_of,
    later,
    person,
    remarks,
    stored,
    summary,
    texts,
)
from .legacy_items import OldSystem, OldUser, in_utc

pytestmark = pytest.mark.django_db


def test_repeated_import_keeps_new_messages_and_adds_no_old_ones(old: OldSystem, table: MessageTable) -> None:
    old.starts(ANDREW, BAYKO, "Old", in_utc(EVE))
    run(COMMAND, old.name)
    send(by=person(BAYKO).uuid, group=group_of(ANDREW, BAYKO), text="New")
    drain(table)
    before = items(table)

    assert summary(old)["messages_written"] == 0

    assert items(table) == before
    assert texts(table, ANDREW, BAYKO) == ["Old", "New"]


def test_messages_of_the_old_system_since_the_last_time_come_into_their_place(
    old: OldSystem, table: MessageTable
) -> None:
    group = old.starts(ANDREW, BAYKO, "First", in_utc(EVE))
    run(COMMAND, old.name)
    send(by=person(BAYKO).uuid, group=group_of(ANDREW, BAYKO), text="Here")
    old.says(ANDREW, group, "Second", in_utc(later(10)))

    told = summary(old)

    assert (told["messages_written"], told["conversations_completed"]) == (1, 1)
    found = stored(table, ANDREW, BAYKO)
    assert [(message.seq, message.message) for message in found] == [(1, "First"), (2, "Second"), (3, "Here")]
    assert all_is_well()


def test_two_who_chat_here_already_get_their_history_and_keep_what_is_unread(
    old: OldSystem, table: MessageTable, andrew: User, bayko: User
) -> None:
    one, other = (OldUser(each.handle, "Old", each.email, uuid=uuid4()) for each in (andrew, bayko))
    start(by=andrew.uuid, to=bayko.uuid, text="Here")
    group = old.starts(one, other, "Old 1", in_utc(EVE))
    for number in range(2, 6):
        old.says(one if number > 2 else other, group, f"Old {number}", in_utc(later(number)))
    for old_user, new in ((one, andrew), (other, bayko)):
        MovedIn.objects.create(old_uuid=old_user.uuid, person=new)

    told = summary(old)

    assert (told["messages_written"], told["people_found"]) == (5, 2)
    found = table.messages_after(pair_group_uuid(andrew.uuid, bayko.uuid), "", limit=100)
    assert [message.message for message in found] == ["Old 1", "Old 2", "Old 3", "Old 4", "Old 5", "Here"]
    assert [message.seq for message in found] == [1, 2, 3, 4, 5, 6]
    assert unread_total(user_uuid=bayko.uuid, now=found[-1].created).count == 1
    assert all_is_well()


def test_a_message_here_keeps_its_moment_and_an_old_one_of_the_same_gives_way(
    old: OldSystem, table: MessageTable, andrew: User, bayko: User
) -> None:
    one, other = (OldUser(each.handle, "Old", uuid=each.uuid) for each in (andrew, bayko))
    here = start(by=andrew.uuid, to=bayko.uuid, text="Here", now=EVE)
    old.starts(one, other, "Old", in_utc(EVE))

    run(COMMAND, old.name)

    found = table.messages_after(here.group_uuid, "", limit=100)
    assert [message.message for message in found] == ["Here", "Old"]
    assert found[0].created_at == here.created_at
    assert all_is_well()


def test_block_before_the_import_stays(old: OldSystem, table: MessageTable, andrew: User, bayko: User) -> None:
    one, other = (OldUser(each.handle, "Old", uuid=each.uuid) for each in (andrew, bayko))
    block(user_uuid=andrew.uuid, other_uuid=bayko.uuid, now=EVE)
    old.starts(other, one, "Old", in_utc(EVE))

    run(COMMAND, old.name)

    group = pair_group_uuid(andrew.uuid, bayko.uuid)
    conversation = table.conversation(group)
    assert conversation is not None
    assert conversation.seq == 1
    assert conversation.blocked_by == {andrew.uuid}
    assert entry_of(table, andrew.uuid, group).inbox is None
    assert entry_of(table, bayko.uuid, group).inbox == user_pk(bayko.uuid)
    assert all_is_well()


def test_import_does_not_restore_deleted_accounts(old: OldSystem, table: MessageTable, users: str) -> None:
    group = old.starts(ANDREW, BAYKO, "Of Andrew", in_utc(EVE))
    old.says(BAYKO, group, "Of Bayko", in_utc(later(1)))
    run(COMMAND, old.name, "--users", users)
    andrew = person(ANDREW)
    ask(user_uuid=andrew.uuid, now=later(100))
    list(leave_all(table, andrew.uuid, now=later(100)))
    old.says(ANDREW, group, "Of Andrew, later", in_utc(later(2)))
    with_londo = old.starts(ANDREW, LONDO, "Of Andrew, elsewhere", in_utc(later(3)))
    old.says(LONDO, with_londo, "Of Londo", in_utc(later(4)))

    found = [each for each in remarks(old, "--users", users) if each["kind"] == "deleted"]

    assert len(found) == 3
    assert User.objects.count() == 3
    assert texts(table, ANDREW, BAYKO) == ["", "Of Bayko", ""]
    assert texts(table, ANDREW, LONDO) == ["", "Of Londo"]
    conversation = table.conversation(group_of(ANDREW, LONDO))
    assert conversation is not None
    assert conversation.left_uuids == {andrew.uuid}
    assert table.own_entries(andrew.uuid, [conversation.group_uuid]) == []
    assert all_is_well()


def test_imported_messages_are_read(old: OldSystem, table: MessageTable) -> None:
    old.starts(ANDREW, BAYKO, "Old", in_utc(EVE))

    run(COMMAND, old.name)

    for member in (ANDREW, BAYKO):
        entry = entry_of(table, person(member).uuid, group_of(ANDREW, BAYKO))
        assert (entry.unread, entry.read_seq, entry.inbox) == (0, 1, user_pk(person(member).uuid))


def test_unread_mark_survives_a_repeated_import(old: OldSystem, table: MessageTable) -> None:
    group = old.starts(ANDREW, BAYKO, "Old", in_utc(EVE))
    old.says(BAYKO, group, "Older", in_utc(later(1)))
    run(COMMAND, old.name)
    mark_unread(user_uuid=person(ANDREW).uuid, group_uuid=group_of(ANDREW, BAYKO))

    run(COMMAND, old.name)

    assert entry_of(table, person(ANDREW).uuid, group_of(ANDREW, BAYKO)).unread == 1


# --- What was damaged here --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", ["conversation", "conversation and messages", "messages"])
def test_repeated_import_restores_lost_messages(old: OldSystem, table: MessageTable, lost: str) -> None:
    group = old.starts(ANDREW, BAYKO, "One", in_utc(EVE))
    old.says(BAYKO, group, "Two", in_utc(later(1)))
    run(COMMAND, old.name)
    here = group_of(ANDREW, BAYKO)
    if "messages" in lost:
        delete_messages(table, here)
    if "conversation" in lost:
        table.client.delete_item(TableName=table.name, Key=conversation_key(here))

    run(COMMAND, old.name)

    assert [(each.seq, each.message) for each in stored(table, ANDREW, BAYKO)] == [(1, "One"), (2, "Two")]
    assert all_is_well()


def test_a_conversation_that_cannot_be_repaired_is_left_as_it_is_and_told(old: OldSystem, table: MessageTable) -> None:
    group = old.starts(ANDREW, BAYKO, "One", in_utc(EVE))
    run(COMMAND, old.name)
    broken = message_key(group_of(ANDREW, BAYKO), "2023-01-01 or so")
    table.client.put_item(TableName=table.name, Item={**broken, "seq": {"S": "two"}})
    old.says(BAYKO, group, "Two", in_utc(later(1)))
    before = items(table)

    (remark,) = remarks(old)

    assert (remark["kind"], remark["about"]) == ("left-out", f"MSG#{group}")
    assert remark["what"].endswith("run ddb_reconcile, then this again")
    assert items(table) == before


# --- Others write between any two of its calls ------------------------------------------------------------------------


@pytest.fixture
def one_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the import use the client of the test, not a more patient one, so that its calls can be met."""
    monkeypatch.setattr(f"legacy_import.management.commands.{COMMAND}.patient", lambda client, **_: client)


@pytest.mark.usefixtures("one_client")
def test_a_first_message_that_is_sent_here_meanwhile_comes_after_the_old_ones(
    old: OldSystem, table: MessageTable
) -> None:
    group = old.starts(ANDREW, BAYKO, "Old", in_utc(EVE))
    old.says(BAYKO, group, "Old, too", in_utc(later(1)))

    with during(table, "TransactWriteItems", lambda: start(by=ANDREW.uuid, to=BAYKO.uuid, text="New")):
        run(COMMAND, old.name)

    assert [(each.seq, each.message) for each in stored(table, ANDREW, BAYKO)] == [
        (1, "Old"),
        (2, "Old, too"),
        (3, "New"),
    ]
    assert entry_of(table, BAYKO.uuid, group_of(ANDREW, BAYKO)).unread == 1
    assert all_is_well()


@pytest.mark.usefixtures("one_client")
@pytest.mark.parametrize("operation", ["PutItem", "UpdateItem"])
def test_a_message_that_is_sent_here_while_old_ones_come_is_the_last(
    old: OldSystem, table: MessageTable, operation: str
) -> None:
    group = old.starts(ANDREW, BAYKO, "Old", in_utc(EVE))
    run(COMMAND, old.name)
    here = group_of(ANDREW, BAYKO)
    send(by=ANDREW.uuid, group=here, text="New")
    old.says(BAYKO, group, "Old, too", in_utc(later(1)))

    with during(table, operation, lambda: send(by=BAYKO.uuid, group=here, text="Newest")):
        run(COMMAND, old.name)

    drain(table)
    found = stored(table, ANDREW, BAYKO)
    assert [(each.seq, each.message) for each in found] == list(enumerate(["Old", "Old, too", "New", "Newest"], 1))
    assert all_is_well()


@pytest.mark.usefixtures("one_client")
def test_import_waits_while_dynamodb_throttles(
    old: OldSystem, table: MessageTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    old.starts(ANDREW, BAYKO, "Old", in_utc(EVE))
    throttled = answer("ProvisionedThroughputExceededException")

    with (
        fault(table, "Query", throttled) as queries,
        fault(table, "BatchWriteItem", throttled) as batches,
        fault(table, "TransactWriteItems", throttled) as transactions,
    ):
        run(COMMAND, old.name)

    assert min(map(len, (queries, batches, transactions))) > 1
    assert [each.message for each in stored(table, ANDREW, BAYKO)] == ["Old"]
