import uuid
from datetime import timedelta

from messaging.domain.transitions import (
    next_message,
)
from tests.messaging.invented import NOW, OTHER, invented


def test_it_dates_a_message_after_the_last_one_whatever_the_clock() -> None:
    conversation, _ = invented(1)

    late = next_message(
        conversation=conversation, user_uuid=OTHER, text="x", message_uuid=uuid.uuid4(), now=NOW - timedelta(minutes=5)
    )

    assert late.created_at == "2026-11-21T09:05:00.000001+00:00"
