"""A message posted into a conversation."""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from cruddur.web.rate_limits import LIMITS, take
from messaging.actions import send_message
from messaging.actions.send_message import Delivery
from messaging.domain.text import MESSAGE_MAX_CHARS
from messaging.dynamodb.client import Unavailable
from messaging.dynamodb.table import MessageTable
from messaging.queries import conversations
from tests.conftest import Calls
from tests.messaging.pages import (
    SCRIPT,
    conversations_of,
    draft_of,
    group_of,
    hidden_of,
    messages_of,
    post,
    text_of,
    without_nonce,
)
from tests.messaging.talk import drain, start
from users.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def url(client: Client, andrew: User, bayko: User, moto_table: MessageTable) -> str:
    """Return the conversation of Andrew, who is signed in, with one message of Bayko."""
    start(by=bayko.uuid, to=andrew.uuid, text="Hello", now=timezone.now() - timedelta(hours=1))
    drain(moto_table)
    client.force_login(andrew)
    return f"/messages/{group_of(andrew, bayko)}"


def stored(andrew: User, bayko: User) -> list[str]:
    thread = conversations.load_conversation(user_uuid=andrew.uuid, group_uuid=group_of(andrew, bayko))
    return [message.message for message in thread.messages]


def test_sent_message_shows_at_once_in_conversation_and_list(
    client: Client, url: str, londo: User, andrew: User, moto_table: MessageTable
) -> None:
    start(by=londo.uuid, to=andrew.uuid, now=timezone.now() - timedelta(minutes=1))
    drain(moto_table)

    response = post(client, url, "Mine\r\nand more")

    assert (response.status_code, response["Location"]) == (303, url)
    page = client.get(url)
    assert messages_of(page) == ["Hello", "Mine\nand more"]
    assert conversations_of(page) == ["Bayko", "Londo"]
    assert "Sent" in text_of(page)


def test_sending_costs_what_its_pattern_says(client: Client, url: str, moto_table: MessageTable, calls: Calls) -> None:
    with calls.counted(moto_table.client):
        post(client, url, "Mine")

    assert calls.operations == ["GetItem", "TransactWriteItems"]


def test_message_posted_twice_is_stored_once(client: Client, url: str, andrew: User, bayko: User) -> None:
    form = hidden_of(client.get(url))

    for _ in range(2):
        assert post(client, url, "Mine", form).status_code == 303

    assert stored(andrew, bayko) == ["Hello", "Mine"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (" \r\n\u200b", "There is nothing to send yet."),
        ("", "There is nothing to send yet."),
        ("x" * (MESSAGE_MAX_CHARS + 12), "12 characters too many. Shorten it to send it."),
        ("😀" * (MESSAGE_MAX_CHARS + 1), "1 character too many."),
    ],
)
def test_invalid_text_is_kept_and_explained(client: Client, url: str, text: str, says: str) -> None:
    form = hidden_of(client.get(url))

    response = post(client, url, text, form)

    assert response.status_code == 422
    assert says in text_of(response)
    assert draft_of(response) == text.replace("\r\n", "\r\n")
    assert hidden_of(response) == form
    html = response.content.decode()
    assert 'id="composer-error"' in html
    assert 'aria-describedby="composer-left composer-error" aria-invalid="true"' in html


def test_longest_text_counts_a_line_break_once(client: Client, url: str, andrew: User, bayko: User) -> None:
    text = "😀" * (MESSAGE_MAX_CHARS - 1)

    assert post(client, url, text + "\r\n").status_code == 303
    assert stored(andrew, bayko)[-1] == text + "\n"


def test_reused_uuid_gets_a_form_with_a_new_one(client: Client, url: str) -> None:
    form = hidden_of(client.get(url))
    post(client, url, "First", form)

    response = post(client, url, "Second", form)

    assert response.status_code == 409
    assert draft_of(response) == "Second"
    assert "another text already" in text_of(response)
    again = hidden_of(response)
    assert again["message_uuid"] != form["message_uuid"]
    assert post(client, url, "Second", again).status_code == 303
    assert messages_of(client.get(url)) == ["Hello", "First", "Second"]


@pytest.mark.parametrize("broken", [{"message_uuid": "x"}, {"message_uuid": ""}, {"after": "yesterday"}])
def test_invalid_hidden_fields_are_replaced(client: Client, url: str, broken: dict[str, str]) -> None:
    response = post(client, url, "Mine", broken)

    assert (response.status_code, draft_of(response)) == (422, "Mine")
    assert post(client, url, "Mine", hidden_of(response)).status_code == 303


def test_text_is_kept_when_rate_limited(client: Client, url: str, andrew: User) -> None:
    take(LIMITS["messages"], who=str(andrew.uuid), now=timezone.now() + timedelta(seconds=5), cost=30)
    form = hidden_of(client.get(url))

    response = post(client, url, "Mine", form)

    assert response.status_code == 429
    assert 1 <= int(response["Retry-After"]) <= 7
    assert (draft_of(response), hidden_of(response)) == ("Mine", form)
    assert "You have sent a lot in a short time" in text_of(response)


