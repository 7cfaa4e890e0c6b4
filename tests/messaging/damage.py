"""Conversations as they should be, and what can become of their items, made by hand in a real table."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from messaging.actions import edit_message
from messaging.actions import read as read_actions
from messaging.domain.entities import Message, pair_group_uuid
from messaging.domain.timestamps import format_created_at
from messaging.domain.transitions import conversation_from_first, entry_from_conversation
from messaging.dynamodb.codec import REQUEST_ID, number, uuid_set
from messaging.dynamodb.keys import conversation_key, entry_key, message_key
from messaging.dynamodb.table import MessageTable
from messaging.operations.consistency.findings import Finding, Kind
from messaging.operations.consistency.reconcile import Reconciliation

from .talk import ANDREW, BAYKO, GROUP, LONDO, NOW, drain, start, write_all

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


def but_for_who_wrote(items: Items) -> Items:
    """Remove the attributes that every write changes: a repair writes a new version without a request."""
    return {
        key: {name: value for name, value in item.items() if name not in ("version", REQUEST_ID)}
        for key, item in items.items()
    }


def reconcile(table: MessageTable, **how: Any) -> list[Finding]:
    """Return the findings of a run over the whole table, without real waits."""
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
    """Return the created_at of a message of GROUP."""
    return format_created_at(NOW + timedelta(minutes=seq))


CONVERSATION = conversation_key(GROUP)
ENTRY = entry_key(BAYKO, GROUP)


def healthy(table: MessageTable) -> MessageTable:
    """Create three consistent conversations: some read, one message edited, one deleted, one list hidden."""
    texts = ["one", "two", "three", "four", "five", "six"]
    said = [((ANDREW, BAYKO)[seq % 2], text, NOW + timedelta(minutes=seq)) for seq, text in enumerate(texts, start=1)]
    write_all(table, said, members=(ANDREW, BAYKO))
    start(by=LONDO, to=ANDREW)
    start(by=LONDO, to=BAYKO)
    now = NOW + timedelta(minutes=7)
    edit_message.edit(user_uuid=ANDREW, group_uuid=GROUP, created_at=sk(6), text="six!", now=now)
    edit_message.delete(user_uuid=BAYKO, group_uuid=GROUP, created_at=sk(3), now=now)
    read_actions.mark_read(user_uuid=ANDREW, group_uuid=GROUP, created_at=sk(5))
    read_actions.mark_read(user_uuid=BAYKO, group_uuid=GROUP, created_at=sk(4))
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


def write_group_of_three(table: MessageTable, members: frozenset[UUID]) -> None:
    message = Message(GROUP_OF_NOBODY, sk(1), 1, "All of you", uuid4(), ANDREW)
    conversation = conversation_from_first(message, member_uuids=members)
    table.create(conversation, message, [entry_from_conversation(conversation, each) for each in members])


def stray_entries(table: MessageTable) -> None:
    """Create a stranger's entry in a conversation, and an entry of a group without other items."""
    entry = item_at(table, ENTRY)
    put(table, {**entry, **entry_key(VIR, GROUP)})
    group = {"message_group_uuid": {"S": str(GROUP_OF_NOBODY)}}
    put(table, {**entry, **entry_key(BAYKO, GROUP_OF_NOBODY), **group})
