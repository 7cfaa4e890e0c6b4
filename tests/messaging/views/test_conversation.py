"""A conversation, read."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from urllib.parse import quote, urldefrag
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from messaging.domain.entities import Message
from messaging.dynamodb.table import MessageTable
from messaging.operations.capacity import patterns
from tests import html
from tests.conftest import Calls
from tests.cookies import COOKIES
from tests.messaging.pages import draft_of, group_of, hidden_of, messages_of, without_nonce
from tests.messaging.talk import entry_of, send, write_all
from users.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def written(andrew: User, bayko: User, moto_table: MessageTable) -> list[Message]:
    """50 messages, Andrew and Bayko in turns, a minute apart, the last one Bayko's."""
    now = timezone.now() - timedelta(hours=2)
    people = (bayko.uuid, andrew.uuid)
    lines = [(people[n % 2], f"Line {n}", now + timedelta(minutes=n)) for n in range(1, 51)]
    return write_all(moto_table, lines, members=people)


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


def test_it_shows_the_newest_messages_oldest_first(reader: Client, url: str, written: list[Message]) -> None:
    response = reader.get(url)

    assert messages_of(response) == lines(31, 50)
    assert "<title>Bayko · Cruddur Messages</title>" in response.content.decode()


def test_it_tells_own_and_others_messages_apart_in_look_and_in_words(
    reader: Client, url: str, written: list[Message]
) -> None:
    page = html.shown(reader.get(url))

    assert len(html.with_class(page, "message--own")) == 10
    hidden = Counter(html.source(each).strip() for each in html.with_class(page, "visually-hidden"))
    assert hidden['<span class="visually-hidden">You:</span>'] == 10
    assert hidden['<span class="visually-hidden"><bdi>Bayko</bdi>:</span>'] == 10


def test_it_reaches_every_message_by_link_and_comes_back(reader: Client, url: str, written: list[Message]) -> None:
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


def test_it_shows_what_lies_around_a_message(reader: Client, url: str, written: list[Message]) -> None:
    response = reader.get(url, {"around": written[24].created_at})

    assert "Line 25" in messages_of(response)
    assert len(messages_of(response)) == 20


def test_it_keeps_to_its_budget(
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


def test_earlier_messages_alone_keep_to_theirs(
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


def test_it_marks_where_the_new_messages_begin(
    reader: Client, url: str, written: list[Message], andrew: User, bayko: User, moto_table: MessageTable
) -> None:
    reader.post(f"{url}/read", {"created_at": written[47].created_at})
    send(by=bayko.uuid, group=group_of(andrew, bayko), text="Line 51", now=timezone.now())

    html = reader.get(url).content.decode()

    above, below = html.split('<li class="new row" id="new"><h3>2 new</h3></li>')
    assert ">Line 49</p>" in above
    assert ">Line 50</p>" in below


def test_it_looks_the_same_to_outsiders_as_what_does_not_exist(
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
def test_it_answers_404_for_what_is_no_cursor(reader: Client, url: str, written: list[Message], cursor: str) -> None:
    assert reader.get(url, {cursor: "yesterday"}).status_code == 404


def test_it_escapes_texts_and_keeps_their_lines(
    reader: Client, url: str, written: list[Message], andrew: User, bayko: User
) -> None:
    text = "  <script>alert(1)</script>\n\nhttps://x.example/?a=1&b=2 "
    send(by=bayko.uuid, group=group_of(andrew, bayko), text=text, now=timezone.now())

    response = reader.get(url)

    assert messages_of(response)[-1] == text
    assert "<script>alert" not in response.content.decode()
    link = '<a href="https://x.example/?a=1&amp;b=2" rel="noopener noreferrer nofollow" dir="ltr">'
    assert link in response.content.decode()


def test_its_form_knows_the_newest_message_and_has_a_uuid_of_its_own(
    reader: Client, url: str, written: list[Message]
) -> None:
    first, second = (hidden_of(reader.get(url)) for _ in range(2))

    assert first["after"] == written[-1].created_at
    assert first["message_uuid"] != second["message_uuid"]
    assert draft_of(reader.get(url)) == ""


# --- Reading ----------------------------------------------------------------------------------------------------------


def read_seq(table: MessageTable, andrew: User, bayko: User) -> int:
    return entry_of(table, andrew.uuid, group_of(andrew, bayko)).read_seq


def test_loading_it_marks_it_read_without_script_and_shows_what_was_new(
    client: Client, url: str, written: list[Message], andrew: User, bayko: User, moto_table: MessageTable
) -> None:
    client.force_login(andrew)

    response = client.get(url)

    assert 'id="new"' in response.content.decode()
    assert read_seq(moto_table, andrew, bayko) == 50
    assert 'id="new"' not in client.get(url).content.decode()


@pytest.mark.parametrize("header", ["Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"])
def test_a_prefetch_marks_nothing_read(
    client: Client, url: str, written: list[Message], andrew: User, bayko: User, moto_table: MessageTable, header: str
) -> None:
    client.force_login(andrew)

    client.get(url, headers={header: "prefetch;prerender"})

    assert read_seq(moto_table, andrew, bayko) == 0


def test_an_older_window_or_a_head_request_marks_nothing_read(
    client: Client, url: str, written: list[Message], andrew: User, bayko: User, moto_table: MessageTable
) -> None:
    client.force_login(andrew)

    client.get(f"{url}?before={quote(written[30].created_at)}")
    client.head(url)

    assert read_seq(moto_table, andrew, bayko) == 0


def test_with_script_loading_marks_nothing_and_the_script_does(
    reader: Client, url: str, written: list[Message], andrew: User, bayko: User, moto_table: MessageTable
) -> None:
    reader.get(url)
    assert read_seq(moto_table, andrew, bayko) == 0

    response = reader.post(f"{url}/read", {"created_at": written[41].created_at})

    assert response.status_code == 204
    assert read_seq(moto_table, andrew, bayko) == 42


@pytest.mark.parametrize(("created_at", "status"), [("", 400), ("now", 400), ("2020-01-01T00:00:00.000000+00:00", 404)])
def test_marking_read_needs_a_message(
    reader: Client, url: str, written: list[Message], created_at: str, status: int
) -> None:
    assert reader.post(f"{url}/read", {"created_at": created_at}).status_code == status


def test_times_and_days_are_the_readers(
    reader: Client, url: str, written: list[Message], moto_table: MessageTable
) -> None:
    reader.cookies[COOKIES.timezone] = "Asia/Kathmandu"

    assert "+05:45" in reader.get(url).content.decode()
    reader.cookies[COOKIES.timezone] = "../etc/passwd"
    assert "+00:00" in reader.get(url).content.decode()


def test_the_open_conversation_is_marked_in_the_list(reader: Client, url: str, written: list[Message]) -> None:
    html = reader.get(url).content.decode()

    assert f'href="{url}" aria-current="page"><bdi>Bayko</bdi></a>' in html
    assert "conversation--unread" not in html
