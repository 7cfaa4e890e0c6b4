"""Starting a conversation."""

from __future__ import annotations

import pytest
from django.test import Client

from messaging.actions import send_message
from messaging.dynamodb.client import Unavailable
from messaging.dynamodb.table import MessageTable
from tests import html
from tests.conftest import Calls
from tests.messaging.pages import conversations_of, draft_of, group_of, hidden_of, messages_of, post, text_of
from tests.messaging.talk import start
from users.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(client: Client, andrew: User, moto_table: MessageTable) -> Client:
    client.force_login(andrew)
    return client


def test_search_ignores_case_and_accents(browser: Client, andrew: User) -> None:
    User.objects.create_user(handle="jurgen", display_name="Jürgen Weiß", cognito_user_id="sub-jurgen")

    response = browser.get("/messages/new", {"q": "JURGEN weiss"})

    assert conversations_of(response) == ["Jürgen Weiß"]
    assert "1 person for “ JURGEN weiss ”" in text_of(response)
    assert 'href="/messages/new/jurgen"' in response.content.decode()


def test_search_excludes_oneself(browser: Client) -> None:
    assert "Nobody called “ andrew ”" in text_of(browser.get("/messages/new", {"q": "andrew"}))


def test_search_is_paginated(browser: Client) -> None:
    for n in range(23):
        User.objects.create_user(handle=f"bay_{n}", display_name=f"Bay {n:02}", cognito_user_id=f"sub-{n}")

    first = browser.get("/messages/new", {"q": "bay"})
    (following,) = html.attributes(html.parse(first.text), ".//a[@rel='next']", "href")
    second = browser.get("/messages/new" + following)

    assert [len(conversations_of(page)) for page in (first, second)] == [20, 3]
    assert 'rel="prev"' in second.content.decode()
    assert 'rel="next"' not in second.content.decode()


@pytest.mark.parametrize("page", ["0", "x", "-1", "9" * 40, "²"])
def test_invalid_page_number_shows_a_page(browser: Client, bayko: User, page: str) -> None:
    assert conversations_of(browser.get("/messages/new", {"q": "bay", "page": page})) == ["Bayko"]


def test_page_is_empty_without_a_conversation(browser: Client, bayko: User) -> None:
    response = browser.get("/messages/new/BAYKO")

    assert response.status_code == 200
    assert "This is the very beginning." in text_of(response)
    assert hidden_of(response)["after"] == ""


def test_existing_conversation_is_redirected_to(browser: Client, andrew: User, bayko: User) -> None:
    start(by=bayko.uuid, to=andrew.uuid)

    response = browser.get("/messages/new/bayko")

    assert (response.status_code, response["Location"]) == (302, f"/messages/{group_of(andrew, bayko)}")


def test_first_message_starts_the_conversation(
    browser: Client, andrew: User, bayko: User, moto_table: MessageTable, calls: Calls
) -> None:
    form = hidden_of(browser.get("/messages/new/bayko"))
    with calls.counted(moto_table.client):
        response = post(browser, "/messages/new/bayko", "Hello", form)

    assert (response.status_code, response["Location"]) == (303, f"/messages/{group_of(andrew, bayko)}")
    assert calls.operations == ["TransactWriteItems"]
    assert messages_of(browser.get(response["Location"])) == ["Hello"]
    assert conversations_of(browser.get("/messages")) == ["Bayko"]


def test_first_message_posted_twice_is_stored_once(browser: Client, bayko: User) -> None:
    form = hidden_of(browser.get("/messages/new/bayko"))
    for _ in range(2):
        response = post(browser, "/messages/new/bayko", "Hello", form)

    assert messages_of(browser.get(response["Location"])) == ["Hello"]


def test_invalid_first_message_is_kept(browser: Client, bayko: User) -> None:
    form = hidden_of(browser.get("/messages/new/bayko"))

    response = post(browser, "/messages/new/bayko", "x" * 1025, form)

    assert (response.status_code, draft_of(response), hidden_of(response)) == (422, "x" * 1025, form)


def test_first_message_is_kept_while_dynamodb_is_away(
    browser: Client, bayko: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(**_: object) -> None:
        raise Unavailable

    monkeypatch.setattr(send_message, "start", unavailable)

    response = post(browser, "/messages/new/bayko", "Hello")

    assert (response.status_code, draft_of(response)) == (503, "Hello")


@pytest.mark.parametrize("method", ["get", "post"])
def test_user_cannot_write_to_themselves(browser: Client, method: str) -> None:
    response = getattr(browser, method)("/messages/new/andrewbrown")

    assert response.status_code == 422
    assert "@andrewbrown is you." in text_of(response)


@pytest.mark.parametrize("handle", ["nobody", "a" * 500])
def test_unknown_handle_is_not_found(browser: Client, handle: str) -> None:
    assert browser.get(f"/messages/new/{handle}").status_code == 404
    assert post(browser, f"/messages/new/{handle}", "Hello").status_code == 404
