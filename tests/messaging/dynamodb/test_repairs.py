"""Each write of a reconciliation is refused, and changes nothing, when anything came between it and what was read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from messaging.actions import edit_message
from messaging.actions import read as read_actions
from messaging.domain.entities import Message
from messaging.dynamodb.codec import REQUEST_ID, Item, number
from messaging.dynamodb.keys import conversation_key, entry_key, message_key
from messaging.dynamodb.repairs import Repairs
from messaging.dynamodb.table import MessageTable
from messaging.operations.consistency.comparison import Snapshot, rebuilt
from messaging.operations.consistency.snapshot_reader import SnapshotReader
from tests.messaging.talk import ANDREW, BAYKO, GROUP, LONDO, drain, send, start

LATER = "2026-11-21T10:00:00.000000+00:00"


@dataclass
class Read:
    """A conversation of two messages as a reconciliation has read it, and what it may repair of that."""

    table: MessageTable
    look: Snapshot
    message: Item
    """The second."""

    @property
    def repairs(self) -> Repairs:
        return Repairs(self.table)

    def entry(self) -> Item:
        return self.look.entries[BAYKO]

    def set(self, key: dict[str, Any], name: str, value: dict[str, Any]) -> None:
        self.table.client.update_item(
            TableName=self.table.name,
            Key=key,
            UpdateExpression="SET #name = :value",
            ExpressionAttributeNames={"#name": name},
            ExpressionAttributeValues={":value": value},
        )

    def delete(self, key: dict[str, Any]) -> None:
        self.table.client.delete_item(TableName=self.table.name, Key=key)


@pytest.fixture
def read(table: MessageTable) -> Read:
    start()
    second = send(by=BAYKO)
    drain(table)
    read_actions.mark_read(user_uuid=BAYKO, group_uuid=GROUP, created_at=second.created_at)
    look = SnapshotReader(table).look(GROUP)
    (*_, message) = SnapshotReader(table).messages(GROUP)
    return Read(table, look, message)


def newest(read: Read) -> Message:
    return read.table.messages_before(GROUP, None, limit=1)[0]


# --- What is repaired, by name: (the repair, what comes in between) ---------------------------------------------------

Repair = Callable[[Read], bool]
Between = Callable[[Read], object]


def rewrite(read: Read) -> bool:
    assert read.look.item
    return read.repairs.rewrite_conversation(read.look.item, rebuilt(read.look))


def make(read: Read) -> bool:
    return read.repairs.make_conversation(rebuilt(read.look))


def renumber(read: Read) -> bool:
    return read.repairs.number_message(read.message, 7)


def copy_again(read: Read) -> bool:
    assert read.look.conversation
    return read.repairs.copy_again(read.entry(), read.look.conversation, BAYKO)


def project(read: Read) -> bool:
    assert read.look.conversation
    return read.repairs.project(read.look.conversation, BAYKO)


def set_position(read: Read) -> bool:
    return read.repairs.set_position(read.entry(), None)


def delete_stray(read: Read) -> bool:
    return read.repairs.delete_stray(read.entry(), BAYKO, GROUP)


def edit(read: Read) -> None:
    edit_message.edit(
        user_uuid=BAYKO,
        group_uuid=GROUP,
        created_at=newest(read).created_at,
        text="No, later",
        now=newest(read).created,
    )


def send_and_project(read: Read) -> None:
    send(by=ANDREW)
    drain(read.table)


def send_and_read(read: Read) -> None:
    sent = send(by=ANDREW)
    read_actions.mark_read(user_uuid=BAYKO, group_uuid=GROUP, created_at=sent.created_at)


REFUSED: dict[str, tuple[Repair, Between]] = {
    "a conversation in which a message was sent": (rewrite, lambda read: send()),
    "a conversation in which a message was edited": (rewrite, edit),
    "a conversation that counts otherwise by now": (
        rewrite,
        lambda read: read.set(conversation_key(GROUP), "seq", number(9)),
    ),
    "a conversation that ends otherwise by now": (
        rewrite,
        lambda read: read.set(conversation_key(GROUP), "last_sk", {"S": LATER}),
    ),
    "a conversation that is gone": (rewrite, lambda read: read.delete(conversation_key(GROUP))),
    "a conversation that is there by now": (make, lambda read: None),
    "a message that has another number by now": (
        renumber,
        lambda read: read.set(message_key(GROUP, read.message["sk"]["S"]), "seq", number(3)),
    ),
    "a message that is gone": (renumber, lambda read: read.delete(message_key(GROUP, read.message["sk"]["S"]))),
    "an entry that was projected": (copy_again, send_and_project),
    "an entry that is gone": (copy_again, lambda read: read.delete(entry_key(BAYKO, GROUP))),
    "an entry that is newer by now": (project, send_and_project),
    "an entry whose member read on": (set_position, send_and_read),
    "an entry of a member": (delete_stray, lambda read: None),
}


@pytest.mark.parametrize("name", REFUSED)
def test_repair_is_rejected_after_a_concurrent_change(read: Read, name: str) -> None:
    repair, between = REFUSED[name]
    between(read)
    before = everything(read.table)

    assert repair(read) is False
    assert everything(read.table) == before


@pytest.mark.parametrize("repair", [rewrite, renumber, copy_again, set_position])
def test_repair_is_written_without_a_concurrent_change(read: Read, repair: Repair) -> None:
    before = everything(read.table)

    assert repair(read)
    changed = [item for item in everything(read.table) if item not in before]
    assert len(changed) == (repair is not copy_again)


def test_a_stray_entry_that_was_projected_since_stays(read: Read) -> None:
    stranger: dict[str, Any] = {**read.entry(), **entry_key(LONDO, GROUP)}
    read.table.client.put_item(TableName=read.table.name, Item={**stranger, "version": number(9)})

    assert not read.repairs.delete_stray(stranger, LONDO, GROUP)
    assert read.repairs.delete_stray({**stranger, "version": number(9)}, LONDO, GROUP)


def test_renumbering_keeps_a_concurrent_edit(read: Read) -> None:
    edit(read)

    assert renumber(read)
    assert (newest(read).message, newest(read).seq) == ("No, later", 7)


def test_repair_creates_missing_entry_and_conversation(read: Read) -> None:
    before = everything(read.table)
    read.delete(entry_key(ANDREW, GROUP))
    read.delete(conversation_key(GROUP))
    assert read.look.conversation

    assert read.repairs.project(read.look.conversation, ANDREW)
    assert read.repairs.make_conversation(read.look.conversation)
    assert everything(read.table) == before


def test_a_stray_entry_without_a_conversation_is_deleted(read: Read) -> None:
    group = UUID("3f2b8c1e-5d0a-5b8e-9c55-0d6f4b1a7e21")
    stray: dict[str, Any] = {**read.entry(), **entry_key(BAYKO, group)}
    del stray["version"]
    read.table.client.put_item(TableName=read.table.name, Item=stray)

    assert read.repairs.delete_stray(stray, BAYKO, group)
    assert stray not in everything(read.table)


def everything(table: MessageTable) -> list[dict[str, Any]]:
    """Return all items without the id of the request that wrote them, which a repair lacks."""
    items = table.client.scan(TableName=table.name, ConsistentRead=True)["Items"]
    return [{name: value for name, value in item.items() if name != REQUEST_ID} for item in items]
