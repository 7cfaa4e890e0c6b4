"""Reconciling: whatever is written, throttled or failing meanwhile, nothing is lost, undone or wrongly told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from messaging.actions import edit_message
from messaging.actions import read as read_actions
from messaging.domain.entities import Message
from messaging.dynamodb.client import Unavailable
from messaging.dynamodb.codec import number
from messaging.dynamodb.table import MessageTable
from messaging.operations.consistency.findings import Kind
from messaging.operations.consistency.reconcile import SETTLE_SECONDS, Reconciliation
from messaging.queries.conversations import ConversationNotFound
from tests.conftest import Calls
from tests.messaging.damage import (
    CONVERSATION,
    ENTRY,
    HEALED,
    change,
    everything,
    healthy,
    in_between,
    item_at,
    kinds,
    reconcile,
    reconcile_group,
    restore,
    sk,
)
from tests.messaging.faults import answer, fault
from tests.messaging.talk import ANDREW, BAYKO, GROUP, NOW, drain, entry_of, send


@pytest.fixture
def talked(table: MessageTable) -> MessageTable:
    return healthy(table)


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
def test_write_between_any_two_calls_is_neither_lost_nor_undone(talked: MessageTable, calls: Calls, name: str) -> None:
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
    """Send, edit and delete messages; return the acknowledged ones, none while there is no conversation."""
    now = NOW + timedelta(minutes=10)
    try:
        sent = send(by=BAYKO, text="in between", now=now)
        edited = edit_message.edit(
            user_uuid=BAYKO, group_uuid=GROUP, created_at=sent.created_at, text="in between!", now=now
        )
        deleted = edit_message.delete(user_uuid=ANDREW, group_uuid=GROUP, created_at=sk(4), now=now)
    except ConversationNotFound:
        return []
    read_actions.mark_read(user_uuid=ANDREW, group_uuid=GROUP, created_at=sent.created_at)
    return [edited.message, deleted.message]


def test_concurrent_read_mark_survives(talked: MessageTable) -> None:
    change(talked, ENTRY, read_seq=number(1))

    def read() -> None:
        read_actions.mark_read(user_uuid=BAYKO, group_uuid=GROUP, created_at=sk(6))

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


def test_silent_server_is_unavailable_after_the_time_limit(
    talked: MessageTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.dynamodb.retry.FAILING_SECONDS", 0.1)
    with fault(talked, "Scan", *[answer("InternalServerError", 500)] * 50), pytest.raises(Unavailable):
        reconcile(talked)
