import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from messaging.domain.text import PREVIEW_BYTES
from messaging.domain.transitions import (
    conversation_after,
    conversation_from_first,
    entry_from_conversation,
    first_message,
    next_message,
)
from messaging.dynamodb.items import (
    CONVERSATION_SK,
    FIRST_MESSAGE_SK,
    conversation_from,
    conversation_item,
    entry_from,
    entry_item,
    format_created_at,
    message_from,
    message_item,
    pair_group_uuid,
    parse_created_at,
)
from tests.messaging.capacity import KILOBYTE, item_size

NOW = datetime(2026, 11, 21, 9, 5, tzinfo=UTC)
ONE, OTHER = uuid.UUID(int=1), uuid.UUID(int=2)


def talk(messages: int, text: str = "hi") -> tuple:  # type: ignore[type-arg]
    group = pair_group_uuid(ONE, OTHER)
    message = first_message(group_uuid=group, user_uuid=ONE, text=text, message_uuid=uuid.uuid4(), now=NOW)
    conversation = conversation_from_first(message, member_uuids=frozenset((ONE, OTHER)))
    for number in range(1, messages):
        writer = (ONE, OTHER)[number % 2]
        message = next_message(
            conversation=conversation, user_uuid=writer, text=text, message_uuid=uuid.uuid4(), now=NOW
        )
        conversation = conversation_after(conversation, message)
    return conversation, message


def test_it_writes_created_at_in_one_form_that_sorts_as_time_does() -> None:
    assert format_created_at(NOW) == "2026-11-21T09:05:00.000000+00:00"
    assert format_created_at(datetime(2026, 11, 21, 10, 5, tzinfo=timezone(timedelta(hours=1)))) == format_created_at(
        NOW
    )
    assert parse_created_at("2026-11-21T09:05:00.000000+00:00") == NOW


@pytest.mark.parametrize(
    "text",
    ["", "now", "2026-11-21", "2026-11-21T09:05:00+00:00", "2026-11-21T09:05:00.000000", "2026-11-21T09:05:00.000000Z",
     "2026-11-21T10:05:00.000000+01:00", "2026-11-21T09:05:00.000000+00:00 OR 1=1"],
)  # fmt: skip
def test_it_takes_no_other_form_of_created_at(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of whichever parser
        parse_created_at(text)


def test_it_sorts_the_conversation_before_and_all_messages_after_the_first_message_key() -> None:
    assert CONVERSATION_SK < FIRST_MESSAGE_SK < format_created_at(datetime(1, 1, 1, tzinfo=UTC))


def test_it_gives_two_people_one_group_whichever_way_round() -> None:
    assert pair_group_uuid(ONE, OTHER) == pair_group_uuid(OTHER, ONE)
    assert pair_group_uuid(ONE, OTHER) != pair_group_uuid(ONE, uuid.UUID(int=3))


def test_it_reads_what_it_writes() -> None:
    conversation, message = talk(5)
    entry = replace(entry_from_conversation(conversation, ONE), read_seq=3, read_sk=message.created_at)

    assert conversation_from(conversation_item(conversation)) == conversation
    assert message_from(message_item(message)) == message
    assert entry_from(entry_item(entry)) == entry


def test_it_dates_a_message_after_the_last_one_whatever_the_clock() -> None:
    conversation, _ = talk(1)

    late = next_message(
        conversation=conversation, user_uuid=OTHER, text="x", message_uuid=uuid.uuid4(), now=NOW - timedelta(minutes=5)
    )

    assert late.created_at == "2026-11-21T09:05:00.000001+00:00"


def test_its_conversation_and_entries_stay_below_one_kilobyte() -> None:
    conversation, message = talk(100_000 // 1000, "é" * 1024)
    conversation = replace(conversation, seq=9_999_999, version=19_999_999)
    entry = replace(entry_from_conversation(conversation, ONE), read_seq=9_999_999, read_sk=message.created_at)

    assert len(conversation.message.encode()) == PREVIEW_BYTES
    assert item_size(conversation_item(conversation)) - PREVIEW_BYTES <= 690
    assert item_size(conversation_item(conversation)) < KILOBYTE
    assert item_size(entry_item(entry)) < KILOBYTE


def test_unread_is_what_others_wrote_after_the_last_message_read_or_written() -> None:
    conversation, _ = talk(6)  # ONE wrote 1, 3, 5 and OTHER 2, 4, 6
    entry = entry_from_conversation(conversation, ONE)

    assert entry.unread == 1
    assert replace(entry, read_seq=6).unread == 0
    assert replace(entry, last_seq=3, sent_seq=5).unread == 0
