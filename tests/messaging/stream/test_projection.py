"""Pattern E, the rule by itself: in any order, any number of times, the same entries."""

import random
from typing import Any

from messaging.actions import read as read_actions
from messaging.domain.entities import Conversation
from messaging.dynamodb.codec import conversation_item, message_item
from messaging.dynamodb.keys import entry_key
from messaging.dynamodb.table import MessageTable
from messaging.queries import conversations
from messaging.stream.projection import changes, project
from tests.messaging.faults import during
from tests.messaging.talk import ANDREW, BAYKO, GROUP, NOW, entry_of, send, start
from tests.messaging.unread_total import unread_total


def history(table: MessageTable, messages: int) -> list[Conversation]:
    """Return every version of a conversation, oldest first."""
    start()
    versions = [*table.conversations()]
    for number in range(messages - 1):
        send(by=(ANDREW, BAYKO)[number % 2], text=str(number))
        versions += table.conversations()
    return versions


def record(item: dict[str, Any], sequence_number: str = "1") -> dict[str, Any]:
    return {"dynamodb": {"NewImage": item, "SequenceNumber": sequence_number}}


def test_only_newest_image_of_each_conversation_in_a_batch_is_applied(fake_table: MessageTable) -> None:
    versions = history(fake_table, 4)
    records = [record(conversation_item(version)) for version in (*versions, versions[0])]

    assert [change.conversation for change in changes(records)] == [versions[-1]]


def test_a_change_is_delivered_again_from_its_first_record(fake_table: MessageTable) -> None:
    versions = history(fake_table, 3)
    records = [record(conversation_item(each), str(number)) for number, each in enumerate(versions, start=8)]

    assert [change.sequence_number for change in changes(records)] == ["8"]


def test_an_image_without_a_version_hides_no_other(fake_table: MessageTable) -> None:
    (version,) = history(fake_table, 1)
    damaged = {**conversation_item(version), "version": {"S": "one"}}

    assert [each.conversation for each in changes([record(damaged), record(conversation_item(version))])] == [version]


def test_messages_entries_and_deletions_do_not_matter(fake_table: MessageTable) -> None:
    message = start()
    entry = fake_table.client.get_item(TableName=fake_table.name, Key=entry_key(ANDREW, GROUP))["Item"]
    deletion = {"dynamodb": {"Keys": {}, "SequenceNumber": "1"}}

    assert changes([record(message_item(message)), record(entry), deletion]) == []


def test_repeated_shuffled_and_cut_batches_end_in_the_same_entries(either_table: MessageTable) -> None:
    versions = history(either_table, 8)
    chance = random.Random(7)
    for _ in range(12):
        project(either_table, chance.choices(versions, k=chance.randint(1, 5)))
    project(either_table, versions[-1:])

    for member in (ANDREW, BAYKO):
        entry = entry_of(either_table, member)
        assert (entry.last_seq, entry.version, entry.last_message_at) == (8, 8, versions[-1].last_sk)
    assert unread_total(user_uuid=BAYKO, now=NOW).count == 1


def test_an_older_version_moves_nothing(either_table: MessageTable) -> None:
    versions = history(either_table, 3)
    project(either_table, versions[-1:])

    assert project(either_table, versions) == 0
    assert entry_of(either_table, BAYKO).last_seq == 3


def test_members_own_settings_stay(either_table: MessageTable) -> None:
    message = start()
    read_actions.mark_read(user_uuid=BAYKO, group_uuid=GROUP, created_at=message.created_at)
    either_table.client.update_item(
        TableName=either_table.name, Key=entry_key(BAYKO, GROUP), UpdateExpression="REMOVE inbox"
    )
    send()

    project(either_table, either_table.conversations())

    entry = entry_of(either_table, BAYKO)
    assert (entry.inbox, entry.read_seq, entry.unread) == (None, 1, 1)


def test_lost_entry_is_recreated(either_table: MessageTable) -> None:
    start()
    either_table.client.delete_item(TableName=either_table.name, Key=entry_key(BAYKO, GROUP))

    assert project(either_table, either_table.conversations()) == 1

    assert [entry.unread for entry in conversations.list_conversations(user_uuid=BAYKO).entries] == [1]


def test_concurrently_recreated_entry_is_left_alone(either_table: MessageTable) -> None:
    old, new = history(either_table, 2)
    either_table.client.delete_item(TableName=either_table.name, Key=entry_key(BAYKO, GROUP))

    with during(either_table, "TransactWriteItems", lambda: project(either_table, [new])):
        project(either_table, [old])

    assert entry_of(either_table, BAYKO).version == new.version
