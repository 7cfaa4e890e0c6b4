"""Editing and deleting: one's own, in place, followed by the lists, and never anything new."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from messaging.actions import read as read_actions
from messaging.actions.edit_message import (
    MessageIsDeleted,
    NotTheWriter,
    TooLateToEdit,
    delete,
    edit,
    may_be_edited,
    own_message,
)
from messaging.actions.send_message import Blocked, MessageRejected, MessageUuidReused
from messaging.domain.entities import Conversation, Message
from messaging.dynamodb.keys import conversation_key, message_key
from messaging.dynamodb.table import MessageTable
from messaging.queries.conversations import ConversationNotFound, MessageNotFound
from tests.conftest import Calls
from tests.messaging.faults import during
from tests.messaging.talk import ANDREW, BAYKO, GROUP, LONDO, NOW, drain, entry_of, send, start

LATER = NOW + timedelta(minutes=5)


def edit_it(message: Message, text: str = "Hello again", *, by: UUID = ANDREW, now: datetime = LATER) -> Message:
    delivery = edit(user_uuid=by, group_uuid=GROUP, created_at=message.created_at, text=text, now=now)
    return delivery.message


def delete_it(message: Message, *, by: UUID = ANDREW, now: datetime = LATER) -> Message:
    return delete(user_uuid=by, group_uuid=GROUP, created_at=message.created_at, now=now).message


AMENDMENTS: list[Callable[..., Message]] = [edit_it, delete_it]


def conversation(table: MessageTable) -> Conversation:
    found = table.conversation(GROUP)
    assert found is not None
    return found


def stored(table: MessageTable, message: Message) -> Message:
    found = table.message(GROUP, message.created_at)
    assert found is not None
    return found


def test_an_edit_changes_the_text_and_says_that_it_was_edited(either_table: MessageTable) -> None:
    message = start()

    answered = edit_it(message)

    expected = replace(message, message="Hello again", edited_at="2026-11-21T09:10:00.000000+00:00")
    assert answered == stored(either_table, message) == expected


def test_a_deletion_leaves_a_tombstone_in_place(either_table: MessageTable) -> None:
    message = start(text="A secret")
    edit_it(message, "Another secret")

    answered = delete_it(message)

    expected = replace(message, message="", deleted_at="2026-11-21T09:10:00.000000+00:00")
    assert answered == stored(either_table, message) == expected
    item = either_table.client.get_item(
        TableName=either_table.name, Key=message_key(GROUP, message.created_at), ConsistentRead=True
    )["Item"]
    assert "secret" not in str(item)
    assert "edited_at" not in item


@pytest.mark.parametrize(("amend", "preview"), [(edit_it, "Hello again"), (delete_it, "")])
def test_edit_of_the_newest_message_updates_previews(
    either_table: MessageTable, amend: Callable[..., Message], preview: str
) -> None:
    message = start()

    amend(message)
    drain(either_table)

    assert conversation(either_table).message == preview
    assert entry_of(either_table, ANDREW).message == entry_of(either_table, BAYKO).message == preview


@pytest.mark.parametrize("amend", AMENDMENTS)
def test_edit_of_an_older_message_keeps_previews(either_table: MessageTable, amend: Callable[..., Message]) -> None:
    message = start()
    send(by=BAYKO, text="The newest", now=NOW + timedelta(minutes=1))

    amend(message)
    drain(either_table)

    assert conversation(either_table).message == entry_of(either_table, BAYKO).message == "The newest"


@pytest.mark.parametrize("amend", AMENDMENTS)
def test_edit_changes_no_unread_count_or_order(either_table: MessageTable, amend: Callable[..., Message]) -> None:
    message = start()
    read_actions.mark_read(user_uuid=BAYKO, group_uuid=GROUP, created_at=message.created_at)
    drain(either_table)
    before, entry = conversation(either_table), entry_of(either_table, BAYKO)

    amend(message)
    drain(either_table)

    after = conversation(either_table)
    assert after == replace(before, version=before.version + 1, message=after.message)
    moved = entry_of(either_table, BAYKO)
    assert moved == replace(entry, version=after.version, message=after.message)
    assert moved.unread == 0


@pytest.mark.parametrize("amend", AMENDMENTS)
def test_repeated_edit_writes_nothing(moto_table: MessageTable, amend: Callable[..., Message]) -> None:
    message = start()
    first = amend(message)
    version = conversation(moto_table).version

    assert amend(message, now=LATER + timedelta(minutes=1)) == first
    assert conversation(moto_table).version == version


def test_an_edit_repeated_after_its_time_still_answers_what_was_stored(moto_table: MessageTable) -> None:
    message = start()
    first = edit_it(message)

    assert edit_it(message, now=NOW + timedelta(hours=3)) == first


@pytest.mark.parametrize("amend", AMENDMENTS)
def test_edit_costs_two_calls(moto_table: MessageTable, calls: Calls, amend: Callable[..., Message]) -> None:
    message = start()

    with calls.counted(moto_table.client):
        amend(message)

    assert calls.operations == ["BatchGetItem", "TransactWriteItems"]


def test_message_can_be_edited_for_fifteen_minutes(moto_table: MessageTable) -> None:
    message = start()

    edit_it(message, now=NOW + timedelta(minutes=15))
    with pytest.raises(TooLateToEdit):
        edit_it(message, "Once more", now=NOW + timedelta(minutes=15, microseconds=1))
    assert not may_be_edited(message, now=NOW + timedelta(minutes=16))
    delete_it(message, now=NOW + timedelta(days=1000))


@pytest.mark.parametrize("amend", AMENDMENTS)
def test_only_the_sender_can_edit(moto_table: MessageTable, amend: Callable[..., Message]) -> None:
    message = start()

    with pytest.raises(NotTheWriter):
        amend(message, by=BAYKO)
    with pytest.raises(ConversationNotFound):
        amend(message, by=LONDO)
    assert stored(moto_table, message) == message


@pytest.mark.parametrize("amend", AMENDMENTS)
def test_missing_message_cannot_be_changed(moto_table: MessageTable, amend: Callable[..., Message]) -> None:
    message = start()

    with pytest.raises(MessageNotFound):
        amend(replace(message, created_at="2026-11-21T09:05:00.000001+00:00"))
    with pytest.raises(ValueError, match="nonsense"):
        amend(replace(message, created_at="nonsense"))
    with pytest.raises(ValueError, match="CONVERSATION"):
        amend(replace(message, created_at="#CONVERSATION"))


def test_a_tombstone_cannot_be_edited(moto_table: MessageTable) -> None:
    message = start()
    delete_it(message)

    with pytest.raises(MessageIsDeleted):
        edit_it(message)


@pytest.mark.parametrize(("text", "code"), [(" \u200b", "message_blank"), ("x" * 1025, "message_exceed_max_chars")])
def test_the_new_text_keeps_the_rules(moto_table: MessageTable, text: str, code: str) -> None:
    message = start()

    with pytest.raises(MessageRejected, match=code):
        edit_it(message, text)
    assert edit_it(message, "e\u0301\r\nb").message == "\u00e9\nb"


def test_a_send_repeated_after_the_message_was_edited_or_deleted_is_a_repeat(either_table: MessageTable) -> None:
    start()
    uuid = uuid4()
    message = send(text="Typo", uuid=uuid)

    edit_it(message, "No typo")
    assert send(text="Typo", uuid=uuid).message == "No typo"
    delete_it(message)
    assert send(text="Typo", uuid=uuid).deleted_at
    assert conversation(either_table).seq == 2
    other = send(text="Another", uuid=uuid4())
    with pytest.raises(MessageUuidReused):
        send(text="Changed", uuid=other.message_uuid)


def block(table: MessageTable) -> None:
    table.client.update_item(
        TableName=table.name,
        Key=conversation_key(GROUP),
        UpdateExpression="SET blocked_by = :by",
        ExpressionAttributeValues={":by": {"BS": [BAYKO.bytes]}},
    )


def test_where_someone_blocks_nothing_is_edited_but_can_be_deleted(moto_table: MessageTable) -> None:
    message = start()
    block(moto_table)

    with pytest.raises(Blocked):
        edit_it(message)
    assert delete_it(message).deleted_at


# --- Between its read and its write -----------------------------------------------------------------------------------


@pytest.mark.parametrize("amend", AMENDMENTS)
def test_a_message_that_comes_in_between_keeps_its_preview(
    either_table: MessageTable, amend: Callable[..., Message]
) -> None:
    message = start()

    with during(either_table, "TransactWriteItems", lambda: send(by=BAYKO, text="In between")):
        amend(message)

    assert conversation(either_table).message == "In between"
    assert conversation(either_table).seq == 2


def test_a_message_that_is_deleted_in_between_stays_deleted(either_table: MessageTable) -> None:
    message = start()

    with during(either_table, "TransactWriteItems", lambda: delete_it(message)), pytest.raises(MessageIsDeleted):
        edit_it(message)
    assert stored(either_table, message).message == ""
    assert conversation(either_table).message == ""


def test_tombstone_is_never_overwritten(either_table: MessageTable) -> None:
    message = start()

    def leave_a_tombstone() -> None:
        """Delete the message without a new version of the conversation: the message's own condition must hold."""
        either_table.client.update_item(
            TableName=either_table.name,
            Key=message_key(GROUP, message.created_at),
            UpdateExpression="SET deleted_at = :at REMOVE message",
            ExpressionAttributeValues={":at": {"S": message.created_at}},
        )

    with during(either_table, "TransactWriteItems", leave_a_tombstone), pytest.raises(MessageIsDeleted):
        edit_it(message)
    assert stored(either_table, message).message == ""


def test_a_block_in_between_stops_an_edit(either_table: MessageTable) -> None:
    message = start()

    with during(either_table, "TransactWriteItems", lambda: block(either_table)), pytest.raises(Blocked):
        edit_it(message)
    assert stored(either_table, message) == message


@pytest.mark.parametrize("amend", AMENDMENTS)
def test_member_who_left_meanwhile_changes_nothing(either_table: MessageTable, amend: Callable[..., Message]) -> None:
    message = start()

    def leave() -> None:
        either_table.client.update_item(
            TableName=either_table.name,
            Key=conversation_key(GROUP),
            UpdateExpression="DELETE member_uuids :me",
            ExpressionAttributeValues={":me": {"BS": [ANDREW.bytes]}},
        )

    with during(either_table, "TransactWriteItems", leave), pytest.raises(ConversationNotFound):
        amend(message)
    assert stored(either_table, message) == message


def test_own_message_is_for_its_writer(moto_table: MessageTable) -> None:
    message = start()

    assert own_message(user_uuid=ANDREW, group_uuid=GROUP, created_at=message.created_at) == message
    with pytest.raises(NotTheWriter):
        own_message(user_uuid=BAYKO, group_uuid=GROUP, created_at=message.created_at)
