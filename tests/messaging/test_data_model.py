"""Hold docs/data-model.md equal to what the code writes into the table."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings

from messaging.actions import (
    block,
    conversation_settings,
    edit_message,
    leave_conversations,
    message_requests,
    send_message,
)
from messaging.actions import read as read_actions
from messaging.actions.send_message import Opening
from messaging.domain.entities import pair_group_uuid
from messaging.dynamodb.item_kinds import kind_of
from messaging.dynamodb.table import MessageTable
from messaging.dynamodb.table_definition import INBOX_ATTRIBUTES, INBOX_INDEX
from users.models import User

from .damage import everything
from .talk import NOW, drain, send

DOCUMENT = (settings.BASE_DIR / "docs" / "data-model.md").read_text()
KEYS = {"pk", "sk"}
NAME = re.compile(r"`([a-z_]+)`")
UUID_TYPES = {"conversation": {"B", "BS"}, "message": {"S"}, "entry": {"B", "BS"}}
"""DynamoDB's types of uuids that are not keys, as the document says."""


def listed() -> dict[str, set[str]]:
    """Return the attributes of each kind of item, by the document's table."""
    rows = re.findall(r"^\| (conversation|message|entry)[^|]*\|[^|]*\|[^|]*\|(.*)\|$", DOCUMENT, flags=re.MULTILINE)
    return {kind: set(NAME.findall(attributes)) for kind, attributes in rows}


def everything_that_can_be_done(andrew: User, bayko: User) -> list[Callable[[], object]]:
    """Return all actions in an order in which each finds what it needs."""
    one, other = andrew.uuid, bayko.uuid
    group = pair_group_uuid(one, other)
    later = NOW + timedelta(minutes=1)
    sent: list[str] = []

    def request() -> None:
        first = send_message.start(
            user_uuid=one, other_uuid=other, text="Hi", message_uuid=group, now=NOW, opening=Opening.REQUEST
        )
        sent.append(first.message.created_at)

    def answer() -> None:
        sent.append(send(by=other, group=group, text="Yes?", now=later).created_at)

    def mark_read() -> None:
        read_actions.mark_read(user_uuid=one, group_uuid=group, created_at=sent[-1])

    def edit() -> None:
        edit_message.edit(user_uuid=one, group_uuid=group, created_at=sent[0], text="Hello", now=later)

    def delete() -> None:
        edit_message.delete(user_uuid=one, group_uuid=group, created_at=sent[0], now=later)

    return [
        request,
        lambda: message_requests.decline(user_uuid=other, group_uuid=group),
        lambda: message_requests.accept(user_uuid=other, group_uuid=group),
        answer,
        mark_read,
        edit,
        lambda: conversation_settings.mute(user_uuid=one, group_uuid=group, until=None),
        lambda: conversation_settings.archive(user_uuid=one, group_uuid=group),
        lambda: conversation_settings.mark_unread(user_uuid=one, group_uuid=group),
        lambda: block.block(user_uuid=one, other_uuid=other, now=later),
        delete,
    ]


@pytest.mark.django_db
def test_document_lists_the_attributes_that_the_code_writes(
    either_table: MessageTable, andrew: User, bayko: User
) -> None:
    written: dict[str, set[str]] = defaultdict(set)
    uuid_types: dict[str, set[str]] = defaultdict(set)

    def look() -> None:
        for item in everything(either_table).values():
            kind = kind_of(item)
            written[kind] |= item.keys() - KEYS
            # The key of an index is text, as all keys are.
            uuids = (name for name in item if name.endswith(("_uuid", "_uuids")) and name != "message_group_uuid")
            uuid_types[kind] |= {letter for name in uuids for letter in item[name]}

    for act in everything_that_can_be_done(andrew, bayko):
        act()
        look()
        drain(either_table)
        look()
    list(leave_conversations.leave_one(either_table, pair_group_uuid(andrew.uuid, bayko.uuid), andrew.uuid, now=NOW))
    look()

    assert dict(written) == listed()
    assert {kind: types <= UUID_TYPES[kind] for kind, types in uuid_types.items()} == dict.fromkeys(UUID_TYPES, True)


def test_document_lists_what_the_inbox_index_projects() -> None:
    (projected,) = re.findall(rf"^\| `{INBOX_INDEX}` \|[^|]*\|([^|]*)\|", DOCUMENT, flags=re.MULTILINE)

    assert NAME.findall(projected) == INBOX_ATTRIBUTES
