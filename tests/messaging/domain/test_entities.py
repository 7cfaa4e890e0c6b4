import uuid
from dataclasses import replace

from messaging.domain.entities import pair_group_uuid
from messaging.domain.transitions import (
    entry_from_conversation,
)
from tests.messaging.invented import ONE, OTHER, invented


def test_group_of_two_users_does_not_depend_on_their_order() -> None:
    assert pair_group_uuid(ONE, OTHER) == pair_group_uuid(OTHER, ONE)
    assert pair_group_uuid(ONE, OTHER) != pair_group_uuid(ONE, uuid.UUID(int=3))


def test_unread_is_what_others_wrote_after_the_last_message_read_or_written() -> None:
    conversation, _ = invented(6)  # ONE wrote 1, 3, 5 and OTHER 2, 4, 6
    entry = entry_from_conversation(conversation, ONE)

    assert entry.unread == 1
    assert replace(entry, read_seq=6).unread == 0
    assert replace(entry, last_seq=3, sent_seq=5).unread == 0
