"""Requests: one first message from a stranger, until it is accepted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import UUID, uuid4

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from messaging.actions import block as block_actions
from messaging.actions import conversation_settings, leave_conversations, message_requests, send_message
from messaging.actions import read as read_actions
from messaging.actions.send_message import AwaitingAnswer, Blocked, Opening
from messaging.domain.entities import Entry, Message
from messaging.domain.folders import REQUESTS
from messaging.dynamodb.keys import conversation_key, entry_key
from messaging.dynamodb.table import MessageTable
from messaging.queries import conversations
from messaging.queries.conversations import ConversationNotFound
from messaging.queries.sync import since
from tests.conftest import Calls
from tests.messaging.capacity import items, units_written
from tests.messaging.talk import ANDREW, BAYKO, GROUP, LONDO, NOW, between_read_and_write, drain, entry_of, send, start
from tests.messaging.unread_total import unread_total
from users.models import NOBODY, User


def ask(*, by: UUID = ANDREW, to: UUID = BAYKO, text: str = "May I?", uuid: UUID | None = None) -> Message:
    delivery = send_message.start(
        user_uuid=by, other_uuid=to, text=text, message_uuid=uuid or uuid4(), now=NOW, opening=Opening.REQUEST
    )
    return delivery.message


def inbox_of(user: UUID) -> Sequence[Entry]:
    return conversations.list_conversations(user_uuid=user).entries


def requests_of(user: UUID) -> Sequence[Entry]:
    return conversations.list_conversations(user_uuid=user, which=REQUESTS).entries


def test_request_waits_in_its_own_list_uncounted(either_table: MessageTable) -> None:
    ask()
    drain(either_table)

    assert [entry.group_uuid for entry in inbox_of(ANDREW)] == [GROUP]
    assert not inbox_of(BAYKO)
    assert [entry.message for entry in requests_of(BAYKO)] == ["May I?"]
    assert unread_total(user_uuid=BAYKO, now=NOW).count == 0


def test_second_message_is_rejected_until_acceptance(either_table: MessageTable) -> None:
    uuid = uuid4()
    first = ask(uuid=uuid)

    with pytest.raises(AwaitingAnswer):
        send(by=ANDREW)
    with pytest.raises(AwaitingAnswer):
        ask()
    assert ask(uuid=uuid) == first


def test_the_condition_keeps_a_second_one_out_whatever_was_read(either_table: MessageTable) -> None:
    start()
    between_read_and_write(
        either_table,
        lambda: either_table.client.update_item(
            TableName=either_table.name,
            Key=conversation_key(GROUP),
            UpdateExpression="SET awaiting = :value",
            ExpressionAttributeValues={":value": {"B": BAYKO.bytes}},
        ),
    )

    with pytest.raises(AwaitingAnswer):
        send(by=ANDREW)
    assert len(either_table.messages_after(GROUP, "", limit=9)) == 1


def test_accepting_moves_it_into_the_inbox_and_lets_the_other_write(either_table: MessageTable) -> None:
    ask()

    accepted = message_requests.accept(user_uuid=BAYKO, group_uuid=GROUP)

    assert accepted.awaiting is None
    assert (len(inbox_of(BAYKO)), len(requests_of(BAYKO))) == (1, 0)
    assert send(by=ANDREW).seq == 2
    assert message_requests.accept(user_uuid=BAYKO, group_uuid=GROUP).seq == 2


@pytest.mark.parametrize("declined", [False, True])
def test_reply_accepts_the_request(either_table: MessageTable, declined: bool) -> None:
    ask()
    if declined:
        message_requests.decline(user_uuid=BAYKO, group_uuid=GROUP)

    assert send(by=BAYKO).seq == 2

    assert (len(inbox_of(BAYKO)), len(requests_of(BAYKO))) == (1, 0)
    assert send(by=ANDREW).seq == 3


def test_first_message_of_the_recipient_accepts_the_request(either_table: MessageTable) -> None:
    ask()
    assert ask(by=BAYKO, to=ANDREW).seq == 2
    drain(either_table)
    assert len(inbox_of(ANDREW)) == len(inbox_of(BAYKO)) == 1
    assert send(by=ANDREW).seq == 3


def test_first_messages_of_both_at_once_make_one_conversation_that_both_write_in(table: MessageTable) -> None:
    together = Barrier(2)

    def begin(who: int) -> int:
        together.wait()
        return ask(by=(ANDREW, BAYKO)[who], to=(BAYKO, ANDREW)[who]).seq

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(begin, range(2))) == [1, 2]

    drain(table)
    assert len(inbox_of(ANDREW)) == len(inbox_of(BAYKO)) == 1
    assert not requests_of(ANDREW)
    assert not requests_of(BAYKO)


def test_only_the_recipient_can_accept(either_table: MessageTable) -> None:
    ask()
    message_requests.accept(user_uuid=ANDREW, group_uuid=GROUP)
    with pytest.raises(ConversationNotFound):
        message_requests.accept(user_uuid=LONDO, group_uuid=GROUP)
    with pytest.raises(AwaitingAnswer):
        send(by=ANDREW)


def test_declining_is_not_revealed_to_the_sender(either_table: MessageTable) -> None:
    ask()
    before = either_table.conversation(GROUP), entry_of(either_table, ANDREW)

    message_requests.decline(user_uuid=BAYKO, group_uuid=GROUP)
    message_requests.decline(user_uuid=BAYKO, group_uuid=GROUP)
    drain(either_table)

    assert (either_table.conversation(GROUP), entry_of(either_table, ANDREW)) == before
    assert not inbox_of(BAYKO)
    assert not requests_of(BAYKO)


def test_declining_what_was_accepted_meanwhile_hides_nothing(either_table: MessageTable) -> None:
    ask()
    message_requests.accept(user_uuid=BAYKO, group_uuid=GROUP)

    message_requests.decline(user_uuid=BAYKO, group_uuid=GROUP)

    assert len(inbox_of(BAYKO)) == 1


def test_reading_a_request_is_not_revealed(either_table: MessageTable) -> None:
    message = ask()
    read_actions.mark_read(user_uuid=BAYKO, group_uuid=GROUP, created_at=message.created_at)

    def seen() -> int:
        return since(user_uuid=ANDREW, group_uuid=GROUP, after=message.created_at, version=1, first="").seen_seq

    assert seen() == 0
    message_requests.accept(user_uuid=BAYKO, group_uuid=GROUP)
    assert seen() == 1


def test_block_of_a_request_looks_pending_to_the_sender(either_table: MessageTable) -> None:
    ask()
    block_actions.shut(user_uuid=BAYKO, other_uuid=ANDREW, now=NOW)

    assert not requests_of(BAYKO)
    with pytest.raises(AwaitingAnswer):
        send(by=ANDREW)
    with pytest.raises(Blocked):
        send(by=BAYKO)
    with pytest.raises(Blocked):
        message_requests.accept(user_uuid=BAYKO, group_uuid=GROUP)

    block_actions.reopen(user_uuid=BAYKO, other_uuid=ANDREW)
    assert len(requests_of(BAYKO)) == 1


def block() -> None:
    block_actions.shut(user_uuid=BAYKO, other_uuid=ANDREW, now=NOW)


def answer() -> None:
    send(by=BAYKO)


@pytest.mark.parametrize("between", [block, answer])
def test_accepting_what_is_answered_or_blocked_in_between(
    either_table: MessageTable, between: Callable[[], None]
) -> None:
    ask()
    between_read_and_write(either_table, between)

    if between is block:
        with pytest.raises(Blocked):
            message_requests.accept(user_uuid=BAYKO, group_uuid=GROUP)
        assert not inbox_of(BAYKO)
    else:
        assert message_requests.accept(user_uuid=BAYKO, group_uuid=GROUP).seq == 2
        assert len(inbox_of(BAYKO)) == 1


def test_accepting_what_was_answered_and_archived_in_between_moves_nothing(either_table: MessageTable) -> None:
    ask()

    def answer_and_archive() -> None:
        answer()
        conversation_settings.archive(user_uuid=BAYKO, group_uuid=GROUP)

    between_read_and_write(either_table, answer_and_archive)
    message_requests.accept(user_uuid=BAYKO, group_uuid=GROUP)

    assert not inbox_of(BAYKO)


def test_accepting_does_not_bring_back_who_has_left_for_good(either_table: MessageTable) -> None:
    ask()
    between_read_and_write(
        either_table, lambda: list(leave_conversations.leave_one(either_table, GROUP, BAYKO, now=NOW))
    )

    message_requests.accept(user_uuid=BAYKO, group_uuid=GROUP)

    assert either_table.conversation_and_entry(GROUP, BAYKO)[1] is None


def test_former_member_cannot_accept_a_request(either_table: MessageTable) -> None:
    ask()
    between_read_and_write(
        either_table,
        lambda: either_table.client.update_item(
            TableName=either_table.name,
            Key=conversation_key(GROUP),
            UpdateExpression="DELETE member_uuids :me",
            ExpressionAttributeValues={":me": {"BS": [BAYKO.bytes]}},
        ),
    )

    with pytest.raises(ConversationNotFound):
        message_requests.accept(user_uuid=BAYKO, group_uuid=GROUP)
    assert not inbox_of(BAYKO)


def test_a_lost_entry_comes_back_among_the_requests(either_table: MessageTable) -> None:
    ask()
    either_table.client.delete_item(TableName=either_table.name, Key=entry_key(BAYKO, GROUP))
    drain(either_table)
    assert (len(inbox_of(BAYKO)), len(requests_of(BAYKO))) == (0, 1)


def test_accepting_without_an_entry_makes_one_in_the_inbox(either_table: MessageTable) -> None:
    ask()
    old = either_table.conversation(GROUP)
    assert old is not None
    either_table.client.delete_item(TableName=either_table.name, Key=entry_key(BAYKO, GROUP))

    message_requests.accept(user_uuid=BAYKO, group_uuid=GROUP)
    either_table.copy_to_entry(old, BAYKO)

    assert (len(inbox_of(BAYKO)), len(requests_of(BAYKO))) == (1, 0)


def test_projecting_moves_no_entry_between_lists(either_table: MessageTable) -> None:
    ask()
    old = either_table.conversation(GROUP)
    assert old is not None
    answer()
    either_table.copy_to_entry(old, BAYKO)
    drain(either_table)
    either_table.copy_to_entry(old, BAYKO)
    assert (len(inbox_of(BAYKO)), len(requests_of(BAYKO))) == (1, 0)


def test_it_begins_a_conversation_that_was_blocked_before_it_had_a_message(either_table: MessageTable) -> None:
    block_actions.shut(user_uuid=BAYKO, other_uuid=ANDREW, now=NOW)
    block_actions.reopen(user_uuid=BAYKO, other_uuid=ANDREW)

    assert ask().seq == 1

    assert (len(inbox_of(BAYKO)), len(requests_of(BAYKO))) == (0, 1)
    with pytest.raises(AwaitingAnswer):
        send(by=ANDREW)


def test_an_answer_that_accepts_costs_the_entry_more(moto_table: MessageTable, calls: Calls) -> None:
    ask()
    before = items(moto_table)
    with calls.counted(moto_table.client):
        send(by=BAYKO)
    assert calls.operations == ["GetItem", "TransactWriteItems"]
    assert units_written(before, items(moto_table), transaction=True) == 8


# --- Who may write ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("may_write", "requests", "opening"),
    [("anyone", False, Opening.FREE), ("anyone", True, Opening.REQUEST), (NOBODY, True, Opening.CLOSED)],
)
def test_person_and_setting_say_what_becomes_of_a_first_message(
    bayko: User, settings: Settings, may_write: str, requests: bool, opening: Opening
) -> None:
    settings.MESSAGE_REQUESTS = requests
    bayko.may_write = may_write
    assert message_requests.opening_to(bayko) is opening


def test_user_who_accepts_no_first_messages_hears_from_known_people(either_table: MessageTable) -> None:
    def write() -> Message:
        return send_message.start(
            user_uuid=ANDREW, other_uuid=BAYKO, text="Hi", message_uuid=uuid4(), now=NOW, opening=Opening.CLOSED
        ).message

    with pytest.raises(Blocked):
        write()
    block_actions.shut(user_uuid=BAYKO, other_uuid=ANDREW, now=NOW)
    block_actions.reopen(user_uuid=BAYKO, other_uuid=ANDREW)
    with pytest.raises(Blocked):
        write()
    start(by=BAYKO, to=ANDREW)
    assert write().seq == 2


def test_pages_ask_for_requests_only_where_one_was_sent(moto_table: MessageTable, bayko: User, calls: Calls) -> None:
    now = timezone.now()
    with calls.counted(moto_table.client):
        message_requests.waiting(bayko, now=now)
    assert calls.operations == []

    message_requests.expect(bayko, now=now)
    bayko.refresh_from_db()
    with calls.counted(moto_table.client):
        message_requests.waiting(bayko, now=now + timedelta(minutes=1))
    assert calls.operations == ["Query"]
    bayko.refresh_from_db()
    assert bayko.requested_at == now

    message_requests.waiting(bayko, now=now + timedelta(minutes=6))
    bayko.refresh_from_db()
    assert bayko.requested_at is None
