from datetime import UTC, datetime

from messaging.domain.timestamps import format_created_at
from messaging.dynamodb.keys import CONVERSATION_SK, FIRST_MESSAGE_SK


def test_it_sorts_the_conversation_before_and_all_messages_after_the_first_message_key() -> None:
    assert CONVERSATION_SK < FIRST_MESSAGE_SK < format_created_at(datetime(1, 1, 1, tzinfo=UTC))
