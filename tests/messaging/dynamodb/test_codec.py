from dataclasses import replace

from messaging.domain.text import PREVIEW_BYTES
from messaging.domain.transitions import (
    entry_from_conversation,
)
from messaging.dynamodb.codec import (
    conversation_from,
    conversation_item,
    entry_from,
    entry_item,
    message_from,
    message_item,
)
from tests.messaging.capacity import KILOBYTE, item_size
from tests.messaging.invented import ONE, invented


def test_items_survive_a_round_trip() -> None:
    conversation, message = invented(5)
    entry = replace(entry_from_conversation(conversation, ONE), read_seq=3, read_sk=message.created_at)

    assert conversation_from(conversation_item(conversation)) == conversation
    assert message_from(message_item(message)) == message
    assert entry_from(entry_item(entry)) == entry


def test_its_conversation_and_entries_stay_below_one_kilobyte() -> None:
    conversation, message = invented(100_000 // 1000, "é" * 1024)
    conversation = replace(conversation, seq=9_999_999, version=19_999_999)
    entry = replace(entry_from_conversation(conversation, ONE), read_seq=9_999_999, read_sk=message.created_at)

    assert len(conversation.message.encode()) == PREVIEW_BYTES
    assert item_size(conversation_item(conversation)) - PREVIEW_BYTES <= 690
    assert item_size(conversation_item(conversation)) < KILOBYTE
    assert item_size(entry_item(entry)) < KILOBYTE
