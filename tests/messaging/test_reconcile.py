"""Reconciling: each damage, made by hand in a real table, is found, repaired or told, and nothing else is touched."""

from __future__ import annotations

import itertools
import random
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from messaging import amendments, conversations
from messaging.aws import Unavailable
from messaging.comparison import Running
from messaging.conversations import ConversationNotFound
from messaging.dynamodb import MessageTable
from messaging.findings import Finding, Kind
from messaging.items import (
    CONVERSATION_SK,
    Message,
    conversation_key,
    entry_key,
    format_created_at,
    message_item,
    message_key,
    number,
    pair_group_uuid,
    uuid_set,
)
from messaging.looks import Looks, Place, parse_place
from messaging.reconcile import SETTLE_SECONDS, Reconciliation
from messaging.sequence import conversation_from_first, entry_from_conversation
from tests.conftest import Calls

from .faults import answer, fault
from .talk import ANDREW, BAYKO, GROUP, LONDO, NOW, drain, entry_of, send, start, write_all

VIR = UUID(int=4)
PAIR = (ANDREW, BAYKO)
OTHER_GROUP = pair_group_uuid(ANDREW, LONDO)
THIRD_GROUP = pair_group_uuid(BAYKO, LONDO)
GROUP_OF_NOBODY = UUID("3f2b8c1e-5d0a-5b8e-9c55-0d6f4b1a7e21")

Key = tuple[str, str]
Items = dict[Key, dict[str, Any]]


def everything(table: MessageTable) -> Items:
    pages = table.client.get_paginator("scan").paginate(TableName=table.name, ConsistentRead=True)
    return {(item["pk"]["S"], item["sk"]["S"]): dict(item) for page in pages for item in page["Items"]}


def but_for_versions(items: Items) -> Items:
    return {key: {name: value for name, value in item.items() if name != "version"} for key, item in items.items()}


def reconcile(table: MessageTable, **how: Any) -> list[Finding]:
    """What a run over the whole table finds; it does not really wait."""
    return list(Reconciliation(table, sleep=lambda _: None, **how).of_table())


def kinds(findings: list[Finding]) -> list[Kind]:
    return sorted(each.kind for each in findings)


def change(table: MessageTable, key: dict[str, Any], **attributes: Any) -> None:
    """Set attributes of an item by hand; None removes."""
    item = dict(table.client.get_item(TableName=table.name, Key=key, ConsistentRead=True)["Item"])
    changed = {**item, **attributes}
    put(table, {name: value for name, value in changed.items() if value is not None})


def put(table: MessageTable, item: dict[str, Any]) -> None:
    table.client.put_item(TableName=table.name, Item=item)


def delete(table: MessageTable, key: dict[str, Any]) -> None:
    table.client.delete_item(TableName=table.name, Key=key)


def item_at(table: MessageTable, key: dict[str, Any]) -> dict[str, Any]:
    return dict(table.client.get_item(TableName=table.name, Key=key, ConsistentRead=True)["Item"])


def sk(seq: int) -> str:
    """created_at of a message of GROUP."""
    return format_created_at(NOW + timedelta(minutes=seq))


CONVERSATION = conversation_key(GROUP)
ENTRY = entry_key(BAYKO, GROUP)


@pytest.fixture
def talked(table: MessageTable) -> MessageTable:
    """Three conversations as they should be: some read, one message edited, one deleted, one list hidden."""
    texts = ["one", "two", "three", "four", "five", "six"]
    said = [((ANDREW, BAYKO)[seq % 2], text, NOW + timedelta(minutes=seq)) for seq, text in enumerate(texts, start=1)]
    write_all(table, said, members=(ANDREW, BAYKO))
    start(by=LONDO, to=ANDREW)
    start(by=LONDO, to=BAYKO)
    now = NOW + timedelta(minutes=7)
    amendments.edit(user_uuid=ANDREW, group_uuid=GROUP, created_at=sk(6), text="six!", now=now)
    amendments.delete(user_uuid=BAYKO, group_uuid=GROUP, created_at=sk(3), now=now)
    conversations.mark_read(user_uuid=ANDREW, group_uuid=GROUP, created_at=sk(5))
    conversations.mark_read(user_uuid=BAYKO, group_uuid=GROUP, created_at=sk(4))
    drain(table)
    change(table, entry_key(ANDREW, OTHER_GROUP), inbox=None)
    change(table, conversation_key(OTHER_GROUP), blocked_by=uuid_set(frozenset((ANDREW,))))
    return table


