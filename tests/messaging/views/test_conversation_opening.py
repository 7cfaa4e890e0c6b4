"""Where a conversation opens: at the first unread message."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urldefrag

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from messaging.actions import read as read_actions
from messaging.domain.entities import Message
from messaging.dynamodb.table import MessageTable
from tests import html
from tests.conftest import Calls
from tests.cookies import COOKIES
from tests.messaging.pages import group_of, messages_of
from tests.messaging.talk import entry_of, write_all
from users.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def url(andrew: User, bayko: User) -> str:
    return f"/messages/{group_of(andrew, bayko)}"


@pytest.fixture
def reader(client: Client, andrew: User) -> Client:
    """Andrew's browser, whose script runs."""
    client.force_login(andrew)
    client.cookies[COOKIES.timezone] = "Europe/Vienna"
    return client


def lines(first: int, last: int) -> list[str]:
    return [f"Line {n}" for n in range(first, last + 1)]


@pytest.fixture
def unread(andrew: User, bayko: User, moto_table: MessageTable) -> list[Message]:
    """65 messages of Bayko's, of which Andrew has read five."""
    now = timezone.now() - timedelta(hours=2)
    lines = [(bayko.uuid, f"Line {n}", now + timedelta(minutes=n)) for n in range(1, 66)]
    messages = write_all(moto_table, lines, members=(andrew.uuid, bayko.uuid))
    read_actions.mark_read(user_uuid=andrew.uuid, group_uuid=messages[0].group_uuid, created_at=messages[4].created_at)
    return messages


def test_it_opens_at_the_first_of_many_unread_messages_within_its_budget(
    reader: Client,
    url: str,
    unread: list[Message],
    moto_table: MessageTable,
    calls: Calls,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with calls.counted(moto_table.client), django_assert_num_queries(3):
        response = reader.get(url)

    assert sorted(calls.operations) == ["BatchGetItem", "Query", "Query"]
    assert messages_of(response) == lines(6, 25)
    divider, first = "<h3>60 new</h3></li>", ">Line 6</p>"
    html = response.content.decode()
    assert html.index(divider) < html.index(first)
    assert "Earlier messages" in html
    assert "Later messages" in html


def test_its_jump_leads_to_the_newest_messages_whatever_is_unread(
    reader: Client, url: str, unread: list[Message]
) -> None:
    assert f'href="{url}?newest#newest"' in reader.get(url).content.decode()
    assert messages_of(reader.get(f"{url}?newest")) == lines(46, 65)


def test_later_messages_alone_keep_to_their_budget(
    reader: Client,
    url: str,
    unread: list[Message],
    moto_table: MessageTable,
    calls: Calls,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with calls.counted(moto_table.client), django_assert_num_queries(3):
        response = reader.get(f"{url}/messages", {"after": unread[24].created_at})

    assert sorted(calls.operations) == ["BatchGetItem", "Query"]
    assert messages_of(response) == lines(26, 45)


def test_without_script_the_windows_from_the_first_unread_on_are_read_one_by_one(
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
