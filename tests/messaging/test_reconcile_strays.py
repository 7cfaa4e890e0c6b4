"""Reconciling: what belongs to nobody is told and stays, and malformed items stop nothing."""

from __future__ import annotations

from typing import Any

import pytest

from messaging.dynamodb import MessageTable
from messaging.items import CONVERSATION_SK, conversation_key, entry_key, message_item, message_key, pair_group_uuid
from messaging.reconciliation.findings import Kind
from messaging.values import number

from .damage import (
    CONVERSATION,
    ENTRY,
    THIRD_GROUP,
    VIR,
    Key,
    change,
    delete,
    everything,
    healthy,
    in_between,
    item_at,
    kinds,
    put,
    reconcile,
    sk,
    stray_entries,
)
from .talk import ANDREW, BAYKO, GROUP, entry_of, start


@pytest.fixture
def talked(table: MessageTable) -> MessageTable:
    return healthy(table)


def test_stray_entries_are_told_and_stay(talked: MessageTable) -> None:
    stray_entries(talked)
    damaged = everything(talked)

    found = reconcile(talked)

    assert [(each.kind, each.repaired) for each in found] == [(Kind.ENTRY_STRAY, False)] * 2
    assert all("--delete-strays" in each.sentence for each in found)
    assert everything(talked) == damaged


def test_stray_entries_are_deleted_if_that_is_wanted(talked: MessageTable) -> None:
    whole = everything(talked)
    stray_entries(talked)
    damaged = everything(talked)

    assert kinds(reconcile(talked, delete_strays=True, dry_run=True)) == [Kind.ENTRY_STRAY] * 2
    assert everything(talked) == damaged

    found = reconcile(talked, delete_strays=True)

    assert [(each.kind, each.repaired) for each in found] == [(Kind.ENTRY_STRAY, True)] * 2
    assert everything(talked) == whole


def test_a_stray_entry_of_a_lost_conversation_is_found_in_the_same_run(talked: MessageTable) -> None:
    stray_entries(talked)
    delete(talked, CONVERSATION)

    found = reconcile(talked, delete_strays=True)

    assert kinds(found) == [Kind.CONVERSATION_MISSING, Kind.ENTRY_STRAY, Kind.ENTRY_STRAY]
    assert all(each.repaired for each in found)
    assert reconcile(talked) == []


def test_an_entry_whose_group_comes_to_be_is_not_deleted(talked: MessageTable) -> None:
    """The conversation is there when the deletion is sent, as after a restore that was going on."""
    group = pair_group_uuid(BAYKO, VIR)
    start(by=VIR, to=BAYKO)
    conversation, message = item_at(talked, conversation_key(group)), talked.messages_after(group, "", limit=1)[0]
    delete(talked, conversation_key(group))
    delete(talked, message_key(group, message.created_at))
    delete(talked, entry_key(VIR, group))

    def restore() -> None:
        put(talked, conversation)
        put(talked, message_item(message))

    with in_between(talked, restore, before=0, operation="TransactWriteItems"):
        found = reconcile(talked, delete_strays=True)

    assert [each.repaired for each in found if each.kind == Kind.ENTRY_STRAY] == [False]
    assert entry_of(talked, BAYKO, group).last_seq == 1


# --- What is malformed ------------------------------------------------------------------------------------------------

MALFORMED: list[tuple[dict[str, Any], Key]] = [
    ({"pk": {"S": "CONFIG"}, "sk": {"S": "v1"}}, ("CONFIG", "v1")),
    ({"pk": {"S": "MSG#no uuid"}, "sk": {"S": "0"}}, ("MSG#no uuid", "0")),
    ({"pk": {"S": f"MSG#{str(GROUP).upper()}"}, "sk": {"S": "0"}}, (f"MSG#{str(GROUP).upper()}", "0")),
    ({"pk": {"S": f"GRP#{ANDREW}"}, "sk": {"S": "none"}}, (f"GRP#{ANDREW}", "none")),
    ({"pk": {"S": f"MSG#{GROUP}"}, "sk": {"S": "#A"}}, (f"MSG#{GROUP}", "#A")),
    ({"pk": {"S": f"MSG#{GROUP}"}, "sk": {"S": "zz"}}, (f"MSG#{GROUP}", "zz")),
]


@pytest.mark.parametrize(("item", "key"), MALFORMED)
def test_a_malformed_item_is_told_by_its_keys_and_stops_nothing(
    talked: MessageTable, item: dict[str, Any], key: Key
) -> None:
    put(talked, item)
    change(talked, entry_key(BAYKO, THIRD_GROUP), message={"S": "?"})

    found = reconcile(talked)

    assert [(each.pk, each.sk) for each in found if each.kind == Kind.MALFORMED] == [key]
    assert [each.repaired for each in found if each.kind == Kind.ENTRY_DIFFERS] == [True]
    assert everything(talked)[key] == item


@pytest.mark.parametrize(
    "attributes",
    [
        {"seq": {"S": "two"}},
        {"seq": None},
        {"user_uuid": {"S": "andrew"}},
        {"message_uuid": None},
        {"message": {"N": "1"}},
    ],
)
def test_nothing_is_rebuilt_from_messages_that_cannot_all_be_read(
    talked: MessageTable, attributes: dict[str, Any]
) -> None:
    change(talked, message_key(GROUP, sk(2)), **attributes)
    change(talked, CONVERSATION, seq=number(9))
    delete(talked, ENTRY)

    found = reconcile(talked)

    assert [(each.kind, each.repaired) for each in found] == [
        (Kind.MALFORMED, False),
        (Kind.ENTRY_DIFFERS, False),
        (Kind.ENTRY_MISSING, True),
    ]
    conversation = talked.conversation(GROUP)
    assert conversation is not None
    assert conversation.seq == 9


@pytest.mark.parametrize("attributes", [{"member_uuids": {"S": "all"}}, {"member_uuids": None}, {"version": None}])
def test_a_conversation_that_tells_no_members_or_version_is_told(
    talked: MessageTable, attributes: dict[str, Any]
) -> None:
    change(talked, CONVERSATION, **attributes)
    damaged = everything(talked)

    assert [(each.kind, each.sk) for each in reconcile(talked)] == [(Kind.MALFORMED, CONVERSATION_SK)]
    assert everything(talked) == damaged


@pytest.mark.parametrize(
    "attributes", [{"read_seq": {"S": "four"}}, {"read_sk": None}, {"read_seq": None}, {"read_sk": {"S": "yesterday"}}]
)
def test_an_unreadable_position_is_told_and_the_copy_repaired(talked: MessageTable, attributes: dict[str, Any]) -> None:
    change(talked, ENTRY, message={"S": "?"}, **attributes)
    own = {name: item_at(talked, ENTRY).get(name) for name in ("inbox", "read_seq", "read_sk")}

    found = reconcile(talked)

    assert [(each.kind, each.repaired) for each in found] == [(Kind.ENTRY_DIFFERS, True), (Kind.MALFORMED, False)]
    assert {name: item_at(talked, ENTRY).get(name) for name in own} == own