@contextmanager
def in_between(table: MessageTable, what: Callable[[], object], *, before: int, operation: str = "*") -> Iterator[None]:
    """Do something before the call of this number, from 0, of all that are made in the block."""
    calls = itertools.count()
    busy = False

    def look(**_: Any) -> None:
        nonlocal busy
        if busy or next(calls) != before:
            return
        busy = True
        what()
        busy = False

    event = f"before-send.dynamodb.{operation}"
    table.client.meta.events.register_first(event, look)
    try:
        yield
    finally:
        table.client.meta.events.unregister(event, look)


@contextmanager
def pages_of(table: MessageTable, limit: int) -> Iterator[None]:
    """Let pages of the whole table have so few items, as if they were large."""

    def limited(params: dict[str, Any], **_: Any) -> None:
        params["Limit"] = limit

    table.client.meta.events.register("provide-client-params.dynamodb.Scan", limited)
    try:
        yield
    finally:
        table.client.meta.events.unregister("provide-client-params.dynamodb.Scan", limited)


# --- Damages whose repair brings back what was ------------------------------------------------------------------------

Damage = Callable[[MessageTable], object]


def together(*damages: Damage) -> Damage:
    def all_of_them(table: MessageTable) -> None:
        for damage in damages:
            damage(table)

    return all_of_them


HEALED: dict[str, tuple[Damage, list[Kind]]] = {
    "an entry is missing": (lambda t: delete(t, entry_key(BAYKO, THIRD_GROUP)), [Kind.ENTRY_MISSING]),
    "an entry is behind": (
        lambda t: change(t, ENTRY, version=number(2), last_seq=number(2), message={"S": "two"}),
        [Kind.ENTRY_BEHIND],
    ),
    "an entry has another preview": (lambda t: change(t, ENTRY, message={"S": "?"}), [Kind.ENTRY_DIFFERS]),
    "an entry has another time": (lambda t: change(t, ENTRY, last_message_at={"S": sk(2)}), [Kind.ENTRY_DIFFERS]),
    "an entry is missing in an index": (
        lambda t: change(t, ENTRY, message_group_uuid=None),
        [Kind.ENTRY_DIFFERS],
    ),
    "an entry has other members": (
        lambda t: change(t, ENTRY, member_uuids=uuid_set(frozenset((BAYKO, VIR)))),
        [Kind.ENTRY_DIFFERS],
    ),
    "an entry has no version": (lambda t: change(t, ENTRY, version=None), [Kind.ENTRY_DIFFERS]),
    "an entry's number is text": (lambda t: change(t, ENTRY, last_seq={"S": "six"}), [Kind.ENTRY_DIFFERS]),
    "an entry is ahead": (lambda t: change(t, ENTRY, version=number(90), last_seq=number(9)), [Kind.ENTRY_AHEAD]),
    "both entries are ahead": (
        together(*(lambda t, who=who: change(t, entry_key(who, GROUP), version=number(90 + who.int)) for who in PAIR)),
        [Kind.ENTRY_AHEAD, Kind.ENTRY_AHEAD],
    ),
    "a conversation counts too few": (lambda t: change(t, CONVERSATION, seq=number(4)), [Kind.CONVERSATION_DIFFERS]),
    "a conversation counts too many": (lambda t: change(t, CONVERSATION, seq=number(9)), [Kind.CONVERSATION_DIFFERS]),
    "a conversation ends elsewhere": (
        lambda t: change(t, CONVERSATION, last_sk={"S": sk(99)}),
        [Kind.CONVERSATION_DIFFERS],
    ),
    "a conversation has another preview": (
        lambda t: change(t, CONVERSATION, message={"S": "six"}),
        [Kind.CONVERSATION_DIFFERS],
    ),
    "a conversation was written last by another": (
        lambda t: change(t, CONVERSATION, last_user_uuid={"B": LONDO.bytes}),
        [Kind.CONVERSATION_DIFFERS],
    ),
    "a conversation forgot who sent": (lambda t: change(t, CONVERSATION, sent={"M": {}}), [Kind.CONVERSATION_DIFFERS]),
    "a conversation lacks attributes": (
        lambda t: change(t, CONVERSATION, sent=None, seq=None, last_sk=None, message={"N": "1"}),
        [Kind.CONVERSATION_DIFFERS],
    ),
    "a blocked conversation has another preview": (
        lambda t: change(t, conversation_key(OTHER_GROUP), message={"S": "?"}),
        [Kind.CONVERSATION_DIFFERS],
    ),
    "a conversation is missing": (lambda t: delete(t, CONVERSATION), [Kind.CONVERSATION_MISSING]),
    "a conversation and the entries are missing": (
        together(
            lambda t: delete(t, conversation_key(THIRD_GROUP)), lambda t: delete(t, entry_key(BAYKO, THIRD_GROUP))
        ),
        [Kind.CONVERSATION_MISSING, Kind.ENTRY_MISSING],
    ),
    "a message has another's number": (
        lambda t: change(t, message_key(GROUP, sk(2)), seq=number(5)),
        [Kind.NUMBERS_WRONG],
    ),
    "all messages have numbers of another order": (
        together(
            *(lambda t, seq=seq: change(t, message_key(GROUP, sk(seq)), seq=number(17 - seq)) for seq in range(1, 7))
        ),
        [Kind.NUMBERS_WRONG],
    ),
    "a position has another number": (lambda t: change(t, ENTRY, read_seq=number(40)), [Kind.POSITION_WRONG]),
    "a position is before its message": (lambda t: change(t, ENTRY, read_seq=number(1)), [Kind.POSITION_WRONG]),
    "much at once": (
        together(
            lambda t: change(t, CONVERSATION, seq=number(1), message={"S": "?"}),
            lambda t: change(t, message_key(GROUP, sk(1)), seq=number(3)),
            lambda t: change(t, ENTRY, message={"S": "??"}, read_seq=number(9)),
            lambda t: delete(t, entry_key(LONDO, THIRD_GROUP)),
        ),
        [Kind.CONVERSATION_DIFFERS, Kind.ENTRY_MISSING, Kind.NUMBERS_WRONG, Kind.POSITION_WRONG],
    ),
}


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
    assert but_for_versions(everything(talked)) == but_for_versions(whole)
    assert reconcile(talked) == []
    assert Looks(talked).look(GROUP).quiet


