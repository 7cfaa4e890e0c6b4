"""Sending and starting, on moto and on the emulator: order, numbers and what is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest

from messaging.actions.send_message import Blocked, MessageRejected
from messaging.domain.timestamps import format_created_at
from messaging.dynamodb import table as table_module
from messaging.dynamodb.client import Unavailable
from messaging.dynamodb.keys import conversation_key
from messaging.dynamodb.table import ATTEMPTS, ConversationMoved, MessageTable
from messaging.queries import conversations
from tests.messaging.talk import ANDREW, BAYKO, GROUP, NOW, drain, entry_of, send, start

pytestmark = pytest.mark.usefixtures("either_table")


def test_a_first_message_makes_conversation_message_and_an_entry_for_each() -> None:
    message = start(text="Hello")

    assert (message.group_uuid, message.seq, message.message) == (GROUP, 1, "Hello")
    assert message.created_at == format_created_at(NOW)
    for member, unread in ((ANDREW, 0), (BAYKO, 1)):
        (entry,) = conversations.list_conversations(user_uuid=member).entries
        assert (entry.group_uuid, entry.message, entry.unread) == (GROUP, "Hello", unread)
        assert [m.message for m in conversations.load_conversation(user_uuid=member, group_uuid=GROUP).messages] == [
            "Hello"
        ]


def test_starting_again_from_either_side_continues_the_one_conversation() -> None:
    start(text="Hello")

    message = start(by=BAYKO, to=ANDREW, text="Hello yourself")

    assert (message.group_uuid, message.seq) == (GROUP, 2)


def test_starting_a_conversation_with_oneself_is_rejected() -> None:
    with pytest.raises(ValueError, match="themselves"):
        start(by=ANDREW, to=ANDREW)


def test_messages_are_numbered_without_a_gap_and_strictly_later(either_table: MessageTable) -> None:
    start()
    for minutes in (5, -5, 0, -60, 0):
        send(now=NOW + timedelta(minutes=minutes))

    messages = conversations.load_conversation(user_uuid=BAYKO, group_uuid=GROUP).messages

    assert [m.seq for m in messages] == [1, 2, 3, 4, 5, 6]
    assert len({m.created_at for m in messages}) == 6
    assert sorted(m.created_at for m in messages) == [m.created_at for m in messages]


def test_an_answer_never_sorts_before_what_its_writer_had_seen() -> None:
    start(now=NOW + timedelta(minutes=5))  # by a server whose clock is ahead

    answer = send(by=BAYKO, now=NOW - timedelta(minutes=5))

    assert answer.created_at > format_created_at(NOW + timedelta(minutes=5))


@pytest.mark.parametrize(("text", "code"), [(" \u200b\n", "message_blank"), ("x" * 1025, "message_exceed_max_chars")])
def test_rejected_text_costs_no_call(text: str, code: str) -> None:
    start()

    for attempt in (send, start):
        with pytest.raises(MessageRejected) as refused:
            attempt(text=text)
        assert refused.value.code == code


def test_writing_reads_what_stood_before(either_table: MessageTable) -> None:
    start(by=BAYKO, to=ANDREW)
    send(by=BAYKO)
    send(by=ANDREW)
    send(by=BAYKO)
    drain(either_table)

    assert entry_of(either_table, ANDREW).unread == 1


def test_sending_is_rejected_while_a_member_blocks(either_table: MessageTable) -> None:
    start()
    either_table.client.update_item(
        TableName=either_table.name,
        Key=conversation_key(GROUP),
        UpdateExpression="SET blocked_by = :who",
        ExpressionAttributeValues={":who": {"BS": [BAYKO.bytes]}},
    )

    with pytest.raises(Blocked):
        send()
    with pytest.raises(Blocked):
        start()


# --- Others' messages come in between ---------------------------------------------------------------------------------


def test_a_sender_that_failed_more_waits_less(monkeypatch: pytest.MonkeyPatch) -> None:
    start()
    waits: list[float] = []
    monkeypatch.setattr(table_module, "uniform", lambda least, most: most)
    monkeypatch.setattr(table_module, "sleep", waits.append)

    def moved(self: MessageTable, *_: object) -> None:
        raise ConversationMoved(self.conversation(GROUP))

    monkeypatch.setattr(MessageTable, "append", moved)

    with pytest.raises(Unavailable):
        send()

    assert len(waits) == ATTEMPTS
    assert waits == sorted(set(waits), reverse=True)
