"""Deleting a message, without script and with it."""

from __future__ import annotations

import pytest
from django.test import Client

from messaging.domain.entities import Message
from messaging.dynamodb.table import MessageTable
from tests.messaging.pages import (
    message_anchor,
    message_path,
    messages_of,
    open_conversation,
    text_of,
)
from tests.messaging.talk import drain
from users.models import User

pytestmark = pytest.mark.django_db


def test_deletion_asks_for_confirmation_and_leaves_a_tombstone(
    client: Client, mine: Message, bayko: User, moto_table: MessageTable
) -> None:
    question = client.get(message_path(mine, "/delete"))
    assert "Delete this message? Typo" in text_of(question)
    assert messages_of(open_conversation(client, mine)) == ["Typo"]

    response = client.post(message_path(mine, "/delete"))

    assert (response.status_code, response["Location"]) == (303, message_anchor(mine))
    drain(moto_table)
    page = open_conversation(client, mine)
    assert messages_of(page) == []
    assert text_of(page).count("This message was deleted") == 2
    assert "Sent" not in text_of(page)
    client.force_login(bayko)
    assert "This message was deleted" in text_of(open_conversation(client, mine))
    assert "Typo" not in open_conversation(client, mine).content.decode()