def test_what_is_well_is_left_alone_and_not_looked_at_twice(talked: MessageTable) -> None:
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
        assert conversations.thread(user_uuid=BAYKO, group_uuid=GROUP).conversation.seq == 6


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


def write_group_of_three(table: MessageTable, members: frozenset[UUID]) -> None:
    message = Message(GROUP_OF_NOBODY, sk(1), 1, "All of you", uuid4(), ANDREW)
    conversation = conversation_from_first(message, member_uuids=members)
    table.create(conversation, message, [entry_from_conversation(conversation, each) for each in members])


# --- Strays -----------------------------------------------------------------------------------------------------------


def stray_entries(table: MessageTable) -> None:
    """One of a stranger in a conversation, one of a group of which there is nothing."""
    entry = item_at(table, ENTRY)
    put(table, {**entry, **entry_key(VIR, GROUP)})
    group = {"message_group_uuid": {"S": str(GROUP_OF_NOBODY)}}
    put(table, {**entry, **entry_key(BAYKO, GROUP_OF_NOBODY), **group})


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


# --- While people chat ------------------------------------------------------------------------------------------------


def test_entries_that_only_lag_are_no_finding(talked: MessageTable) -> None:
    """The stream moves them while the second look is waited for."""
    send(by=ANDREW)

    waited: list[float] = []

    def stream(seconds: float) -> None:
        waited.append(seconds)
        drain(talked)
        send(by=BAYKO, now=NOW + timedelta(hours=1))

    assert list(Reconciliation(talked, dry_run=True, sleep=stream).of_table()) == []
    assert waited == [SETTLE_SECONDS]


def reconcile_group(table: MessageTable) -> list[Finding]:
    return list(Reconciliation(table, sleep=lambda _: None).of_group(GROUP))


def restore(table: MessageTable, items: Items) -> None:
    """Make the table hold these items and no others."""
    there = everything(table)
    for key in there.keys() - items.keys():
        delete(table, {"pk": {"S": key[0]}, "sk": {"S": key[1]}})
    for key, item in items.items():
        if there.get(key) != item:
            put(table, item)


CHATTED = [
    "an entry is behind",
    "an entry has another preview",
    "an entry is ahead",
    "a conversation counts too few",
    "a conversation has another preview",
    "a conversation is missing",
    "all messages have numbers of another order",
    "a position has another number",
]


