"""Editing and deleting in a browser without script: a menu, a form, a question."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote, unquote
from uuid import UUID

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from messaging.domain.entities import Message
from messaging.dynamodb.table import MessageTable
from tests import html
from tests.messaging.faults import answer, fault
from tests.messaging.pages import SCRIPT, draft_of, group_of, hidden_of, messages_of, text_of
from tests.messaging.talk import drain, send, start
from users.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def group(andrew: User, bayko: User) -> UUID:
    return group_of(andrew, bayko)


@pytest.fixture
def mine(client: Client, andrew: User, bayko: User, moto_table: MessageTable) -> Message:
    """Andrew's message of a minute ago; he is signed in."""
    message = start(by=andrew.uuid, to=bayko.uuid, text="Typo", now=timezone.now() - timedelta(minutes=1))
    drain(moto_table)
    client.force_login(andrew)
    return message


def url(message: Message, what: str = "") -> str:
    return f"/messages/{message.group_uuid}/{quote(message.created_at)}{what}"


def there(message: Message) -> str:
    return f"/messages/{message.group_uuid}?around={quote(message.created_at, safe='')}#m{message.created_at}"


def page_of(client: Client, message: Message) -> Any:
    return client.get(f"/messages/{message.group_uuid}")


def items_of(response: Any) -> list[str]:
    """Where the menu of a message leads."""
    (menu,) = html.shown(response).iterfind(".//*[@role='menu']")
    return html.attributes(menu, ".//*[@role='menuitem']", "href")


def test_every_message_leads_to_what_can_be_done_with_it(client: Client, mine: Message, bayko: User) -> None:
    send(by=bayko.uuid, group=mine.group_uuid, text="Other", now=timezone.now())

    links = [link.attrib["href"] for link in html.with_class(html.shown(page_of(client, mine)), "message__more")]

    assert [client.get(link).status_code for link in links] == [200, 200]


def test_one_s_own_can_be_edited_linked_to_and_deleted(client: Client, mine: Message) -> None:
    edit, link, delete, close = items_of(client.get(url(mine)))

    assert (unquote(edit), unquote(delete)) == (unquote(url(mine, "/edit")), unquote(url(mine, "/delete")))
    assert link == close == there(mine)
    assert [client.get(each).status_code for each in (edit, link, delete)] == [200, 200, 200]


def test_others_can_be_linked_to_and_reported(client: Client, mine: Message, bayko: User) -> None:
    other = send(by=bayko.uuid, group=mine.group_uuid, text="Other", now=timezone.now())

    assert items_of(client.get(url(other))) == [
        there(other),
        f"/report/{other.group_uuid}/{other.created_at}",
        there(other),
    ]


def test_after_fifteen_minutes_it_can_only_be_deleted(client: Client, andrew: User, bayko: User, mine: Message) -> None:
    old = send(by=andrew.uuid, group=mine.group_uuid, now=timezone.now())
    old_url = url(old)
    with time_machine.travel(timezone.now() + timedelta(minutes=16), tick=False):
        links = [link.rpartition("/")[2] for link in items_of(client.get(old_url))]
        assert "edit" not in links
        assert "delete" in links
        assert client.get(f"{old_url}/edit")["Location"] == there(old)


def test_an_edit_begins_with_the_text_and_ends_at_the_message(
    client: Client, mine: Message, moto_table: MessageTable
) -> None:
    form = client.get(url(mine, "/edit"))
    assert draft_of(form) == "Typo"
    assert "Editing your message of" in text_of(form)
    assert "message_uuid" not in hidden_of(form)

    response = client.post(url(mine, "/edit"), {"message": "No typo"})

    assert (response.status_code, response["Location"]) == (303, there(mine))
    drain(moto_table)
    page = page_of(client, mine)
    assert messages_of(page) == ["No typo"]
    assert "Edited" in text_of(page)
    assert "You: No typo" in text_of(page)


