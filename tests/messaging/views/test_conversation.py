"""The page of a conversation."""

from __future__ import annotations

from collections import Counter
from urllib.parse import urldefrag
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from messaging.actions.send_message import Delivery
from messaging.domain.entities import Message
from messaging.dynamodb.table import MessageTable
from messaging.operations.capacity import patterns
from tests import html
from tests.conftest import Calls
from tests.cookies import COOKIES
from tests.messaging.pages import data_attributes, draft_of, group_of, hidden_of, messages_of, without_nonce
from tests.messaging.talk import send
from users.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def url(andrew: User, bayko: User) -> str:
    return f"/messages/{group_of(andrew, bayko)}"


def lines(first: int, last: int) -> list[str]:
    return [f"Line {n}" for n in range(first, last + 1)]


def test_page_shows_the_newest_messages_oldest_first(reader: Client, url: str, written: list[Message]) -> None:
    response = reader.get(url)

    assert messages_of(response) == lines(31, 50)
    assert "<title>Bayko · Cruddur Messages</title>" in response.content.decode()


def test_own_messages_differ_in_style_and_in_hidden_text(reader: Client, url: str, written: list[Message]) -> None:
    page = html.shown(reader.get(url))

    assert len(html.with_class(page, "message--own")) == 10
    hidden = Counter(html.source(each).strip() for each in html.with_class(page, "visually-hidden"))
    assert hidden['<span class="visually-hidden">You:</span>'] == 10
    assert hidden['<span class="visually-hidden"><bdi>Bayko</bdi>:</span>'] == 10


def test_links_reach_every_message_and_return(reader: Client, url: str, written: list[Message]) -> None:
    seen: list[str] = []
    page = reader.get(url)
    while True:
        seen = messages_of(page) + seen
        older = html.parse(page.text).find(".//a[@data-earlier]")
        if older is None:
            break
        page = reader.get(older.attrib["href"])
    assert seen == lines(1, 50)

    (later,) = html.attributes(html.parse(page.text), ".//a[@data-newer]", "href")
    assert later.endswith("#oldest")
    assert messages_of(reader.get(urldefrag(later).url)) == lines(11, 30)
    assert f'<a class="jump button" href="{url}?newest#newest"' in page.content.decode()


def test_around_shows_the_messages_before_and_after(reader: Client, url: str, written: list[Message]) -> None:
    response = reader.get(url, {"around": written[24].created_at})

    assert "Line 25" in messages_of(response)
    assert len(messages_of(response)) == 20


def test_page_costs_what_its_pattern_says(
    reader: Client,
    url: str,
    written: list[Message],
    moto_table: MessageTable,
    calls: Calls,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with calls.counted(moto_table.client), django_assert_num_queries(3):
        reader.get(url)

    assert sorted(calls.operations) == [*patterns.THREAD_PAGE.calls]


def test_earlier_messages_cost_two_calls(
    reader: Client,
    url: str,
    written: list[Message],
    moto_table: MessageTable,
    calls: Calls,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with calls.counted(moto_table.client), django_assert_num_queries(3):
        response = reader.get(f"{url}/messages", {"before": written[30].created_at})

    assert sorted(calls.operations) == ["BatchGetItem", "Query"]
    assert messages_of(response) == lines(11, 30)
    assert "<html" not in response.content.decode()


def test_divider_marks_the_first_new_message(
    reader: Client, url: str, written: list[Message], andrew: User, bayko: User, moto_table: MessageTable
) -> None:
    reader.post(f"{url}/read", {"created_at": written[47].created_at})
    send(by=bayko.uuid, group=group_of(andrew, bayko), text="Line 51", now=timezone.now())

    html = reader.get(url).content.decode()

    above, below = html.split('<li class="new row" id="new"><h3>2 new</h3></li>')
    assert ">Line 49</p>" in above
    assert ">Line 50</p>" in below


def test_outsiders_see_the_page_of_a_missing_conversation(
    reader: Client, url: str, written: list[Message], londo: User
) -> None:
    reader.force_login(londo)

    outsider, nothing = reader.get(url), reader.get(f"/messages/{uuid4()}")

    assert (outsider.status_code, nothing.status_code) == (404, 404)
    assert without_nonce(outsider) == without_nonce(nothing)
    for path in ("messages", "read"):
        method = reader.get if path == "messages" else reader.post
        assert method(f"{url}/{path}", {"created_at": written[0].created_at}).status_code == 404


@pytest.mark.parametrize("cursor", ["before", "after", "around"])
def test_invalid_cursor_is_not_found(reader: Client, url: str, written: list[Message], cursor: str) -> None:
    assert reader.get(url, {cursor: "yesterday"}).status_code == 404


def test_texts_are_escaped_and_keep_their_line_breaks(
    reader: Client, url: str, written: list[Message], andrew: User, bayko: User
) -> None:
    text = "  <script>alert(1)</script>\n\nhttps://x.example/?a=1&b=2 "
    send(by=bayko.uuid, group=group_of(andrew, bayko), text=text, now=timezone.now())

    response = reader.get(url)

    assert messages_of(response)[-1] == text
    assert "<script>alert" not in response.content.decode()
    link = '<a href="https://x.example/?a=1&amp;b=2" rel="noopener noreferrer nofollow" dir="ltr">'
    assert link in response.content.decode()


def test_composer_has_the_newest_created_at_and_a_new_uuid(reader: Client, url: str, written: list[Message]) -> None:
    first, second = (hidden_of(reader.get(url)) for _ in range(2))

    assert first["after"] == written[-1].created_at
    assert first["message_uuid"] != second["message_uuid"]
    assert draft_of(reader.get(url)) == ""


def test_times_are_in_the_time_zone_of_the_reader(
    reader: Client, url: str, written: list[Message], moto_table: MessageTable
) -> None:
    reader.cookies[COOKIES.timezone] = "Asia/Kathmandu"

    assert "+05:45" in reader.get(url).content.decode()
    reader.cookies[COOKIES.timezone] = "../etc/passwd"
    assert "+00:00" in reader.get(url).content.decode()


def test_list_marks_the_open_conversation(reader: Client, url: str, written: list[Message]) -> None:
    html = reader.get(url).content.decode()

    assert f'href="{url}" aria-current="page"><bdi>Bayko</bdi></a>' in html
    assert "conversation--unread" not in html


def test_page_opens_at_the_first_unread_message_with_two_queries(
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


def test_jump_shows_the_newest_messages(reader: Client, url: str, unread: list[Message]) -> None:
    assert f'href="{url}?newest#newest"' in reader.get(url).content.decode()
    assert messages_of(reader.get(f"{url}?newest")) == lines(46, 65)


def test_later_messages_cost_two_calls(
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


def test_page_has_its_state_in_data_attributes(client: Client, delivery: Delivery, bayko: User) -> None:
    url = f"/messages/{delivery.message.group_uuid}"
    page = html.parse(client.get(url).text)

    (body,) = page.iterfind(".//body")
    assert data_attributes(body) == {"user": str(bayko.uuid), "stream-url": "/messages/stream"}
    log = data_attributes(html.with_class(page, "thread__log")[0])
    assert log == log | {
        "group": str(delivery.message.group_uuid), "version": "1", "last-seq": "1",
        "newest": delivery.message.created_at,
        "read-seq": "0", "read-url": f"{url}/read", "sync-url": f"{url}/since", "typing-url": f"{url}/typing",
        "at-end": "",
    }  # fmt: skip