def test_text_is_kept_when_blocked(client: Client, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def blocked(**_: object) -> None:
        raise send_message.Blocked

    monkeypatch.setattr(send_message, "send", blocked)

    response = post(client, url, "Mine")

    assert (response.status_code, draft_of(response)) == (403, "Mine")


def unavailable(**_: object) -> None:
    raise Unavailable


def test_text_is_kept_in_a_form_while_dynamodb_is_away(
    client: Client,
    url: str,
    monkeypatch: pytest.MonkeyPatch,
    moto_table: MessageTable,
    calls: Calls,
    andrew: User,
    bayko: User,
) -> None:
    form = hidden_of(client.get(url))
    with monkeypatch.context() as away, calls.counted(moto_table.client):
        away.setattr(send_message, "send", unavailable)
        response = post(client, url, "Mine", form)

    assert (response.status_code, response["Retry-After"], calls.made) == (503, "10", [])
    assert (draft_of(response), hidden_of(response)) == ("Mine", form)
    assert f'action="{url}#composer-text"' in response.content.decode()
    for _ in range(2):
        assert post(client, url, draft_of(response), hidden_of(response)).status_code == 303
    assert stored(andrew, bayko) == ["Hello", "Mine"]


def test_text_is_kept_when_the_page_with_the_reason_fails(
    client: Client, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversations, "load_conversation", unavailable)

    response = post(client, url, "x" * 2000)

    assert (response.status_code, draft_of(response)) == (503, "x" * 2000)


def test_text_is_kept_when_signed_out(client: Client, url: str, andrew: User, bayko: User) -> None:
    form = hidden_of(client.get(url))
    client.logout()

    response = post(client, url, "Mine", form)

    assert (response.status_code, draft_of(response), hidden_of(response)) == (403, "Mine", form)
    assert "You are signed out" in text_of(response)
    assert stored(andrew, bayko) == ["Hello"]


def test_text_is_kept_when_the_csrf_token_expired(url: str, andrew: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(andrew)
    form = hidden_of(client.get(url))

    response = post(client, url, "Mine", form)

    assert (response.status_code, draft_of(response), hidden_of(response)) == (403, "Mine", form)


@pytest.mark.parametrize(
    "header", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}]
)
def test_text_posted_by_another_site_is_not_kept(url: str, andrew: User, header: dict[str, str]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(andrew)

    response = post(client, url, "Send me money", headers={"Accept": "text/html", **header})

    assert response.status_code == 403
    assert "Send me money" not in response.content.decode()


def test_outsiders_get_the_response_of_a_missing_conversation(client: Client, url: str, londo: User) -> None:
    client.force_login(londo)

    for text in ("Mine", ""):
        outsider, nothing = post(client, url, text), post(client, f"/messages/{uuid4()}", text)

        assert (outsider.status_code, nothing.status_code) == (404, 404)
        assert without_nonce(outsider) == without_nonce(nothing)


def test_script_gets_json(client: Client, url: str, andrew: User, bayko: User) -> None:
    sent = post(client, url, "Mine", headers=SCRIPT)
    refused = post(client, url, " ", headers=SCRIPT)

    assert sent.status_code == 201
    assert sent.json()["seq"] == 2
    assert (refused.status_code, refused.json()) == (422, {"error": "message_blank"})


def test_reading_does_not_write_the_session(
    client: Client, url: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    post(client, url, "Mine")

    with django_assert_num_queries(3) as queries:
        client.get("/messages")

    assert all(query["sql"].startswith("SELECT") for query in queries.captured_queries)


def test_log_does_not_contain_the_text(client: Client, url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    secret = "between you and me"

    for text in (secret, secret * 100, f"{secret}\u200b"):
        post(client, url, text)
    client.post(url, {"message": secret})

    assert "/messages/" in caplog.text
    assert secret not in caplog.text


def test_script_gets_a_fresh_token_and_the_user(client: Client, url: str, andrew: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(andrew)
    expired = post(strict, url, "Mine", headers=SCRIPT)
    fresh = strict.get("/messages/token", headers=SCRIPT)

    assert (expired.status_code, expired.json()) == (403, {"error": "csrf"})
    assert fresh.json()["user"] == str(andrew.uuid)
    assert "no-store" in fresh["Cache-Control"]
    assert post(strict, url, "Mine", headers={**SCRIPT, "X-CSRFToken": fresh.json()["token"]}).status_code == 201


def test_token_requires_sign_in(client: Client) -> None:
    refused = client.get("/messages/token", headers=SCRIPT)

    assert (refused.status_code, refused.json()) == (403, {"error": "signed_out"})


def test_script_gets_version_and_html_after_send_edit_and_delete(client: Client, delivery: Delivery) -> None:
    url = f"/messages/{delivery.message.group_uuid}"
    sent = post(client, url, "Hi", headers=SCRIPT).json()
    message = f"{url}/{sent['created_at']}"
    edited = client.post(f"{message}/edit", {"message": "Hi there"}, headers=SCRIPT).json()
    deleted = client.post(f"{message}/delete", headers=SCRIPT).json()

    assert [answer["version"] for answer in (sent, edited, deleted)] == [2, 3, 4]
    assert "Hi" in sent["html"]
    assert "Hi there" in edited["html"]
    assert "message--deleted" in deleted["html"]
    assert all("message--own" in answer["html"] for answer in (sent, edited, deleted))


def test_repeated_send_returns_current_version_and_text(client: Client, delivery: Delivery) -> None:
    url = f"/messages/{delivery.message.group_uuid}"
    fields = {"message_uuid": str(uuid4()), "after": delivery.message.created_at}
    sent = post(client, url, "Hi", fields, headers=SCRIPT).json()
    client.post(f"{url}/{sent['created_at']}/edit", {"message": "Hi there"}, headers=SCRIPT)

    again = post(client, url, "Hi", fields, headers=SCRIPT).json()

    assert (again["seq"], again["version"]) == (sent["seq"], 3)
    assert "Hi there" in again["html"]
