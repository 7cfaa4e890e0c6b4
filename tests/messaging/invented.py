"""A conversation of two people, made by the transitions alone."""

import uuid
from datetime import UTC, datetime

from messaging.domain.entities import Conversation, Message, pair_group_uuid
from messaging.domain.transitions import conversation_after, conversation_from_first, first_message, next_message

NOW = datetime(2026, 11, 21, 9, 5, tzinfo=UTC)
ONE, OTHER = uuid.UUID(int=1), uuid.UUID(int=2)


def invented(messages: int, text: str = "hi") -> tuple[Conversation, Message]:
    """Return a conversation of so many messages, written in turns, and its newest message."""
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
