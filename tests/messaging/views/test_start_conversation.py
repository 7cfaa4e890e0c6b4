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


def test_the_search_finds_people_whatever_the_case_and_the_accents(browser: Client, andrew: User) -> None:
    User.objects.create_user(handle="jurgen", display_name="Jürgen Weiß", cognito_user_id="sub-jurgen")

    response = browser.get("/messages/new", {"q": "JURGEN weiss"})

    assert conversations_of(response) == ["Jürgen Weiß"]
    assert "1 person for “ JURGEN weiss ”" in text_of(response)
    assert 'href="/messages/new/jurgen"' in response.content.decode()


def test_the_search_does_not_find_oneself(browser: Client) -> None:
    assert "Nobody called “ andrew ”" in text_of(browser.get("/messages/new", {"q": "andrew"}))


def test_the_search_is_paged(browser: Client) -> None:
    for n in range(23):
        User.objects.create_user(handle=f"bay_{n}", display_name=f"Bay {n:02}", cognito_user_id=f"sub-{n}")

    first = browser.get("/messages/new", {"q": "bay"})
    (following,) = html.attributes(html.parse(first.text), ".//a[@rel='next']", "href")
    second = browser.get("/messages/new" + following)

    assert [len(conversations_of(page)) for page in (first, second)] == [20, 3]
    assert 'rel="prev"' in second.content.decode()
    assert 'rel="next"' not in second.content.decode()


@pytest.mark.parametrize("page", ["0", "x", "-1", "9" * 40, "²"])
def test_the_search_shows_a_page_whatever_is_asked_for(browser: Client, bayko: User, page: str) -> None:
    assert conversations_of(browser.get("/messages/new", {"q": "bay", "page": page})) == ["Bayko"]


def test_it_is_an_empty_conversation_when_there_is_none(browser: Client, bayko: User) -> None:
    response = browser.get("/messages/new/BAYKO")

    assert response.status_code == 200
    assert "This is the very beginning." in text_of(response)
    assert hidden_of(response)["after"] == ""


def test_it_goes_to_the_conversation_if_there_is_one(browser: Client, andrew: User, bayko: User) -> None:
    start(by=bayko.uuid, to=andrew.uuid)

    response = browser.get("/messages/new/bayko")

    assert (response.status_code, response["Location"]) == (302, f"/messages/{group_of(andrew, bayko)}")


def test_posting_starts_it_and_shows_it_at_once(
    browser: Client, andrew: User, bayko: User, moto_table: MessageTable, calls: Calls
) -> None:
    form = hidden_of(browser.get("/messages/new/bayko"))
    with calls.counted(moto_table.client):
        response = post(browser, "/messages/new/bayko", "Hello", form)

    assert (response.status_code, response["Location"]) == (303, f"/messages/{group_of(andrew, bayko)}")
    assert calls.operations == ["TransactWriteItems"]
    assert messages_of(browser.get(response["Location"])) == ["Hello"]
    assert conversations_of(browser.get("/messages")) == ["Bayko"]


def test_posting_twice_starts_it_once(browser: Client, bayko: User) -> None:
    form = hidden_of(browser.get("/messages/new/bayko"))
    for _ in range(2):
        response = post(browser, "/messages/new/bayko", "Hello", form)

    assert messages_of(browser.get(response["Location"])) == ["Hello"]


def test_posting_keeps_a_text_that_cannot_be_sent(browser: Client, bayko: User) -> None:
    form = hidden_of(browser.get("/messages/new/bayko"))

    response = post(browser, "/messages/new/bayko", "x" * 1025, form)

    assert (response.status_code, draft_of(response), hidden_of(response)) == (422, "x" * 1025, form)


def test_posting_keeps_the_text_while_dynamodb_is_away(
    browser: Client, bayko: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(**_: object) -> None:
        raise Unavailable

    monkeypatch.setattr(send_message, "start", unavailable)

    response = post(browser, "/messages/new/bayko", "Hello")

    assert (response.status_code, draft_of(response)) == (503, "Hello")


@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_writes_to_themselves(browser: Client, method: str) -> None:
    response = getattr(browser, method)("/messages/new/andrewbrown")

    assert response.status_code == 422
    assert "@andrewbrown is you." in text_of(response)


@pytest.mark.parametrize("handle", ["nobody", "a" * 500])
def test_an_unknown_handle_is_not_found(browser: Client, handle: str) -> None:
    assert browser.get(f"/messages/new/{handle}").status_code == 404
    assert post(browser, f"/messages/new/{handle}", "Hello").status_code == 404
