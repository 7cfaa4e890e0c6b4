"""Reconciling leaves alone what members have chosen: blocks, requests, archived, muted and hidden conversations."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from messaging.actions import block, conversation_settings, message_requests, send_message
from messaging.actions import read as read_actions
from messaging.actions.send_message import Opening
from messaging.domain.entities import pair_group_uuid
from messaging.domain.folders import REQUESTS
from messaging.dynamodb.keys import conversation_key, entry_key
from messaging.dynamodb.table import MessageTable
from messaging.queries import conversations
from tests.messaging.damage import but_for_who_wrote, change, delete, everything, healthy, reconcile
from tests.messaging.talk import ANDREW, BAYKO, LONDO, NOW, entry_of, send, start

ASKER, DECLINED, STRANGER = (UUID(int=number) for number in (11, 12, 13))
REQUEST = pair_group_uuid(ASKER, ANDREW)


def ask(by: UUID) -> None:
    send_message.start(
        user_uuid=by, other_uuid=ANDREW, text="?", message_uuid=uuid4(), now=NOW, opening=Opening.REQUEST
    )


@pytest.fixture
def chosen(table: MessageTable) -> MessageTable:
    healthy(table)
    ask(ASKER)
    ask(DECLINED)
    message_requests.decline(user_uuid=ANDREW, group_uuid=pair_group_uuid(DECLINED, ANDREW))
    block.shut(user_uuid=ANDREW, other_uuid=STRANGER, now=NOW)
    block.shut(user_uuid=BAYKO, other_uuid=STRANGER, now=NOW)
    block.reopen(user_uuid=BAYKO, other_uuid=STRANGER)
    group = pair_group_uuid(LONDO, BAYKO)
    conversation_settings.mute(user_uuid=BAYKO, group_uuid=group, until=None)
    conversation_settings.archive(user_uuid=BAYKO, group_uuid=group)
    block.shut(user_uuid=LONDO, other_uuid=BAYKO, now=NOW)
    message = start(by=STRANGER, to=LONDO)
    send(by=STRANGER, group=message.group_uuid)
    newest = send(by=STRANGER, group=message.group_uuid)
    read_actions.mark_read(user_uuid=LONDO, group_uuid=message.group_uuid, created_at=newest.created_at)
    conversation_settings.mark_unread(user_uuid=LONDO, group_uuid=message.group_uuid)
    reconcile(table)
    return table


def test_consistent_membership_has_no_findings(chosen: MessageTable) -> None:
    before = everything(chosen)

    assert reconcile(chosen, dry_run=True) == []
    assert reconcile(chosen) == []

    assert everything(chosen) == before


def test_a_rebuilt_conversation_keeps_who_blocks_and_who_is_awaited(chosen: MessageTable) -> None:
    before = everything(chosen)
    change(chosen, conversation_key(REQUEST), message={"S": "wrong"})
    change(chosen, conversation_key(pair_group_uuid(LONDO, BAYKO)), seq={"N": "7"})

    assert all(each.repaired for each in reconcile(chosen))

    assert but_for_who_wrote(everything(chosen)) == but_for_who_wrote(before)


def test_a_lost_entry_is_made_in_the_list_where_it_belongs(chosen: MessageTable) -> None:
    delete(chosen, entry_key(ANDREW, REQUEST))
    delete(chosen, entry_key(LONDO, pair_group_uuid(LONDO, BAYKO)))

    reconcile(chosen)

    requests = conversations.list_conversations(user_uuid=ANDREW, which=REQUESTS).entries
    assert [entry.group_uuid for entry in requests] == [REQUEST]
    assert entry_of(chosen, LONDO, pair_group_uuid(LONDO, BAYKO)).inbox is None
