"""Reconciling: each damage, made by hand in a real table, is found and repaired, and nothing else is touched."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta

import pytest

from messaging.domain.timestamps import format_created_at
from messaging.dynamodb.codec import number, uuid_set
from messaging.dynamodb.keys import CONVERSATION_SK, conversation_key, entry_key, message_key
from messaging.dynamodb.table import MessageTable
from messaging.operations.consistency.findings import Kind
from messaging.operations.consistency.reconcile import Reconciliation
from messaging.operations.consistency.snapshot_reader import SnapshotReader
from messaging.queries import conversations
from tests.messaging.damage import (
    ENTRY,
    GROUP_OF_NOBODY,
    HEALED,
    OTHER_GROUP,
    VIR,
    Items,
    but_for_who_wrote,
    change,
    delete,
    everything,
    healthy,
    kinds,
    pages_of,
    reconcile,
    sk,
    write_group_of_three,
)
from tests.messaging.talk import ANDREW, BAYKO, GROUP, LONDO, NOW, entry_of, send


@pytest.fixture
def talked(table: MessageTable) -> MessageTable:
    return healthy(table)


@pytest.mark.parametrize("name", HEALED)
def test_a_dry_run_changes_nothing_and_a_run_brings_back_what_was(talked: MessageTable, name: str) -> None:
    damage, expected = HEALED[name]
    whole = everything(talked)
    damage(talked)
    damaged = everything(talked)

    found = reconcile(talked, dry_run=True)

    assert everything(talked) == damaged
    assert found
    assert set(kinds(found)) <= set(expected)
    assert not any(each.repaired for each in found)

    found = reconcile(talked)

    assert kinds(found) == sorted(expected)
    assert all(each.repaired for each in found), found
    assert but_for_who_wrote(everything(talked)) == but_for_who_wrote(whole)
    assert reconcile(talked) == []
    assert SnapshotReader(talked).look(GROUP).quiet


def test_healthy_items_are_read_once_and_left_alone(talked: MessageTable) -> None:
    whole = everything(talked)
    waits: list[float] = []

    run = Reconciliation(talked, sleep=waits.append)

    assert list(run.of_table()) == []
    assert everything(talked) == whole
    assert waits == []
    assert run.compared == Counter(conversations=3, messages=8, entries=6)


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
def test_pages_may_end_anywhere(talked: MessageTable, limit: int) -> None:
    waits: list[float] = []

    with pages_of(talked, limit):
        run = Reconciliation(talked, sleep=waits.append)

        assert list(run.of_table()) == []
    assert waits == []
    assert run.compared == Counter(conversations=3, messages=8, entries=6)


def test_a_rebuilt_conversation_keeps_who_blocked_it_and_gets_a_newer_version(talked: MessageTable) -> None:
    change(talked, conversation_key(OTHER_GROUP), seq=number(7))
    change(talked, entry_key(LONDO, OTHER_GROUP), version=number(30))

    reconcile(talked)

    conversation = talked.conversation(OTHER_GROUP)
    assert conversation is not None
    assert (conversation.seq, conversation.version, conversation.blocked) == (1, 31, True)


def test_random_damage_is_repaired_in_one_run(talked: MessageTable) -> None:
    chance = random.Random(11)
    whole = everything(talked)
    for _ in range(12):
        names = chance.sample([name for name in HEALED if "entries are" not in name and "lacks" not in name], k=3)
        for name in names:
            try:
                HEALED[name][0](talked)
            except KeyError:  # what it damages is missing by now
                continue

        found = reconcile(talked)

        assert all(each.repaired for each in found), (names, found)
        assert reconcile(talked) == [], names
        healed = everything(talked)
        assert messages_in(healed) == messages_in(whole), names
        assert conversations.load_conversation(user_uuid=BAYKO, group_uuid=GROUP).conversation.seq == 6


def messages_in(items: Items) -> Items:
    return {key: item for key, item in items.items() if key[0].startswith("MSG#") and key[1] != CONVERSATION_SK}


# --- Damages that leave something behind ------------------------------------------------------------------------------


def test_a_lost_message_is_told_and_the_rest_counts_anew(talked: MessageTable) -> None:
    delete(talked, message_key(GROUP, sk(5)))

    found = reconcile(talked)

    assert kinds(found) == [Kind.CONVERSATION_DIFFERS, Kind.NUMBERS_WRONG, Kind.POSITION_WRONG]
    assert all(each.repaired for each in found)
    assert [m.seq for m in talked.messages_after(GROUP, "", limit=9)] == [1, 2, 3, 4, 5]
    # Andrew had read up to the fifth, which is no more.
    assert (entry_of(talked, BAYKO).read_seq, entry_of(talked, BAYKO).unread) == (4, 1)
    assert (entry_of(talked, ANDREW).read_seq, entry_of(talked, ANDREW).read_sk) == (4, sk(4))
    assert reconcile(talked) == []


def test_a_lost_newest_message_is_no_message_any_more(talked: MessageTable) -> None:
    delete(talked, message_key(GROUP, sk(6)))

    found = reconcile(talked)

    assert kinds(found) == [Kind.CONVERSATION_DIFFERS]
    assert [entry_of(talked, who).message for who in (ANDREW, BAYKO)] == ["five", "five"]
    assert entry_of(talked, BAYKO).unread == 0
    assert send(by=ANDREW).seq == 6
    assert reconcile(talked)[0].kind == Kind.ENTRY_BEHIND


@pytest.mark.parametrize(
    ("position", "put_right"),
    [
        ((50, sk(99)), (6, sk(6))),
        ((4, format_created_at(NOW + timedelta(minutes=4, seconds=1))), (4, sk(4))),
        ((1, sk(0)), (0, "")),
    ],
)
def test_a_position_at_no_message_is_set_to_the_one_before(
    talked: MessageTable, position: tuple[int, str], put_right: tuple[int, str]
) -> None:
    change(talked, ENTRY, read_seq=number(position[0]), read_sk={"S": position[1]})

    (found,) = reconcile(talked)

    assert (found.kind, found.repaired) == (Kind.POSITION_WRONG, True)
    entry = entry_of(talked, BAYKO)
    assert (entry.read_seq, entry.read_sk) == put_right
    others = [m for m in talked.messages_after(GROUP, max(entry.read_sk, sk(5)), limit=9) if m.user_uuid != BAYKO]
    assert entry.unread == len(others)


def test_a_conversation_without_messages_cannot_be_repaired(talked: MessageTable) -> None:
    for seq in range(1, 7):
        delete(talked, message_key(GROUP, sk(seq)))

    found = reconcile(talked)

    assert [(each.kind, each.repaired) for each in found] == [(Kind.CONVERSATION_DIFFERS, False)]
    assert "nothing to rebuild it from" in found[0].sentence


def test_a_lost_conversation_of_unknown_members_is_told(talked: MessageTable) -> None:
    delete(talked, conversation_key(OTHER_GROUP))
    delete(talked, entry_key(ANDREW, OTHER_GROUP))
    delete(talked, entry_key(LONDO, OTHER_GROUP))
    damaged = everything(talked)

    (found,) = reconcile(talked)

    assert (found.kind, found.repaired) == (Kind.CONVERSATION_MISSING, False)
    assert "nothing tells who its members are" in found.sentence
    assert everything(talked) == damaged


def test_a_lost_conversation_of_three_is_rebuilt_when_all_entries_agree(table: MessageTable) -> None:
    members = frozenset((ANDREW, BAYKO, LONDO))
    write_group_of_three(table, members)
    delete(table, conversation_key(GROUP_OF_NOBODY))

    found = reconcile(table)

    assert [(each.kind, each.repaired) for each in found] == [(Kind.CONVERSATION_MISSING, True)]
    conversation = table.conversation(GROUP_OF_NOBODY)
    assert conversation is not None
    assert conversation.member_uuids == members
    assert reconcile(table) == []


def test_a_lost_conversation_of_three_is_told_when_entries_disagree(table: MessageTable) -> None:
    write_group_of_three(table, frozenset((ANDREW, BAYKO, LONDO)))
    delete(table, conversation_key(GROUP_OF_NOBODY))
    change(table, entry_key(ANDREW, GROUP_OF_NOBODY), member_uuids=uuid_set(frozenset((ANDREW, VIR))))

    assert [(each.kind, each.repaired) for each in reconcile(table)] == [(Kind.CONVERSATION_MISSING, False)]