@pytest.mark.parametrize("name", CHATTED)
def test_what_is_written_between_any_two_of_its_calls_is_neither_lost_nor_undone(
    talked: MessageTable, calls: Calls, name: str
) -> None:
    """At each call in turn a message is sent and edited, another deleted, all is read; then the stream is drained."""
    damage, _ = HEALED[name]
    whole = everything(talked)
    damage(talked)
    first = 0

    def pause(_: float) -> None:
        nonlocal first
        first = first or len(calls.operations)

    with calls.counted(talked.client):
        list(Reconciliation(talked, sleep=pause).of_group(GROUP))
    # Before the pause it has only seen that something may be wrong.
    moments = range(first, len(calls.operations))
    assert len(moments) > 5
    for moment in moments:
        restore(talked, whole)
        damage(talked)
        written: list[Message] = []
        with in_between(talked, lambda written=written: written.extend(chat()), before=moment):  # type: ignore[misc]
            reconcile_group(talked)
        drain(talked)

        assert reconcile_group(talked) == [], moment
        stored = {m.created_at: m for m in talked.messages_after(GROUP, "", limit=20)}
        for message in written:
            assert replace(stored[message.created_at], seq=0) == replace(message, seq=0), moment
        assert [m.seq for m in stored.values()] == list(range(1, len(stored) + 1))
        assert entry_of(talked, BAYKO).message == list(stored.values())[-1].message, moment


def chat() -> list[Message]:
    """What was written, as acknowledged: nothing while there is no conversation."""
    now = NOW + timedelta(minutes=10)
    try:
        sent = send(by=BAYKO, text="in between", now=now)
        edited = amendments.edit(
            user_uuid=BAYKO, group_uuid=GROUP, created_at=sent.created_at, text="in between!", now=now
        )
        deleted = amendments.delete(user_uuid=ANDREW, group_uuid=GROUP, created_at=sk(4), now=now)
    except ConversationNotFound:
        return []
    conversations.mark_read(user_uuid=ANDREW, group_uuid=GROUP, created_at=sent.created_at)
    return [edited.message, deleted.message]


def test_what_is_read_in_between_stays_read(talked: MessageTable) -> None:
    change(talked, ENTRY, read_seq=number(1))

    def read() -> None:
        conversations.mark_read(user_uuid=BAYKO, group_uuid=GROUP, created_at=sk(6))

    with in_between(talked, read, before=0, operation="UpdateItem"):
        reconcile(talked)

    entry = entry_of(talked, BAYKO)
    assert (entry.read_seq, entry.read_sk, entry.unread) == (6, sk(6), 0)


def test_a_conversation_that_never_rests_is_told(talked: MessageTable) -> None:
    change(talked, CONVERSATION, message={"S": "?"})
    busy = False

    def disturb(**_: Any) -> None:
        nonlocal busy
        if not busy:
            busy = True
            change(talked, CONVERSATION, version=number(int(item_at(talked, CONVERSATION)["version"]["N"]) + 1))
            busy = False

    talked.client.meta.events.register_first("before-send.dynamodb.GetItem", disturb)
    try:
        (found,) = reconcile(talked)
    finally:
        talked.client.meta.events.unregister("before-send.dynamodb.GetItem", disturb)

    assert (found.kind, found.repaired) == (Kind.UNSETTLED, False)
    assert "run this again" in found.sentence


# --- Parts of the table, interruption, faults -------------------------------------------------------------------------


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
    put(talked, MALFORMED[0][0])
    for name in ("an entry is missing", "an entry has another preview", "a blocked conversation has another preview"):
        HEALED[name][0](talked)
    at_once = reconcile(talked, dry_run=True)
    found: list[Finding] = []
    place: Place | None = Place(0, segments)
    stops = 0
    with pages_of(talked, 8):  # the partition with most items has seven
        while place:
            run = Reconciliation(talked, dry_run=True, sleep=lambda _: None, advance=stop_at(page=2))
            with suppress(KeyboardInterrupt):
                found += run.of_table(place)
            assert run.cursor != str(place)
            place = parse_place(run.cursor) if run.cursor else None
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
    for place in (Place(0, 1), Place(3, 40), Place(3, 40, "MSG#1"), Place(3, 40, "a/b")):
        assert parse_place(str(place)) == place


@pytest.mark.parametrize("text", ["", "7", "MSG#1", "4/4", "-1/4", "1/x/y"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_place(text)


def test_throttling_is_waited_for(talked: MessageTable) -> None:
    change(talked, ENTRY, message={"S": "?"})
    throttled = answer("ProvisionedThroughputExceededException")

    for operation in ("Scan", "Query", "GetItem", "UpdateItem"):
        change(talked, ENTRY, message={"S": "?"})
        with fault(talked, operation, throttled, throttled, throttled) as sent:
            found = reconcile(talked)

        assert kinds(found) == [Kind.ENTRY_DIFFERS], operation
        assert found[0].repaired
        assert len(sent) > 3


def test_what_never_answers_is_unavailable_at_last(talked: MessageTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messaging.patience.FAILING_SECONDS", 0.1)
    with fault(talked, "Scan", *[answer("InternalServerError", 500)] * 50), pytest.raises(Unavailable):
        reconcile(talked)


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
    running = Running()
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
