"""The list of conversations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from messaging.actions.send_message import Delivery
from messaging.dynamodb.table import MessageTable
from messaging.operations.capacity import patterns
from tests import html
from tests.conftest import Calls
from tests.messaging.pages import conversations_of, data_attributes, group_of, post, text_of
from tests.messaging.talk import drain, send, start
from users.models import User

pytestmark = pytest.mark.django_db
# No two that look alike: those cannot both be taken.
HANDLES = [a + b for a in "abcde" for b in "fghkp"]
NOW = datetime(2026, 11, 21, 9, 5, tzinfo=UTC)


def older_of(response: Any) -> list[str]:
    """Return the address of the earlier page, if there is one."""
    links = html.attributes(html.parse(response.text), ".//a[@href]", "href")
    return [link for link in links if link.startswith("/messages?before=")]


def many(andrew: User, table: MessageTable, count: int) -> list[User]:
    """Create users who have written to Andrew, the most recent last."""
    people = [
        User.objects.create_user(handle=f"person_{HANDLES[n]}", display_name=f"Person {n}", cognito_user_id=f"s{n}")
        for n in range(count)
    ]
    began = timezone.now() - timedelta(hours=1)
    for n, person in enumerate(people):
        start(by=person.uuid, to=andrew.uuid, now=began + timedelta(minutes=n))
    drain(table)
    return people


def test_list_requires_sign_in(client: Client) -> None:
    response = client.get("/messages")

    assert (response.status_code, response["Location"]) == (302, "/?next=/messages")


def test_list_is_newest_first_with_unread_counts_and_previews(
    client: Client, andrew: User, bayko: User, londo: User, moto_table: MessageTable
) -> None:
    start(by=bayko.uuid, to=andrew.uuid, text="One <b>")
    send(by=bayko.uuid, group=group_of(andrew, bayko), text="Two <b>")
    start(by=andrew.uuid, to=londo.uuid, text="Mine", now=NOW + timedelta(hours=1))
    drain(moto_table)
    client.force_login(andrew)

    response = client.get("/messages")

    assert conversations_of(response) == ["Londo", "Bayko"]
    assert "<title>(2) Messages · Cruddur Messages</title>" in response.content.decode()
    assert "Bayko , 2 unread" in text_of(response)
    assert "You: Mine" in text_of(response)
    assert "Two &lt;b&gt;" in response.content.decode()
    assert f'href="/messages/{group_of(andrew, bayko)}#new"' in response.content.decode()
    assert f'href="/messages/{group_of(andrew, londo)}"' in response.content.decode()


def test_empty_list_says_so(client: Client, andrew: User, moto_table: MessageTable) -> None:
    client.force_login(andrew)

    response = client.get("/messages")

    assert "It is very quiet in here" in text_of(response)


def test_list_costs_what_its_pattern_says(
    client: Client,
    andrew: User,
    moto_table: MessageTable,
    calls: Calls,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    many(andrew, moto_table, 5)
    client.force_login(andrew)

    with calls.counted(moto_table.client), django_assert_num_queries(3):
        client.get("/messages")

    assert calls.operations == [*patterns.LIST.calls]


def test_links_reach_every_page_and_return(client: Client, andrew: User, moto_table: MessageTable) -> None:
    people = many(andrew, moto_table, 23)
    client.force_login(andrew)

    first = client.get("/messages")
    (older,) = older_of(first)
    second = client.get(older)

    names = [person.display_name for person in reversed(people)]
    assert (conversations_of(first), conversations_of(second)) == (names[:20], names[20:])
    assert "Earlier conversations" not in text_of(second)
    assert '<a class="button" href="/messages">Newest conversations</a>' in second.content.decode()


@pytest.mark.parametrize("cursor", ["x", "2026-11-21", "2026-11-21T09:05:00.000000+00:00_x"])
def test_invalid_cursor_is_not_found(client: Client, andrew: User, moto_table: MessageTable, cursor: str) -> None:
    client.force_login(andrew)

    assert client.get("/messages", {"before": cursor}).status_code == 404


def test_own_message_is_on_top_while_the_index_lags(
    client: Client, andrew: User, bayko: User, londo: User, moto_table: MessageTable
) -> None:
    now = timezone.now()
    start(by=bayko.uuid, to=andrew.uuid, text="Old", now=now - timedelta(hours=2))
    start(by=londo.uuid, to=andrew.uuid, text="Newer", now=now - timedelta(hours=1))
    drain(moto_table)
    client.force_login(andrew)

    post(client, f"/messages/{group_of(andrew, bayko)}", "Just now")
    response = client.get("/messages")

    assert conversations_of(response) == ["Bayko", "Londo"]
    assert "You: Just now" in text_of(response)
    assert "Bayko , " not in text_of(response)


def test_recent_send_moves_a_conversation_from_a_later_page(
    client: Client, andrew: User, moto_table: MessageTable
) -> None:
    people = many(andrew, moto_table, 23)
    oldest = people[0]
    client.force_login(andrew)
    url = f"/messages/{group_of(andrew, oldest)}"

    post(client, url, "Just now")
    first = client.get("/messages")
    (older,) = older_of(first)
    second = client.get(older)

    assert conversations_of(first)[0] == oldest.display_name
    assert oldest.display_name not in conversations_of(second)
    assert len({*conversations_of(first), *conversations_of(second)}) == 23


def test_user_without_a_row_is_shown_as_deleted(
    client: Client, andrew: User, bayko: User, moto_table: MessageTable
) -> None:
    start(by=bayko.uuid, to=andrew.uuid)
    drain(moto_table)
    bayko.delete()
    client.force_login(andrew)

    assert conversations_of(client.get("/messages")) == ["Deleted user"]


def test_page_has_no_inline_code_and_a_strict_policy(
    client: Client, andrew: User, bayko: User, moto_table: MessageTable
) -> None:
    start(by=bayko.uuid, to=andrew.uuid)
    drain(moto_table)
    client.force_login(andrew)

    response = client.get("/messages")

    # The import map is the one inline script; its nonce is in the policy.
    assert [code.get("type") for code in html.inline_code(html.parse(response.text))] == ["importmap"]
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


def test_year_is_shown_for_messages_of_last_year(
    client: Client, andrew: User, bayko: User, moto_table: MessageTable
) -> None:
    start(by=bayko.uuid, to=andrew.uuid, now=datetime(2026, 12, 31, 23, 59, tzinfo=UTC))
    drain(moto_table)

    with time_machine.travel(datetime(2027, 1, 1, 0, 1, tzinfo=UTC)):
        client.force_login(andrew)
        response = client.get("/messages")

    assert conversations_of(response) == ["Bayko"]
    assert "Yesterday" in text_of(response)


def test_new_name_shows_on_the_next_page(client: Client, andrew: User, bayko: User, moto_table: MessageTable) -> None:
    start(by=bayko.uuid, to=andrew.uuid)
    client.force_login(andrew)
    bayko.display_name = "Bayko the Second"
    bayko.save()

    for path in ("/messages", f"/messages/{group_of(andrew, bayko)}", "/@bayko", "/messages/new?q=second"):
        assert "Bayko the Second" in text_of(client.get(path))
    assert conversations_of(client.get("/messages")) == ["Bayko the Second"]


def test_row_has_its_state_in_data_attributes(client: Client, delivery: Delivery) -> None:
    row = data_attributes(html.with_class(html.parse(client.get("/messages").text), "conversation")[0])

    assert row == row | {"group": str(delivery.message.group_uuid), "last-seq": "1", "read-seq": "0", "sent-seq": "0"}


def test_rows_alone_cost_one_call(
    client: Client,
    delivery: Delivery,
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


def test_open_conversation_counts_as_read(client: Client, delivery: Delivery) -> None:
    answer = client.get(f"/messages/rows?current={delivery.message.group_uuid}")

    assert answer["X-Unread"] == "0"
    assert 'aria-current="page"' in answer.content.decode()


def test_rows_include_a_send_that_the_index_lacks(client: Client, delivery: Delivery) -> None:
    post(client, f"/messages/{delivery.message.group_uuid}", "Not projected yet")

    assert "Not projected yet" in client.get("/messages/rows").content.decode()


def test_malformed_open_conversation_is_not_found(client: Client, delivery: Delivery) -> None:
    assert client.get("/messages/rows?current=nonsense").status_code == 404
