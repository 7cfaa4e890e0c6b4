"""How far a person has read, on moto and on the emulator."""

from datetime import timedelta

import pytest

from messaging.actions import read as read_actions
from messaging.domain.timestamps import format_created_at
from messaging.dynamodb.table import MessageTable
from messaging.queries.conversations import MessageNotFound
from tests.messaging.talk import BAYKO, GROUP, NOW, drain, entry_of, send, start

pytestmark = pytest.mark.usefixtures("either_table")


def test_reading_goes_forwards_only(either_table: MessageTable) -> None:
    sent = [start(text="1"), *(send(text=str(n)) for n in range(2, 6))]
    drain(either_table)

    for read, unread in ((2, 2), (0, 2), (4, 0), (3, 0)):
        read_actions.mark_read(user_uuid=BAYKO, group_uuid=GROUP, created_at=sent[read].created_at)
        assert entry_of(either_table, BAYKO).unread == unread
    assert entry_of(either_table, BAYKO).read_sk == sent[4].created_at


def test_only_a_message_that_exists_can_be_marked_read() -> None:
    start()

    with pytest.raises(MessageNotFound):
        read_actions.mark_read(user_uuid=BAYKO, group_uuid=GROUP, created_at=format_created_at(NOW + timedelta(days=1)))
    with pytest.raises(ValueError):  # noqa: PT011
        read_actions.mark_read(user_uuid=BAYKO, group_uuid=GROUP, created_at="#CONVERSATION")
