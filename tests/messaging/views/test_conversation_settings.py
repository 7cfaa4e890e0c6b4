"""Mute, archive and mark unread."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from messaging.dynamodb.table import MessageTable
from messaging.queries import conversations
from tests.conftest import Calls
from tests.messaging.pages import (
    browser,
    conversations_of,
    group_of,
    html_of,
    post,
)
from users.models import User

pytestmark = pytest.mark.django_db


def test_muted_conversation_shows_its_count_without_adding_to_the_total(
    of_bayko: Client, of_andrew: Client, andrew: User, bayko: User, conversation_url: str, published: list[Any]
) -> None:
    assert of_andrew.get(f"{conversation_url}/alert").json() == {"alert": True}
    assert of_andrew.post(f"{conversation_url}/mute", {"for": "day"})["Location"] == conversation_url

    page = of_andrew.get("/messages")
    assert '<span class="badge badge--quiet" aria-hidden="true">1</span>' in html_of(page)
    assert page.context["unread"] == 0
    assert of_andrew.get(f"{conversation_url}/alert").json() == {"alert": False}
    assert [event.members for event in published] == [{andrew.uuid}]

    of_andrew.post(f"{conversation_url}/mute", {"for": "off"})
    assert of_andrew.get("/messages").context["unread"] == 1
    assert of_andrew.post(f"{conversation_url}/mute", {"for": "ever"}).status_code == 400


def test_archived_conversation_moves_to_the_archive(of_andrew: Client, conversation_url: str) -> None:
    assert of_andrew.post(f"{conversation_url}/archive")["Location"] == "/messages"
    post(of_andrew, conversation_url, "Still here")

    assert conversations_of(of_andrew.get("/messages")) == []
    assert conversations_of(of_andrew.get("/messages/archived")) == ["Bayko"]
    assert of_andrew.get(f"{conversation_url}/alert").json() == {"alert": False}

    of_andrew.post(f"{conversation_url}/archive", {"to": "inbox"})
    assert conversations_of(of_andrew.get("/messages")) == ["Bayko"]


def test_marking_unread_tells_own_tabs(
    of_andrew: Client, andrew: User, bayko: User, conversation_url: str, published: list[Any]
) -> None:
    newest = conversations.load_conversation(user_uuid=andrew.uuid, group_uuid=group_of(andrew, bayko)).messages[-1]
    of_andrew.post(f"{conversation_url}/read", {"created_at": newest.created_at})
    published.clear()

    assert of_andrew.post(f"{conversation_url}/unread")["Location"] == "/messages"

    assert [(event.members, event.read_seq) for event in published] == [({andrew.uuid}, 1)]
    assert of_andrew.get("/messages").context["unread"] == 1


@pytest.mark.parametrize("path", ["mute", "archive", "unread", "answer"])
def test_settings_are_not_found_for_outsiders(londo: User, conversation_url: str, path: str) -> None:
    fields = {"for": "day", "answer": "accept"}
    assert browser(londo).post(f"{conversation_url}/{path}", fields).status_code == 404
    assert browser(londo).get(f"{conversation_url}/options").status_code == 404
    assert browser(londo).get(f"{conversation_url}/alert").json() == {"alert": False}


@pytest.mark.parametrize("path", ["mute", "archive", "unread", "answer"])
def test_settings_reject_get(of_andrew: Client, conversation_url: str, path: str) -> None:
    assert of_andrew.get(f"{conversation_url}/{path}").status_code == 405


def test_archive_and_requests_cost_one_call_each(
    of_andrew: Client, conversation_url: str, moto_table: MessageTable, calls: Calls
) -> None:
    for path in ("/messages/requests", "/messages/archived"):
        with calls.counted(moto_table.client):
            assert of_andrew.get(path).status_code == 200
        assert calls.operations == ["Query"]


def test_invalid_cursor_of_a_folder_is_not_found(of_andrew: Client) -> None:
    for path in ("/messages/requests", "/messages/archived"):
        assert of_andrew.get(f"{path}?before=x").status_code == 404
