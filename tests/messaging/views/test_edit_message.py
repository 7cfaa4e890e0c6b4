"""Editing a message, without script and with it."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote
from uuid import UUID

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from messaging.domain.entities import Message
from messaging.dynamodb.table import MessageTable
from tests.messaging.faults import answer, fault
from tests.messaging.pages import (
    SCRIPT,
    draft_of,
    hidden_of,
    message_anchor,
    message_path,
    messages_of,
    open_conversation,
    text_of,
)
from tests.messaging.talk import drain
from users.models import User

pytestmark = pytest.mark.django_db


def test_edit_starts_with_the_text_and_redirects_to_the_message(
    client: Client, mine: Message, moto_table: MessageTable
) -> None:
    form = client.get(message_path(mine, "/edit"))
    assert draft_of(form) == "Typo"
    assert "Editing your message of" in text_of(form)
    assert "message_uuid" not in hidden_of(form)

    response = client.post(message_path(mine, "/edit"), {"message": "No typo"})

    assert (response.status_code, response["Location"]) == (303, message_anchor(mine))
    drain(moto_table)
    page = open_conversation(client, mine)
    assert messages_of(page) == ["No typo"]
    assert "Edited" in text_of(page)
    assert "You: No typo" in text_of(page)


@pytest.mark.parametrize(("what", "data"), [("/edit", {"message": "No typo"}), ("/delete", {})])
def test_list_shows_edit_and_deletion_of_a_recent_send(
    client: Client, andrew: User, bayko: User, mine: Message, what: str, data: dict[str, str]
) -> None:
    client.post(f"/messages/{mine.group_uuid}", {"message": "Last", "message_uuid": str(UUID(int=9)), "after": ""})
    (last,) = client.session["last_sends"]

    client.post(f"/messages/{mine.group_uuid}/{quote(last['created_at'])}{what}", data)

    listed = text_of(client.get("/messages"))
    assert "You: Last" not in listed
    assert ("You: No typo" if data else "This message was deleted") in listed


@pytest.mark.parametrize(
    ("text", "sentence"), [("  ", "nothing to send yet"), ("x" * 1025, "1 character too many. Shorten it")]
)
def test_invalid_text_is_kept_in_the_composer(client: Client, mine: Message, text: str, sentence: str) -> None:
    response = client.post(message_path(mine, "/edit"), {"message": text})

    assert response.status_code == 422
    assert draft_of(response) == text
    assert sentence in text_of(response)
    assert "Editing your message of" in text_of(response)


def test_late_edit_is_kept_in_the_composer_of_a_new_message(client: Client, mine: Message) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=16), tick=False):
        response = client.post(message_path(mine, "/edit"), {"message": "No typo"})

        assert response.status_code == 409
        assert "can be edited for 15 minutes" in text_of(response)
        assert draft_of(response) == "No typo"
        assert "message_uuid" in hidden_of(response)


def test_edit_of_a_deleted_message_is_rejected_and_kept(client: Client, mine: Message) -> None:
    client.post(message_path(mine, "/delete"))

    response = client.post(message_path(mine, "/edit"), {"message": "No typo"})

    assert response.status_code == 409
    assert draft_of(response) == "No typo"
    assert client.get(message_path(mine)).status_code == client.get(message_path(mine, "/edit")).status_code == 404
    assert client.post(message_path(mine, "/delete")).status_code == 303


def test_text_is_kept_while_dynamodb_is_away(client: Client, mine: Message, moto_table: MessageTable) -> None:
    throttled = answer("ThrottlingException")

    with fault(moto_table, "BatchGetItem", throttled, throttled):
        response = client.post(message_path(mine, "/edit"), {"message": "No typo"})

    assert response.status_code == 503
    assert response["Retry-After"]
    assert draft_of(response) == "No typo"


@pytest.mark.parametrize("what", ["", "/edit", "/delete"])
def test_other_members_and_outsiders_cannot_edit_or_delete(
    client: Client, mine: Message, bayko: User, londo: User, what: str
) -> None:
    for person in (bayko, londo):
        client.force_login(person)
        assert client.get(message_path(mine, what)).status_code == (200 if person == bayko and not what else 404)
        if what:
            assert client.post(message_path(mine, what), {"message": "Mine now"}).status_code == 404
    client.logout()
    assert client.get(message_path(mine, what)).status_code == 302
    assert client.post(message_path(mine, "/edit"), {"message": "x"}).status_code == 403


@pytest.mark.parametrize("created_at", ["nonsense", "#CONVERSATION", "2026-11-21T09:05:00.000000+00:00"])
@pytest.mark.parametrize("what", ["", "/edit", "/delete"])
def test_unknown_message_is_not_found(client: Client, mine: Message, created_at: str, what: str) -> None:
    address = f"/messages/{mine.group_uuid}/{quote(created_at)}{what}"

    assert client.get(address).status_code == 404
    if what:
        assert client.post(address, {"message": "x"}).status_code == 404


def test_script_gets_stored_fields_and_error_codes(client: Client, mine: Message) -> None:
    edited = client.post(message_path(mine, "/edit"), {"message": "No typo"}, headers=SCRIPT)
    assert edited.status_code == 200
    assert edited.json()["edited_at"]
    blank = client.post(message_path(mine, "/edit"), {"message": " "}, headers=SCRIPT)
    assert (blank.status_code, blank.json()) == (422, {"error": "message_blank"})
    assert client.post(message_path(mine, "/delete"), headers=SCRIPT).json()["deleted_at"]
    late = client.post(message_path(mine, "/edit"), {"message": "x"}, headers=SCRIPT)
    assert (late.status_code, late.json()) == (409, {"error": "message_deleted"})
