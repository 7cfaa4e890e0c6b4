"""Blocking and unblocking a user."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from messaging.actions import block as block_actions
from messaging.dynamodb.table import MessageTable
from messaging.queries import conversations
from messaging.realtime import typing as live_typing
from tests.messaging.pages import (
    SCRIPT,
    conversations_of,
    draft_of,
    group_of,
    html_of,
    messages_of,
    post,
    text_of,
)
from users.models import NOBODY, User

pytestmark = pytest.mark.django_db


REFUSED = "Not sent: nothing can be written in this conversation."


def block(client: Client, person: User) -> Any:
    return client.post(f"/messages/people/{person.uuid}/block")


def test_blocking_asks_for_confirmation_and_shows_on_every_page(
    of_andrew: Client, andrew: User, bayko: User, conversation_url: str, published: list[Any]
) -> None:
    question = of_andrew.get(f"/messages/people/{bayko.uuid}/block")
    assert "Block Bayko ?" in text_of(question)

    answer = block(of_andrew, bayko)

    assert (answer.status_code, answer["Location"]) == (303, conversation_url)
    assert "You have blocked Bayko . Neither of you can write here. Unblock" in text_of(of_andrew.get(conversation_url))
    assert conversations_of(of_andrew.get("/messages")) == []
    assert "You have blocked Bayko ." in text_of(of_andrew.get("/@bayko"))
    assert "Unblock" in text_of(of_andrew.get("/settings"))
    assert [event.members for event in published] == [{andrew.uuid}]


def test_rejection_does_not_say_who_blocked(
    of_andrew: Client, of_bayko: Client, andrew: User, bayko: User, conversation_url: str
) -> None:
    block(of_andrew, bayko)

    answer = post(of_bayko, conversation_url, "Still there?")

    assert answer.status_code == 403
    assert REFUSED in text_of(answer)
    assert draft_of(answer) == "Still there?"
    assert messages_of(of_bayko.get(conversation_url)) == ["Hello", "Hi"]
    assert conversations_of(of_bayko.get("/messages")) == ["Andrew Brown"]
    assert "blocked" not in text_of(of_bayko.get(conversation_url))


def test_blocked_and_closed_recipients_look_the_same(
    of_andrew: Client, of_bayko: Client, andrew: User, bayko: User, moto_table: MessageTable
) -> None:
    block(of_andrew, bayko)
    blocked = post(of_bayko, "/messages/new/andrewbrown", "Hello")
    of_andrew.post(f"/messages/people/{bayko.uuid}/unblock")
    of_andrew.post("/settings/privacy", {"may_write": NOBODY})
    closed = post(of_bayko, "/messages/new/andrewbrown", "Hello")

    for answer in (blocked, closed):
        assert answer.status_code == 403
        assert REFUSED in text_of(answer)
        assert draft_of(answer) == "Hello"
    scripted = [post(of_bayko, "/messages/new/andrewbrown", "Hello", headers=SCRIPT)]
    block(of_andrew, bayko)
    scripted.append(post(of_bayko, "/messages/new/andrewbrown", "Hello", headers=SCRIPT))
    assert scripted[0].content == scripted[1].content


def test_stranger_can_be_blocked_from_their_profile(
    of_andrew: Client, of_bayko: Client, andrew: User, bayko: User
) -> None:
    assert f"/messages/people/{bayko.uuid}/block" in html_of(of_andrew.get("/@bayko"))

    assert block(of_andrew, bayko)["Location"] == "/@bayko"

    for client, handle in ((of_andrew, "bayko"), (of_bayko, "andrewbrown")):
        assert client.get(f"/messages/{group_of(andrew, bayko)}").status_code == 404
        assert client.get(f"/messages/new/{handle}").status_code == 200
    assert "blocked" not in text_of(of_bayko.get("/@andrewbrown"))


def test_unblocking_redirects_back_and_lets_both_write(
    of_andrew: Client, of_bayko: Client, bayko: User, conversation_url: str
) -> None:
    block(of_andrew, bayko)
    answer = of_andrew.post(f"/messages/people/{bayko.uuid}/unblock", {"next": "/settings#blocked"})

    assert answer["Location"] == "/settings#blocked"
    assert conversations_of(of_andrew.get("/messages")) == ["Bayko"]
    assert post(of_bayko, conversation_url, "Thanks").status_code == 303
    assert "Nobody. You can block" in text_of(of_andrew.get("/settings"))


@pytest.mark.parametrize("whom", ["oneself", "nobody"])
def test_oneself_and_unknown_users_cannot_be_blocked(of_andrew: Client, andrew: User, whom: str) -> None:
    uuid = andrew.uuid if whom == "oneself" else uuid4()
    assert of_andrew.get(f"/messages/people/{uuid}/block").status_code == 404
    assert of_andrew.post(f"/messages/people/{uuid}/block").status_code == 404


def test_no_event_reaches_the_other_while_one_blocks(
    of_andrew: Client, of_bayko: Client, andrew: User, bayko: User, conversation_url: str, published: list[Any]
) -> None:
    of_bayko.post(f"{conversation_url}/typing")
    block(of_andrew, bayko)
    published.clear()
    live_typing._told.clear()
    thread = conversations.load_conversation(user_uuid=bayko.uuid, group_uuid=group_of(andrew, bayko))
    first, own = thread.messages

    of_bayko.post(f"{conversation_url}/typing")
    of_bayko.post(f"{conversation_url}/read", {"created_at": first.created_at})
    of_andrew.post(f"{conversation_url}/read", {"created_at": own.created_at})
    of_bayko.post(f"{conversation_url}/{own.created_at}/delete")

    assert [(type(event).__name__, set(event.members)) for event in published] == [
        ("Read", {bayko.uuid}),
        ("Read", {andrew.uuid}),
        ("MessageEdited", {bayko.uuid}),
    ]


def test_recent_send_does_not_list_a_blocked_conversation(
    of_andrew: Client, bayko: User, conversation_url: str
) -> None:
    post(of_andrew, conversation_url, "One more")
    block(of_andrew, bayko)
    assert conversations_of(of_andrew.get("/messages")) == []


def test_deleted_user_stays_in_the_list_of_blocked_users(of_andrew: Client, andrew: User, bayko: User) -> None:
    block_actions.block(user_uuid=andrew.uuid, other_uuid=bayko.uuid, now=timezone.now())
    bayko.delete()
    assert "Deleted user" in text_of(of_andrew.get("/settings"))
