"""What pages say for their script, the list by itself, typing, and the answers that a script gets."""

from __future__ import annotations

from uuid import uuid4
from xml.etree.ElementTree import Element

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from messaging.dynamodb.table import MessageTable
from messaging.operations.capacity import patterns
from messaging.queries import conversations
from messaging.queries.conversations import Delivery
from messaging.realtime import publish
from messaging.realtime import typing as live_typing
from tests import html
from tests.conftest import Calls
from tests.messaging.pages import SCRIPT, conversations_of, post
from users.models import User


@pytest.fixture(autouse=True)
def _no_memory() -> None:
    live_typing.forget()


@pytest.fixture
def talk(moto_table: MessageTable, andrew: User, bayko: User, client: Client) -> Delivery:
    client.force_login(bayko)
    return conversations.start(
        user_uuid=andrew.uuid, other_uuid=bayko.uuid, text="Hello", message_uuid=uuid4(), now=timezone.now()
    )


def attributes(element: Element) -> dict[str, str]:
    """The data attributes of an element, without that prefix."""
    return {name.removeprefix("data-"): value for name, value in element.items() if name.startswith("data-")}


def test_a_thread_says_what_it_knows(client: Client, talk: Delivery, bayko: User) -> None:
    url = f"/messages/{talk.message.group_uuid}"
    page = html.parse(client.get(url).text)

    (body,) = page.iterfind(".//body")
    assert attributes(body) == {"user": str(bayko.uuid), "stream-url": "/messages/stream"}
    log = attributes(html.with_class(page, "thread__log")[0])
    assert log == log | {
        "group": str(talk.message.group_uuid), "version": "1", "last-seq": "1", "newest": talk.message.created_at,
        "read-seq": "0", "read-url": f"{url}/read", "sync-url": f"{url}/since", "typing-url": f"{url}/typing",
        "at-end": "",
    }  # fmt: skip


def test_the_list_says_what_it_knows(client: Client, talk: Delivery) -> None:
    row = attributes(html.with_class(html.parse(client.get("/messages").text), "conversation")[0])

    assert row == row | {"group": str(talk.message.group_uuid), "last-seq": "1", "read-seq": "0", "sent-seq": "0"}


def test_the_list_comes_by_itself_in_one_call(
    client: Client,
    talk: Delivery,
    calls: Calls,
    moto_table: MessageTable,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with calls.counted(moto_table.client), django_assert_num_queries(3):
        answer = client.get("/messages/rows")

    assert calls.operations == [*patterns.LIST.calls]
    assert conversations_of(answer) == ["Andrew Brown"]
    assert answer["X-Unread"] == "1"
    assert "<html" not in answer.content.decode()


def test_the_open_conversation_counts_as_being_read(client: Client, talk: Delivery) -> None:
    answer = client.get(f"/messages/rows?current={talk.message.group_uuid}")

    assert answer["X-Unread"] == "0"
    assert 'aria-current="page"' in answer.content.decode()


def test_an_own_send_that_the_list_lacks_is_laid_over_it(client: Client, talk: Delivery) -> None:
    post(client, f"/messages/{talk.message.group_uuid}", "Not projected yet")

    assert "Not projected yet" in client.get("/messages/rows").content.decode()


def test_what_is_no_conversation_is_not_found(client: Client, talk: Delivery) -> None:
    assert client.get("/messages/rows?current=nonsense").status_code == 404


# --- Typing -----------------------------------------------------------------------------------------------------------


def test_typing_asks_dynamodb_once_and_tells_it_every_three_seconds(
    client: Client, talk: Delivery, calls: Calls, moto_table: MessageTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []
    monkeypatch.setattr(publish, "typing", lambda **said: told.append(said))
    now = [1000.0]
    for recent in (live_typing._members, live_typing._told):
        monkeypatch.setattr(recent, "_clock", lambda: now[0])
    with calls.counted(moto_table.client):
        for _ in range(30):
            now[0] += 0.5
            assert client.post(f"/messages/{talk.message.group_uuid}/typing").status_code == 204

    assert calls.operations == ["GetItem"]
    assert len(told) == 5


def test_typing_asks_nothing_where_the_page_has_just_caught_up(
    client: Client, talk: Delivery, calls: Calls, moto_table: MessageTable
) -> None:
    url = f"/messages/{talk.message.group_uuid}"
    client.get(f"{url}/since?version=1&after={talk.message.created_at.replace('+', '%2B')}&first=")
    with calls.counted(moto_table.client):
        client.post(f"{url}/typing")

    assert calls.operations == []


def test_outsiders_type_nowhere(client: Client, talk: Delivery, londo: User) -> None:
    client.force_login(londo)

    for group in (talk.message.group_uuid, uuid4()):
        assert client.post(f"/messages/{group}/typing").status_code == 404


def test_typing_is_posted(client: Client, talk: Delivery) -> None:
    assert client.get(f"/messages/{talk.message.group_uuid}/typing").status_code == 405


# --- Answers for a script ---------------------------------------------------------------------------------------------


def test_a_script_gets_version_and_message_after_send_edit_and_delete(client: Client, talk: Delivery) -> None:
    url = f"/messages/{talk.message.group_uuid}"
    sent = post(client, url, "Hi", headers=SCRIPT).json()
    message = f"{url}/{sent['created_at']}"
    edited = client.post(f"{message}/edit", {"message": "Hi there"}, headers=SCRIPT).json()
    deleted = client.post(f"{message}/delete", headers=SCRIPT).json()

    assert [answer["version"] for answer in (sent, edited, deleted)] == [2, 3, 4]
    assert "Hi" in sent["html"]
    assert "Hi there" in edited["html"]
    assert "message--deleted" in deleted["html"]
    assert all("message--own" in answer["html"] for answer in (sent, edited, deleted))


def test_a_repeated_send_answers_with_the_version_and_text_of_now(client: Client, talk: Delivery) -> None:
    url = f"/messages/{talk.message.group_uuid}"
    fields = {"message_uuid": str(uuid4()), "after": talk.message.created_at}
    sent = post(client, url, "Hi", fields, headers=SCRIPT).json()
    client.post(f"{url}/{sent['created_at']}/edit", {"message": "Hi there"}, headers=SCRIPT)

    again = post(client, url, "Hi", fields, headers=SCRIPT).json()

    assert (again["seq"], again["version"]) == (sent["seq"], 3)
    assert "Hi there" in again["html"]
