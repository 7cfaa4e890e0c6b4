"""Marking a conversation as read."""

from __future__ import annotations

from urllib.parse import quote, urldefrag

import pytest
from django.test import Client

from messaging.domain.entities import Message
from messaging.dynamodb.table import MessageTable
from tests import html
from tests.messaging.pages import group_of
from tests.messaging.talk import entry_of
from users.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def url(andrew: User, bayko: User) -> str:
    return f"/messages/{group_of(andrew, bayko)}"


def read_seq(table: MessageTable, andrew: User, bayko: User) -> int:
    return entry_of(table, andrew.uuid, group_of(andrew, bayko)).read_seq


def test_loading_without_script_marks_read_and_shows_what_was_new(
    client: Client, url: str, written: list[Message], andrew: User, bayko: User, moto_table: MessageTable
) -> None:
    client.force_login(andrew)

    response = client.get(url)

    assert 'id="new"' in response.content.decode()
    assert read_seq(moto_table, andrew, bayko) == 50
    assert 'id="new"' not in client.get(url).content.decode()


@pytest.mark.parametrize("header", ["Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"])
def test_prefetch_marks_nothing_read(
    client: Client, url: str, written: list[Message], andrew: User, bayko: User, moto_table: MessageTable, header: str
) -> None:
    client.force_login(andrew)

    client.get(url, headers={header: "prefetch;prerender"})

    assert read_seq(moto_table, andrew, bayko) == 0


def test_older_window_and_head_request_mark_nothing_read(
    client: Client, url: str, written: list[Message], andrew: User, bayko: User, moto_table: MessageTable
) -> None:
    client.force_login(andrew)

    client.get(f"{url}?before={quote(written[30].created_at)}")
    client.head(url)

    assert read_seq(moto_table, andrew, bayko) == 0


def test_loading_with_script_leaves_marking_read_to_the_script(
    reader: Client, url: str, written: list[Message], andrew: User, bayko: User, moto_table: MessageTable
) -> None:
    reader.get(url)
    assert read_seq(moto_table, andrew, bayko) == 0

    response = reader.post(f"{url}/read", {"created_at": written[41].created_at})

    assert response.status_code == 204
    assert read_seq(moto_table, andrew, bayko) == 42


@pytest.mark.parametrize(("created_at", "status"), [("", 400), ("now", 400), ("2020-01-01T00:00:00.000000+00:00", 404)])
def test_marking_read_requires_a_message(
    reader: Client, url: str, written: list[Message], created_at: str, status: int
) -> None:
    assert reader.post(f"{url}/read", {"created_at": created_at}).status_code == status


def test_windows_are_marked_read_one_by_one_without_script(
    client: Client, url: str, unread: list[Message], andrew: User, bayko: User, moto_table: MessageTable
) -> None:
    client.force_login(andrew)
    page, read = client.get(url), []
    while True:
        read.append(entry_of(moto_table, andrew.uuid, group_of(andrew, bayko)).read_seq)
        later = html.parse(page.text).find(".//a[@data-newer]")
        if later is None:
            break
        page = client.get(urldefrag(later.attrib["href"]).url)

    assert read == [25, 45, 65]