def test_a_deletion_asks_first_and_leaves_a_tombstone(
    client: Client, mine: Message, bayko: User, moto_table: MessageTable
) -> None:
    question = client.get(url(mine, "/delete"))
    assert "Delete this message? Typo" in text_of(question)
    assert messages_of(page_of(client, mine)) == ["Typo"]

    response = client.post(url(mine, "/delete"))

    assert (response.status_code, response["Location"]) == (303, there(mine))
    drain(moto_table)
    page = page_of(client, mine)
    assert messages_of(page) == []
    assert text_of(page).count("This message was deleted") == 2
    assert "Sent" not in text_of(page)
    client.force_login(bayko)
    assert "This message was deleted" in text_of(page_of(client, mine))
    assert "Typo" not in page_of(client, mine).content.decode()


@pytest.mark.parametrize(("what", "data"), [("/edit", {"message": "No typo"}), ("/delete", {})])
def test_the_list_shows_it_at_once_where_the_send_was_laid_over_it(
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
def test_a_text_that_cannot_be_sent_comes_back_in_the_form(
    client: Client, mine: Message, text: str, sentence: str
) -> None:
    response = client.post(url(mine, "/edit"), {"message": text})

    assert response.status_code == 422
    assert draft_of(response) == text
    assert sentence in text_of(response)
    assert "Editing your message of" in text_of(response)


def test_too_late_the_text_stands_in_the_form_of_a_new_message(client: Client, mine: Message) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=16), tick=False):
        response = client.post(url(mine, "/edit"), {"message": "No typo"})

        assert response.status_code == 409
        assert "can be edited for 15 minutes" in text_of(response)
        assert draft_of(response) == "No typo"
        assert "message_uuid" in hidden_of(response)


def test_a_deleted_message_cannot_be_edited_and_the_text_is_kept(client: Client, mine: Message) -> None:
    client.post(url(mine, "/delete"))

    response = client.post(url(mine, "/edit"), {"message": "No typo"})

    assert response.status_code == 409
    assert draft_of(response) == "No typo"
    assert client.get(url(mine)).status_code == client.get(url(mine, "/edit")).status_code == 404
    assert client.post(url(mine, "/delete")).status_code == 303


def test_without_dynamodb_the_text_is_kept(client: Client, mine: Message, moto_table: MessageTable) -> None:
    throttled = answer("ThrottlingException")

    with fault(moto_table, "BatchGetItem", throttled, throttled):
        response = client.post(url(mine, "/edit"), {"message": "No typo"})

    assert response.status_code == 503
    assert response["Retry-After"]
    assert draft_of(response) == "No typo"


@pytest.mark.parametrize("what", ["", "/edit", "/delete"])
def test_others_and_outsiders_find_nothing(client: Client, mine: Message, bayko: User, londo: User, what: str) -> None:
    for person in (bayko, londo):
        client.force_login(person)
        assert client.get(url(mine, what)).status_code == (200 if person == bayko and not what else 404)
        if what:
            assert client.post(url(mine, what), {"message": "Mine now"}).status_code == 404
    client.logout()
    assert client.get(url(mine, what)).status_code == 302
    assert client.post(url(mine, "/edit"), {"message": "x"}).status_code == 403


@pytest.mark.parametrize("created_at", ["nonsense", "#CONVERSATION", "2026-11-21T09:05:00.000000+00:00"])
@pytest.mark.parametrize("what", ["", "/edit", "/delete"])
def test_an_address_of_no_message_is_404(client: Client, mine: Message, created_at: str, what: str) -> None:
    address = f"/messages/{mine.group_uuid}/{quote(created_at)}{what}"

    assert client.get(address).status_code == 404
    if what:
        assert client.post(address, {"message": "x"}).status_code == 404


def test_a_script_gets_what_is_stored_and_short_errors(client: Client, mine: Message) -> None:
    edited = client.post(url(mine, "/edit"), {"message": "No typo"}, headers=SCRIPT)
    assert edited.status_code == 200
    assert edited.json()["edited_at"]
    blank = client.post(url(mine, "/edit"), {"message": " "}, headers=SCRIPT)
    assert (blank.status_code, blank.json()) == (422, {"error": "message_blank"})
    assert client.post(url(mine, "/delete"), headers=SCRIPT).json()["deleted_at"]
    late = client.post(url(mine, "/edit"), {"message": "x"}, headers=SCRIPT)
    assert (late.status_code, late.json()) == (409, {"error": "message_deleted"})
