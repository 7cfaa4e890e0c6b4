"""Mute, archive, mark unread: what a member does with a conversation for themselves alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from messaging.actions import block, conversation_settings
from messaging.actions import read as read_actions
from messaging.domain.folders import ARCHIVED
from messaging.dynamodb.keys import entry_key
from messaging.dynamodb.table import MessageTable
from messaging.queries import conversations
from messaging.queries.conversations import ConversationNotFound
from tests.messaging.capacity import items
from tests.messaging.talk import ANDREW, BAYKO, GROUP, LONDO, NOW, drain, entry_of, send, start
from tests.messaging.unread_total import unread_total

OF_BAYKO = {"user_uuid": BAYKO, "group_uuid": GROUP}


def unread_of_bayko() -> int:
    (entry,) = conversations.list_conversations(user_uuid=BAYKO).entries
    return entry.unread


def test_muted_conversation_is_not_counted_until_its_mute_ends(either_table: MessageTable) -> None:
    start()
    conversation_settings.mute(**OF_BAYKO, until=NOW + timedelta(hours=1))
    drain(either_table)

    assert unread_total(user_uuid=BAYKO, now=NOW).count == 0
    assert unread_total(user_uuid=BAYKO, now=NOW + timedelta(minutes=61)).count == 1
    assert unread_of_bayko() == 1


def test_permanent_mute_lasts_until_unmuted(either_table: MessageTable) -> None:
    start()
    assert conversation_settings.mute(**OF_BAYKO, until=None).is_muted(NOW + timedelta(days=40_000))
    assert not conversation_settings.unmute(**OF_BAYKO).is_muted(NOW)


def test_archived_conversation_stays_archived_when_messages_arrive(either_table: MessageTable) -> None:
    start()
    conversation_settings.archive(**OF_BAYKO)
    send()
    drain(either_table)

    assert not conversations.list_conversations(user_uuid=BAYKO).entries
    (entry,) = conversations.list_conversations(user_uuid=BAYKO, which=ARCHIVED).entries
    assert entry.unread == 2
    assert unread_total(user_uuid=BAYKO, now=NOW).count == 0

    conversation_settings.unarchive(**OF_BAYKO)
    assert unread_of_bayko() == 2


def test_archiving_does_not_reveal_a_blocked_conversation(either_table: MessageTable) -> None:
    start()
    block.shut(user_uuid=BAYKO, other_uuid=ANDREW, now=NOW)

    assert conversation_settings.archive(**OF_BAYKO).inbox is None
    assert conversation_settings.unarchive(**OF_BAYKO).inbox is None


def test_marking_unread_steps_back_before_the_newest_message(either_table: MessageTable) -> None:
    start()
    second = send()
    drain(either_table)
    read_actions.mark_read(**OF_BAYKO, created_at=second.created_at)

    entry = conversation_settings.mark_unread(**OF_BAYKO)

    assert (entry.read_seq, entry.unread) == (1, 1)
    assert unread_of_bayko() == 1
    assert conversation_settings.mark_unread(**OF_BAYKO) == entry
    assert read_actions.mark_read(**OF_BAYKO, created_at=second.created_at).unread == 0


def test_marking_a_single_message_unread_resets_read_position(either_table: MessageTable) -> None:
    first = start()
    read_actions.mark_read(**OF_BAYKO, created_at=first.created_at)

    entry = conversation_settings.mark_unread(**OF_BAYKO)

    assert (entry.read_seq, entry.read_sk, entry.unread) == (0, "", 1)


def test_unread_count_survives_a_repeated_import(either_table: MessageTable) -> None:
    first = start()
    for _ in range(3):
        send()
    drain(either_table)
    read_actions.mark_read(**OF_BAYKO, created_at=first.created_at)

    assert conversation_settings.mark_unread(**OF_BAYKO).read_seq == 1


def test_own_newest_message_is_never_unread(either_table: MessageTable) -> None:
    start()
    own = send(by=BAYKO)
    drain(either_table)
    read_actions.mark_read(**OF_BAYKO, created_at=own.created_at)

    assert conversation_settings.mark_unread(**OF_BAYKO).unread == 0


@pytest.mark.parametrize(
    "act",
    [
        conversation_settings.unmute,
        conversation_settings.archive,
        conversation_settings.unarchive,
        conversation_settings.mark_unread,
    ],
)
def test_outsiders_cannot_change_settings(either_table: MessageTable, act: object) -> None:
    start()
    before = items(either_table)
    with pytest.raises(ConversationNotFound):
        act(user_uuid=LONDO, group_uuid=GROUP)  # type: ignore[operator]
    assert items(either_table) == before


def test_settings_leave_other_items_unchanged(either_table: MessageTable) -> None:
    start()
    before = either_table.conversation(GROUP), entry_of(either_table, ANDREW)
    conversation_settings.mute(**OF_BAYKO, until=None)
    conversation_settings.archive(**OF_BAYKO)
    assert (either_table.conversation(GROUP), entry_of(either_table, ANDREW)) == before


def test_settings_recreate_a_lost_entry(either_table: MessageTable) -> None:
    start()
    either_table.client.delete_item(TableName=either_table.name, Key=entry_key(BAYKO, GROUP))

    conversation_settings.mute(**OF_BAYKO, until=None)

    assert entry_of(either_table, BAYKO).is_muted(NOW)
