"""Message requests: list, accept, decline."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from messaging.queries import conversations
from tests.messaging.pages import (
    SCRIPT,
    conversations_of,
    draft_of,
    post,
    text_of,
)
from users.models import NOBODY, User

pytestmark = pytest.mark.django_db


WAITS = "Not sent: your first message waits to be accepted. Until then it stays the only one."


@pytest.fixture
def asked(settings: Settings, of_bayko: Client, andrew: User, bayko: User, published: list[Any]) -> str:
    """Send a request of Bayko to Andrew, and return its address."""
    settings.MESSAGE_REQUESTS = True
    answer = post(of_bayko, "/messages/new/andrewbrown", "May I?")
    assert answer.status_code == 303
    published.clear()
    return str(answer["Location"])


def test_request_is_shown_above_the_list_and_not_counted(of_andrew: Client, asked: str) -> None:
    page = of_andrew.get("/messages")

    assert "Requests , 1 waiting Bayko 1" in text_of(page)
    assert conversations_of(page) == []
    assert "<title>Messages" in page.content.decode()
    assert of_andrew.get("/messages/rows")["X-Unread"] == "0"
    assert conversations_of(of_andrew.get("/messages/requests")) == ["Bayko"]


def test_second_message_is_rejected_until_the_request_is_accepted(of_bayko: Client, asked: str) -> None:
    answer = post(of_bayko, asked, "Hello?")

    assert answer.status_code == 409
    assert WAITS in text_of(answer)
    assert draft_of(answer) == "Hello?"
    assert post(of_bayko, "/messages/new/andrewbrown", "Hello?", headers=SCRIPT).json() == {"error": "awaiting_answer"}


def test_accepting_tells_both_members(
    of_andrew: Client, of_bayko: Client, andrew: User, bayko: User, asked: str, published: list[Any]
) -> None:
    assert "Bayko wants to write to you." in text_of(of_andrew.get(asked))

    assert of_andrew.post(f"{asked}/answer", {"answer": "accept"})["Location"] == asked

    assert [event.members for event in published] == [{andrew.uuid, bayko.uuid}]
    assert conversations_of(of_andrew.get("/messages")) == ["Bayko"]
    assert "wants to write" not in text_of(of_andrew.get(asked))
    assert post(of_bayko, asked, "Thanks").status_code == 303


def test_replying_accepts_the_request(
    of_andrew: Client, andrew: User, bayko: User, asked: str, published: list[Any]
) -> None:
    assert post(of_andrew, asked, "Of course").status_code == 303

    assert [type(event).__name__ for event in published] == ["MessageSent", "ConversationChanged"]
    assert conversations_of(of_andrew.get("/messages")) == ["Bayko"]


def test_declining_and_reading_tell_nobody_else(
    of_andrew: Client, of_bayko: Client, andrew: User, asked: str, published: list[Any]
) -> None:
    before = text_of(of_bayko.get(asked))
    (message,) = conversations.load_conversation(user_uuid=andrew.uuid, group_uuid=UUID(asked[-36:])).messages

    of_andrew.post(f"{asked}/read", {"created_at": message.created_at})
    of_andrew.post(f"{asked}/typing")
    of_andrew.post(f"{asked}/answer", {"answer": "decline"})

    assert {member for event in published for member in event.members} == {andrew.uuid}
    assert "Requests , " not in text_of(of_andrew.get("/messages"))
    assert text_of(of_bayko.get(asked)) == before


def test_first_message_reaches_the_inbox_without_message_requests(
    settings: Settings, of_andrew: Client, of_bayko: Client, andrew: User, bayko: User
) -> None:
    settings.MESSAGE_REQUESTS = False
    post(of_bayko, "/messages/new/andrewbrown", "Hi")
    assert conversations_of(of_andrew.get("/messages")) == ["Bayko"]


def test_unknown_answer_is_rejected(of_andrew: Client, asked: str) -> None:
    assert of_andrew.post(f"{asked}/answer", {"answer": "perhaps"}).status_code == 400


def test_settings_control_who_may_write(of_andrew: Client, andrew: User) -> None:
    of_andrew.post("/settings/privacy", {"may_write": NOBODY})
    andrew.refresh_from_db()
    assert andrew.may_write == NOBODY
    of_andrew.post("/settings/privacy", {"may_write": "whoever"})
    andrew.refresh_from_db()
    assert andrew.may_write == NOBODY
