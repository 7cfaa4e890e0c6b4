"""Reconciling: what belongs to nobody is told and stays, and malformed items stop nothing and are repaired."""

from __future__ import annotations

from typing import Any

import pytest

from messaging.actions import block
from messaging.domain.entities import pair_group_uuid
from messaging.dynamodb.codec import message_item, number
from messaging.dynamodb.keys import CONVERSATION_SK, conversation_key, entry_key, message_key
from messaging.dynamodb.table import MessageTable
from messaging.operations.consistency.findings import Kind
from tests.messaging.damage import (
    CONVERSATION,
    ENTRY,
    GROUP_OF_NOBODY,
    THIRD_GROUP,
    VIR,
    Key,
    but_for_who_wrote,
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
    write_group_of_three,
)
from tests.messaging.talk import ANDREW, BAYKO, GROUP, NOW, entry_of, start


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
        {"user_uuid": {"S": "andrew"}},
        {"message_uuid": None},
        {"message": {"N": "1"}},
        {"deleted_at": {"S": "yesterday"}},
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
    (attribute,) = attributes
    assert f"put {attribute} right by hand" in found[0].sentence
    conversation = talked.conversation(GROUP)
    assert conversation is not None
    assert conversation.seq == 9


@pytest.mark.parametrize("attributes", [{"seq": {"S": "two"}}, {"seq": None}])
def test_a_message_is_numbered_by_its_place_where_its_number_cannot_be_read(
    talked: MessageTable, attributes: dict[str, Any]
) -> None:
    whole = but_for_who_wrote(everything(talked))
    change(talked, message_key(GROUP, sk(2)), **attributes)

    assert [(each.kind, each.repaired) for each in reconcile(talked)] == [(Kind.NUMBERS_WRONG, True)]
    assert but_for_who_wrote(everything(talked)) == whole


@pytest.mark.parametrize("name", ["left_uuids", "blocked_by", "awaiting"])
def test_unrepairable_difference_is_named_and_left_alone(talked: MessageTable, name: str) -> None:
    change(talked, CONVERSATION, **{name: {"S": "somebody"}})
    damaged = everything(talked)

    (found,) = reconcile(talked)

    assert (found.kind, found.sk) == (Kind.MALFORMED, CONVERSATION_SK)
    assert f"put {name} right by hand" in found.sentence
    assert everything(talked) == damaged


def test_members_whom_nothing_tells_are_named_and_left_to_a_person(table: MessageTable) -> None:
    write_group_of_three(table, frozenset((ANDREW, BAYKO, VIR)))
    for member in (ANDREW, BAYKO, VIR):
        change(table, entry_key(member, GROUP_OF_NOBODY), member_uuids={"S": "all"})
    change(table, conversation_key(GROUP_OF_NOBODY), member_uuids={"S": "all"})

    found = reconcile(table)

    assert [(each.kind, each.sk) for each in found] == [(Kind.MALFORMED, CONVERSATION_SK)]
    assert "put member_uuids right by hand" in found[0].sentence


def test_a_damaged_conversation_without_messages_is_made_again_unless_entries_say_that_there_were_some(
    table: MessageTable,
) -> None:
    group = pair_group_uuid(ANDREW, VIR)
    block.shut(user_uuid=ANDREW, other_uuid=VIR, now=NOW)
    change(table, conversation_key(group), seq={"S": "none"}, last_sk=None, sent=None)

    assert [(each.kind, each.repaired) for each in reconcile(table)] == [(Kind.CONVERSATION_DIFFERS, True)]
    conversation = table.conversation(group)
    assert conversation is not None
    assert (conversation.seq, conversation.blocked_by) == (0, frozenset((ANDREW,)))

    message = start()
    delete(table, message_key(GROUP, message.created_at))
    change(table, CONVERSATION, seq=None)
    (found,) = reconcile(table)
    assert not found.repaired
    assert "nothing to rebuild it from" in found.sentence


@pytest.mark.parametrize(
    ("attributes", "read"),
    [
        ({"read_seq": {"S": "four"}}, 4),
        ({"read_sk": None}, 4),
        ({"read_seq": None}, 4),
        ({"read_sk": {"S": "yesterday"}}, 4),
        ({"read_seq": {"N": "1000"}, "read_sk": {"N": "1"}}, 0),
        ({"read_seq": {"BOOL": True}, "read_sk": {"N": "1"}}, 0),
    ],
)
def test_a_position_is_what_can_be_read_of_it(talked: MessageTable, attributes: dict[str, Any], read: int) -> None:
    whole = but_for_who_wrote(everything(talked))
    change(talked, ENTRY, message={"S": "?"}, **attributes)

    found = reconcile(talked)

    assert [(each.kind, each.repaired) for each in found] == [(Kind.ENTRY_DIFFERS, True), (Kind.POSITION_WRONG, True)]
    assert entry_of(talked, BAYKO).read_seq == read
    if read:
        assert but_for_who_wrote(everything(talked)) == whole


def test_an_entry_of_no_list_is_put_where_its_conversation_belongs_and_unmuted(talked: MessageTable) -> None:
    whole = but_for_who_wrote(everything(talked))
    change(talked, ENTRY, inbox={"S": f"GRP#{ANDREW}"}, muted_until={"S": "always"})

    (found,) = reconcile(talked)

    assert (found.kind, found.repaired) == (Kind.CHOICE_WRONG, True)
    assert but_for_who_wrote(everything(talked)) == whole
