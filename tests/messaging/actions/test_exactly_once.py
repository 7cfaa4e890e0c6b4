"""A message is stored once, however often it is sent, and whoever writes in between."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import partial
from threading import Barrier
from uuid import uuid4

import pytest

from messaging.actions.send_message import Blocked, MessageUuidReused
from messaging.domain.entities import Message
from messaging.domain.timestamps import format_created_at
from messaging.dynamodb.bulk import put_messages
from messaging.dynamodb.keys import conversation_key, entry_key, message_key
from messaging.dynamodb.table import MessageTable
from messaging.queries import conversations
from messaging.queries.conversations import ConversationNotFound
from tests.messaging.talk import ANDREW, BAYKO, GROUP, NOW, between_read_and_write, send, start


def stored() -> list[Message]:
    return list(conversations.load_conversation(user_uuid=ANDREW, group_uuid=GROUP).messages)


def test_repeated_send_returns_stored_message(either_table: MessageTable) -> None:
    after = start().created_at
    uuid = uuid4()

    first = send(uuid=uuid, after=after)

    assert send(uuid=uuid, after=after) == first
    assert len(stored()) == 2


def test_repeated_first_message_returns_stored_message(either_table: MessageTable) -> None:
    uuid = uuid4()

    first = start(uuid=uuid)

    assert start(uuid=uuid) == first
    assert len(stored()) == 1


def test_repeated_send_beyond_the_remembered_ones_is_found(either_table: MessageTable) -> None:
    after = start().created_at
    uuid = uuid4()
    first = send(uuid=uuid, after=after, text="the one")
    for number in range(6):
        send(text=str(number))
        send(by=BAYKO, text=str(number))

    assert send(uuid=uuid, after=after, text="the one") == first
    assert len(stored()) == 14


def test_the_same_uuid_with_another_text_is_refused(either_table: MessageTable) -> None:
    after = start().created_at
    uuid = uuid4()
    send(uuid=uuid, after=after, text="one")

    with pytest.raises(MessageUuidReused):
        send(uuid=uuid, after=after, text="another")
    assert len(stored()) == 2


def test_uuid_of_another_sender_is_ignored(either_table: MessageTable) -> None:
    after = start().created_at
    uuid = uuid4()
    send(by=ANDREW, uuid=uuid, after=after, text="mine")

    assert send(by=BAYKO, uuid=uuid, after=after, text="yours").seq == 3


def test_repeated_send_older_than_the_remembered_ones_is_stored_once(either_table: MessageTable) -> None:
    after = start().created_at
    uuid = uuid4()
    send(by=ANDREW, uuid=uuid, after=after, text="mine")
    for number in range(3):
        send(by=BAYKO, text=str(number))

    assert send(by=BAYKO, uuid=uuid, after=after, text="yours").seq == 6


def test_the_same_form_sent_many_times_at_once_makes_one_message(table: MessageTable) -> None:
    after = start().created_at
    uuid = uuid4()
    together = Barrier(6)

    def post(_: int) -> Message:
        together.wait()
        return send(uuid=uuid, after=after, text="once")

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(post, range(6)))

    assert len(set(answers)) == 1
    assert [m.message for m in stored()] == ["Hello", "once"]


def test_a_repeat_is_found_though_others_write_at_the_same_moment(table: MessageTable) -> None:
    after = start().created_at
    uuid = uuid4()
    together = Barrier(8)

    def post(number: int) -> Message:
        together.wait()
        if number < 4:
            return send(uuid=uuid, after=after, text="once")
        return send(by=(ANDREW, BAYKO)[number % 2], text=str(number))

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(post, range(8)))

    assert len(set(answers[:4])) == 1
    assert [m.seq for m in stored()] == list(range(1, 7))


def test_two_people_writing_at_once_get_consecutive_numbers(table: MessageTable) -> None:
    start()
    together = Barrier(2)

    def write(who: int) -> list[int]:
        together.wait()
        return [send(by=(ANDREW, BAYKO)[who]).seq for _ in range(8)]

    with ThreadPoolExecutor(2) as pool:
        andrews, baykos = pool.map(write, range(2))

    assert sorted(andrews + baykos) == list(range(2, 18))
    assert [m.seq for m in stored()] == list(range(1, 18))


def test_four_first_messages_at_once_make_one_conversation(table: MessageTable) -> None:
    together = Barrier(4)

    def begin(number: int) -> Message:
        together.wait()
        by, to = (ANDREW, BAYKO) if number % 2 else (BAYKO, ANDREW)
        return start(by=by, to=to, text=str(number))

    with ThreadPoolExecutor(4) as pool:
        messages = list(pool.map(begin, range(4)))

    assert {m.group_uuid for m in messages} == {GROUP}
    assert sorted(m.seq for m in messages) == [1, 2, 3, 4]
    for member in (ANDREW, BAYKO):
        assert len(conversations.list_conversations(user_uuid=member).entries) == 1


def change_conversation(table: MessageTable, update: str, value: list[bytes]) -> None:
    table.client.update_item(
        TableName=table.name,
        Key=conversation_key(GROUP),
        UpdateExpression=update,
        ExpressionAttributeValues={":value": {"BS": value}},
    )


def test_send_during_leaving_is_rejected(either_table: MessageTable) -> None:
    start()
    leave = partial(change_conversation, either_table, "DELETE member_uuids :value", [ANDREW.bytes])
    between_read_and_write(either_table, leave)

    with pytest.raises(ConversationNotFound):
        send(by=ANDREW)
    assert [m.message for m in either_table.messages_after(GROUP, "", limit=9)] == ["Hello"]


def test_block_during_send_is_enforced(either_table: MessageTable) -> None:
    start()
    block = partial(change_conversation, either_table, "SET blocked_by = :value", [BAYKO.bytes])
    between_read_and_write(either_table, block)

    with pytest.raises(Blocked):
        send(by=ANDREW)
    assert [m.message for m in stored()] == ["Hello"]


def test_concurrent_message_gets_the_lower_number(either_table: MessageTable) -> None:
    start()
    between_read_and_write(either_table, lambda: send(by=BAYKO, text="first"))

    assert send(by=ANDREW, text="second").seq == 3
    assert [m.message for m in stored()] == ["Hello", "first", "second"]


def test_concurrent_repeat_returns_the_message_stored_first(either_table: MessageTable) -> None:
    after = start().created_at
    uuid = uuid4()
    between_read_and_write(either_table, lambda: send(uuid=uuid, after=after, text="once"))

    assert send(uuid=uuid, after=after, text="once").seq == 2
    assert [m.message for m in stored()] == ["Hello", "once"]


@pytest.mark.parametrize(
    ("attribute", "value"), [("last_sk", {"S": "2030-01-01T00:00:00.000000+00:00"}), ("seq", {"N": "5"})]
)
def test_a_conversation_that_differs_in_one_thing_is_not_mistaken_for_the_one_read(
    either_table: MessageTable, attribute: str, value: dict[str, str]
) -> None:
    after = start().created_at

    def repaired() -> None:
        """Change the item as a manual repair might leave it."""
        either_table.client.update_item(
            TableName=either_table.name,
            Key=conversation_key(GROUP),
            UpdateExpression=f"SET {attribute} = :value",
            ExpressionAttributeValues={":value": value},
        )

    between_read_and_write(either_table, repaired)

    sent = send(text="on what it is now", after=after)
    assert (sent.created_at > "2030", sent.seq) in ((True, 2), (False, 6))


def test_messages_are_never_overwritten(either_table: MessageTable) -> None:
    start()
    stray = Message(GROUP, format_created_at(NOW + timedelta(minutes=1)), 2, "I was here", uuid4(), BAYKO)
    put_messages(either_table, [stray])

    sent = send(now=NOW + timedelta(minutes=1))

    assert sent.created_at > stray.created_at
    assert either_table.message(GROUP, stray.created_at) == stray


@pytest.mark.parametrize("kind", ["conversation", "message", "entry"])
def test_first_message_overwrites_nothing(either_table: MessageTable, kind: str) -> None:
    client, name = either_table.client, either_table.name
    keys = {
        "message": message_key(GROUP, start().created_at),
        "conversation": conversation_key(GROUP),
        "entry": entry_key(BAYKO, GROUP),
    }
    kept = client.get_item(TableName=name, Key=keys[kind])["Item"]
    for item in client.scan(TableName=name)["Items"]:
        client.delete_item(TableName=name, Key={"pk": item["pk"], "sk": item["sk"]})
    client.put_item(TableName=name, Item={**kept, "kept": {"BOOL": True}})

    with suppress(ConversationNotFound):
        start(text="Over it")

    found = client.get_item(TableName=name, Key=keys[kind])["Item"]
    assert found["kept"] == {"BOOL": True}
