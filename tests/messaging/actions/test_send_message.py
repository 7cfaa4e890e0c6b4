"""What a send does when others' messages keep coming in between."""

from __future__ import annotations

import pytest

from messaging.dynamodb import table as table_module
from messaging.dynamodb.client import Unavailable
from messaging.dynamodb.table import ATTEMPTS, ConversationMoved, MessageTable
from tests.messaging.talk import GROUP, send, start


def test_a_sender_that_failed_more_waits_less(moto_table: MessageTable, monkeypatch: pytest.MonkeyPatch) -> None:
    start()
    waits: list[float] = []
    monkeypatch.setattr(table_module, "uniform", lambda least, most: most)
    monkeypatch.setattr(table_module, "sleep", waits.append)

    def moved(self: MessageTable, *_: object) -> None:
        raise ConversationMoved(self.conversation(GROUP))

    monkeypatch.setattr(MessageTable, "append", moved)

    with pytest.raises(Unavailable):
        send()

    assert len(waits) == ATTEMPTS
    assert waits == sorted(set(waits), reverse=True)
