"""Blocking: what the conversation's item knows, what it keeps out, and that nothing is lost by it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import pytest

from messaging.actions import block, conversation_settings, edit_message, send_message
from messaging.actions.send_message import Blocked
from messaging.dynamodb.keys import entry_key
from messaging.dynamodb.table import MessageTable
from messaging.models import BlockedPerson
from messaging.queries import conversations
from messaging.queries.conversations import ConversationNotFound
from tests.messaging.capacity import item_size, items
from tests.messaging.talk import ANDREW, BAYKO, GROUP, NOW, between_read_and_write, drain, entry_of, send, start
from users.models import User


def shut(by: str = "bayko") -> None:
    who, whom = (BAYKO, ANDREW) if by == "bayko" else (ANDREW, BAYKO)
    block.shut(user_uuid=who, other_uuid=whom, now=NOW)


def reopen(by: str = "bayko") -> None:
    who, whom = (BAYKO, ANDREW) if by == "bayko" else (ANDREW, BAYKO)
    block.reopen(user_uuid=who, other_uuid=whom)


def groups_of(user: object) -> list[object]:
    return [entry.group_uuid for entry in conversations.list_conversations(user_uuid=user).entries]  # type: ignore[arg-type]


@pytest.mark.parametrize("writer", [ANDREW, BAYKO])
def test_blocked_members_cannot_write_to_each_other(either_table: MessageTable, writer: object) -> None:
    message = start(by=ANDREW)
    own = send(by=BAYKO)
    shut()

    with pytest.raises(Blocked):
        send(by=writer)  # type: ignore[arg-type]
    with pytest.raises(Blocked):
        start(by=writer, to=BAYKO if writer == ANDREW else ANDREW)  # type: ignore[arg-type]
    created_at = message.created_at if writer == ANDREW else own.created_at
    with pytest.raises(Blocked):
        edit_message.edit(user_uuid=writer, group_uuid=GROUP, created_at=created_at, text="Else", now=NOW)  # type: ignore[arg-type]


def test_messages_stay_after_a_block_and_own_ones_can_be_deleted(either_table: MessageTable) -> None:
    message = start(by=ANDREW)
    shut()

    delivery = edit_message.delete(user_uuid=ANDREW, group_uuid=GROUP, created_at=message.created_at, now=NOW)

    assert delivery.audience == {ANDREW}
    for member in (ANDREW, BAYKO):
        assert [m.seq for m in conversations.load_conversation(user_uuid=member, group_uuid=GROUP).messages] == [1]


def test_the_conversation_leaves_the_blocker_s_list_alone_and_comes_back(either_table: MessageTable) -> None:
    start()
    shut()
    drain(either_table)
    assert (groups_of(ANDREW), groups_of(BAYKO)) == ([GROUP], [])

    reopen()
    assert (groups_of(ANDREW), groups_of(BAYKO)) == ([GROUP], [GROUP])
    assert send(by=ANDREW).seq == 2


def test_sending_stays_rejected_while_either_member_blocks(either_table: MessageTable) -> None:
    start()
    shut("bayko")
    shut("andrew")
    reopen("bayko")

    with pytest.raises(Blocked):
        send(by=BAYKO)

    reopen("andrew")
    assert send(by=BAYKO).seq == 2


def test_repeated_block_changes_nothing(either_table: MessageTable) -> None:
    start()
    shut()
    blocked = items(either_table)
    shut()
    assert items(either_table) == blocked
    reopen()
    open_again = items(either_table)
    reopen()
    assert items(either_table) == open_again


# --- Somebody one never wrote to --------------------------------------------------------------------------------------


def test_it_makes_a_conversation_without_messages_and_entries_that_nobody_sees(either_table: MessageTable) -> None:
    shut()
    drain(either_table)

    assert [key[1] for key in items(either_table)] == ["#CONVERSATION"]
    for member, other in ((ANDREW, BAYKO), (BAYKO, ANDREW)):
        assert conversations.existing_with(user_uuid=member, other_uuid=other) is None
        with pytest.raises(ConversationNotFound):
            conversations.load_conversation(user_uuid=member, group_uuid=GROUP)
        with pytest.raises(ConversationNotFound):
            send(by=member)


def test_first_message_is_rejected_after_a_block(either_table: MessageTable) -> None:
    shut()

    for by, to in ((ANDREW, BAYKO), (BAYKO, ANDREW)):
        with pytest.raises(Blocked):
            start(by=by, to=to)
    assert len(items(either_table)) == 1


def test_once_unblocked_the_first_message_is_number_one_of_the_one_conversation(either_table: MessageTable) -> None:
    shut()
    reopen()
    uuid = uuid4()

    first = start(by=ANDREW, uuid=uuid)

    assert start(by=ANDREW, uuid=uuid) == first
    assert first.seq == 1
    assert start(by=BAYKO, to=ANDREW).seq == 2
    drain(either_table)
    assert (groups_of(ANDREW), groups_of(BAYKO)) == ([GROUP], [GROUP])
    assert entry_of(either_table, ANDREW).unread == 1


def test_four_first_messages_at_once_into_an_unblocked_conversation_make_one(table: MessageTable) -> None:
    shut()
    reopen()
    together = Barrier(4)

    def begin(number: int) -> int:
        together.wait()
        by, to = ((ANDREW, BAYKO), (BAYKO, ANDREW))[number % 2]
        return start(by=by, to=to, text=str(number)).seq

    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(begin, range(4)))

    assert sorted(numbers) == [1, 2, 3, 4]
    drain(table)
    assert entry_of(table, ANDREW).last_seq == entry_of(table, BAYKO).last_seq == 4


# --- What comes in between --------------------------------------------------------------------------------------------


def test_a_block_between_read_and_write_of_a_first_message_refuses_it(either_table: MessageTable) -> None:
    shut()
    reopen()
    between_read_and_write(either_table, shut)
    with pytest.raises(Blocked):
        send_message.start(user_uuid=ANDREW, other_uuid=BAYKO, text="Hello", message_uuid=uuid4(), now=NOW)
    assert len(items(either_table)) == 1


def test_a_first_message_between_read_and_write_of_a_block_is_hidden_from_the_blocker(
    either_table: MessageTable,
) -> None:
    between_read_and_write(either_table, start)

    shut()

    assert (groups_of(ANDREW), groups_of(BAYKO)) == ([GROUP], [])
    with pytest.raises(Blocked):
        send()


def test_concurrent_first_message_into_unblocked_conversation_is_hidden_from_the_blocker(
    either_table: MessageTable,
) -> None:
    shut()
    reopen()
    between_read_and_write(either_table, start)

    shut()

    assert (groups_of(ANDREW), groups_of(BAYKO)) == ([GROUP], [])


@pytest.mark.parametrize("change", [lambda: shut("andrew"), send])
def test_concurrent_writes_survive(either_table: MessageTable, change: Callable[[], object]) -> None:
    start()
    between_read_and_write(either_table, change)

    shut()

    conversation = either_table.conversation(GROUP)
    assert conversation is not None
    assert BAYKO in conversation.blocked_by
    assert (conversation.seq == 2) != (ANDREW in conversation.blocked_by)


def test_blocks_and_sends_at_once_end_without_a_message_after_the_block(table: MessageTable) -> None:
    start()
    together = Barrier(3)
    known: list[int] = []

    def write(_: int) -> None:
        together.wait()
        for _ in range(5):
            try:
                known.append(send(by=ANDREW).seq)
            except Blocked:
                return

    def close(_: int) -> int:
        together.wait()
        shut()
        return len(list(table.messages_after(GROUP, "", limit=100)))

    with ThreadPoolExecutor(3) as pool:
        writers = [pool.submit(write, n) for n in range(2)]
        at_block = pool.submit(close, 0).result()
        for writer in writers:
            writer.result()

    stored = table.messages_after(GROUP, "", limit=100)
    assert len(stored) == at_block == 1 + len(known)


def test_lost_entry_is_recreated_in_its_list(either_table: MessageTable) -> None:
    start()
    old = either_table.conversation(GROUP)
    assert old is not None
    shut()
    for member in (ANDREW, BAYKO):
        either_table.client.delete_item(TableName=either_table.name, Key=entry_key(member, GROUP))

    # An image from before the block: what the conversation is now decides.
    either_table.copy_to_entry(old, BAYKO)
    either_table.copy_to_entry(old, ANDREW)

    assert (groups_of(ANDREW), groups_of(BAYKO)) == ([GROUP], [])


def test_a_block_makes_the_entry_that_is_lost_so_that_an_old_image_cannot(either_table: MessageTable) -> None:
    start()
    either_table.client.delete_item(TableName=either_table.name, Key=entry_key(BAYKO, GROUP))
    shut()
    drain(either_table)
    assert groups_of(BAYKO) == []
    reopen()
    assert groups_of(BAYKO) == [GROUP]


def test_unblocking_twice_at_once_moves_the_entry_once(either_table: MessageTable) -> None:
    start()
    shut()

    def reopen_and_archive() -> None:
        reopen()
        conversation_settings.archive(user_uuid=BAYKO, group_uuid=GROUP)

    between_read_and_write(either_table, reopen_and_archive)
    reopen()

    assert groups_of(BAYKO) == []


def test_items_with_blocks_stay_below_a_kilobyte(either_table: MessageTable) -> None:
    send_message.start(
        user_uuid=ANDREW,
        other_uuid=BAYKO,
        text="x" * 1024,
        message_uuid=uuid4(),
        now=NOW,
        opening=send_message.Opening.REQUEST,
    )
    send(by=BAYKO, text="é" * 300)
    for _ in range(3):
        send(by=ANDREW, text="é" * 300)
        send(by=BAYKO, text="é" * 300)
    shut("andrew")
    shut("bayko")
    drain(either_table)

    for (_, sk), item in items(either_table).items():
        if not sk.startswith("2026"):
            assert item_size(item) < 1024, sk


# --- The list in Postgres ---------------------------------------------------------------------------------------------


def test_blocked_users_are_listed_until_unblocked(fake_table: MessageTable, andrew: User, bayko: User) -> None:
    stranger = uuid4()
    for other in (bayko.uuid, stranger):
        for _ in range(2):
            block.block(user_uuid=andrew.uuid, other_uuid=other, now=NOW)
    assert block.blocked_by(andrew.uuid) == [stranger, bayko.uuid]
    assert block.any_blocks((bayko.uuid, andrew.uuid))

    block.unblock(user_uuid=andrew.uuid, other_uuid=bayko.uuid)
    assert block.blocked_by(andrew.uuid) == [stranger]
    assert not block.any_blocks((bayko.uuid, andrew.uuid))


def test_send_killed_before_the_entries_repeats_them(fake_table: MessageTable, andrew: User, bayko: User) -> None:
    block.shut(user_uuid=andrew.uuid, other_uuid=bayko.uuid, now=NOW)
    block.block(user_uuid=andrew.uuid, other_uuid=bayko.uuid, now=NOW)
    assert BlockedPerson.objects.count() == 1

    block.reopen(user_uuid=andrew.uuid, other_uuid=bayko.uuid)
    block.unblock(user_uuid=andrew.uuid, other_uuid=bayko.uuid)
    assert not BlockedPerson.objects.exists()


def test_blocking_oneself_is_rejected(fake_table: MessageTable) -> None:
    with pytest.raises(ValueError, match="themselves"):
        block.shut(user_uuid=ANDREW, other_uuid=ANDREW, now=NOW)
