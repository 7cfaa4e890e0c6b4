"""The pages on which people protect themselves: blocking, requests, who may write, mute, archive, unread."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from messaging.actions import block as block_actions
from messaging.actions import conversation_settings
from messaging.dynamodb.table import MessageTable
from messaging.queries import conversations
from messaging.realtime import publish
from messaging.realtime import typing as live_typing
from tests.conftest import Calls
from tests.cookies import COOKIES
from tests.messaging.pages import (
    HTML,
    SCRIPT,
    conversations_of,
    draft_of,
    group_of,
    html_of,
    messages_of,
    post,
    text_of,
)
from tests.messaging.talk import drain, send, start
from users.models import NOBODY, User

pytestmark = pytest.mark.django_db

REFUSED = "Not sent: nothing can be written in this conversation."
WAITS = "Not sent: your first message waits to be accepted. Until then it stays the only one."


def browser(person: User) -> Client:
    client = Client(headers=HTML)
    client.force_login(person)
    client.cookies[COOKIES.timezone] = "Europe/Vienna"
    return client


@pytest.fixture
def of_andrew(andrew: User, moto_table: MessageTable) -> Client:
    return browser(andrew)


@pytest.fixture
def of_bayko(bayko: User, moto_table: MessageTable) -> Client:
    return browser(bayko)


@pytest.fixture
def url(andrew: User, bayko: User, moto_table: MessageTable) -> str:
    """The conversation of the two, with a message of each."""
    start(by=andrew.uuid, to=bayko.uuid, now=timezone.now() - timedelta(hours=1))
    send(by=bayko.uuid, group=group_of(andrew, bayko), text="Hi", now=timezone.now())
    drain(moto_table)
    return f"/messages/{group_of(andrew, bayko)}"


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is told to open pages."""
    events: list[Any] = []
    monkeypatch.setattr(publish, "_publish", events.append)
    live_typing.forget()
    return events


def block(client: Client, person: User) -> Any:
    return client.post(f"/messages/people/{person.uuid}/block")


# --- Blocking ---------------------------------------------------------------------------------------------------------


def test_blocking_asks_first_and_then_shows_it_everywhere(
    of_andrew: Client, andrew: User, bayko: User, url: str, published: list[Any]
) -> None:
    question = of_andrew.get(f"/messages/people/{bayko.uuid}/block")
    assert "Block Bayko ?" in text_of(question)

    answer = block(of_andrew, bayko)

    assert (answer.status_code, answer["Location"]) == (303, url)
    assert "You have blocked Bayko . Neither of you can write here. Unblock" in text_of(of_andrew.get(url))
    assert conversations_of(of_andrew.get("/messages")) == []
    assert "You have blocked Bayko ." in text_of(of_andrew.get("/@bayko"))
    assert "Unblock" in text_of(of_andrew.get("/settings"))
    assert [event.members for event in published] == [{andrew.uuid}]


def test_the_other_is_refused_in_words_that_name_nobody(
    of_andrew: Client, of_bayko: Client, andrew: User, bayko: User, url: str
) -> None:
    block(of_andrew, bayko)

    answer = post(of_bayko, url, "Still there?")

    assert answer.status_code == 403
    assert REFUSED in text_of(answer)
    assert draft_of(answer) == "Still there?"
    assert messages_of(of_bayko.get(url)) == ["Hello", "Hi"]
    assert conversations_of(of_bayko.get("/messages")) == ["Andrew Brown"]
    assert "blocked" not in text_of(of_bayko.get(url))


def test_the_same_words_answer_who_is_blocked_and_whom_nobody_may_write_to(
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


def test_who_was_never_written_to_is_blocked_on_their_profile(
    of_andrew: Client, of_bayko: Client, andrew: User, bayko: User
) -> None:
    assert f"/messages/people/{bayko.uuid}/block" in html_of(of_andrew.get("/@bayko"))

    assert block(of_andrew, bayko)["Location"] == "/@bayko"

    for client, handle in ((of_andrew, "bayko"), (of_bayko, "andrewbrown")):
        assert client.get(f"/messages/{group_of(andrew, bayko)}").status_code == 404
        assert client.get(f"/messages/new/{handle}").status_code == 200
    assert "blocked" not in text_of(of_bayko.get("/@andrewbrown"))


def test_unblocking_leads_back_and_lets_both_write(of_andrew: Client, of_bayko: Client, bayko: User, url: str) -> None:
    block(of_andrew, bayko)
    answer = of_andrew.post(f"/messages/people/{bayko.uuid}/unblock", {"next": "/settings#blocked"})

    assert answer["Location"] == "/settings#blocked"
    assert conversations_of(of_andrew.get("/messages")) == ["Bayko"]
    assert post(of_bayko, url, "Thanks").status_code == 303
    assert "Nobody. You can block" in text_of(of_andrew.get("/settings"))


@pytest.mark.parametrize("whom", ["oneself", "nobody"])
def test_nobody_else_can_be_blocked(of_andrew: Client, andrew: User, whom: str) -> None:
    uuid = andrew.uuid if whom == "oneself" else uuid4()
    assert of_andrew.get(f"/messages/people/{uuid}/block").status_code == 404
    assert of_andrew.post(f"/messages/people/{uuid}/block").status_code == 404


def test_while_one_blocks_nothing_is_told_to_the_other(
    of_andrew: Client, of_bayko: Client, andrew: User, bayko: User, url: str, published: list[Any]
) -> None:
    of_bayko.post(f"{url}/typing")
    block(of_andrew, bayko)
    published.clear()
    live_typing._told.clear()
    thread = conversations.load_conversation(user_uuid=bayko.uuid, group_uuid=group_of(andrew, bayko))
    first, own = thread.messages

    of_bayko.post(f"{url}/typing")
    of_bayko.post(f"{url}/read", {"created_at": first.created_at})
    of_andrew.post(f"{url}/read", {"created_at": own.created_at})
    of_bayko.post(f"{url}/{own.created_at}/delete")

    assert [(type(event).__name__, set(event.members)) for event in published] == [
        ("Read", {bayko.uuid}),
        ("Read", {andrew.uuid}),
        ("Amended", {bayko.uuid}),
    ]


def test_a_blocked_conversation_is_not_laid_over_the_list(of_andrew: Client, bayko: User, url: str) -> None:
    post(of_andrew, url, "One more")
    block(of_andrew, bayko)
    assert conversations_of(of_andrew.get("/messages")) == []


# --- Requests ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def asked(settings: Settings, of_bayko: Client, andrew: User, bayko: User, published: list[Any]) -> str:
    """Bayko has written to Andrew, who does not know him."""
    settings.MESSAGE_REQUESTS = True
    answer = post(of_bayko, "/messages/new/andrewbrown", "May I?")
    assert answer.status_code == 303
    published.clear()
    return str(answer["Location"])


def test_a_request_waits_on_top_of_the_list_and_counts_nowhere(of_andrew: Client, asked: str) -> None:
    page = of_andrew.get("/messages")

    assert "Requests , 1 waiting Bayko 1" in text_of(page)
    assert conversations_of(page) == []
    assert "<title>Messages" in page.content.decode()
    assert of_andrew.get("/messages/rows")["X-Unread"] == "0"
    assert conversations_of(of_andrew.get("/messages/requests")) == ["Bayko"]


def test_a_second_message_is_kept_until_the_first_is_accepted(of_bayko: Client, asked: str) -> None:
    answer = post(of_bayko, asked, "Hello?")

    assert answer.status_code == 409
    assert WAITS in text_of(answer)
    assert draft_of(answer) == "Hello?"
    assert post(of_bayko, "/messages/new/andrewbrown", "Hello?", headers=SCRIPT).json() == {"error": "awaiting_answer"}


def test_accepting_is_told_to_both(
    of_andrew: Client, of_bayko: Client, andrew: User, bayko: User, asked: str, published: list[Any]
) -> None:
    assert "Bayko wants to write to you." in text_of(of_andrew.get(asked))

    assert of_andrew.post(f"{asked}/answer", {"answer": "accept"})["Location"] == asked

    assert [event.members for event in published] == [{andrew.uuid, bayko.uuid}]
    assert conversations_of(of_andrew.get("/messages")) == ["Bayko"]
    assert "wants to write" not in text_of(of_andrew.get(asked))
    assert post(of_bayko, asked, "Thanks").status_code == 303


def test_answering_accepts(of_andrew: Client, andrew: User, bayko: User, asked: str, published: list[Any]) -> None:
    assert post(of_andrew, asked, "Of course").status_code == 303

    assert [type(event).__name__ for event in published] == ["Written", "Changed"]
    assert conversations_of(of_andrew.get("/messages")) == ["Bayko"]


def test_declining_and_reading_are_told_to_nobody_else(
    of_andrew: Client, of_bayko: Client, andrew: User, asked: str, published: list[Any]
) -> None:
    before = text_of(of_bayko.get(asked))
    (message,) = conversations.load_conversation(user_uuid=andrew.uuid, group_uuid=UUID(asked[-36:])).messages

    of_andrew.post(f"{asked}/read", {"created_at": message.created_at})
    of_andrew.post(f"{asked}/typing")
    of_andrew.post(f"{asked}/answer", {"answer": "decline"})

    assert {member for event in published for member in event.members} == {andrew.uuid}
    assert "Requests , " not in text_of(of_andrew.get("/messages"))
    assert text_of(of_bayko.get(asked)) == before


def test_off_a_first_message_is_in_the_inbox_at_once(
    settings: Settings, of_andrew: Client, of_bayko: Client, andrew: User, bayko: User
) -> None:
    settings.MESSAGE_REQUESTS = False
    post(of_bayko, "/messages/new/andrewbrown", "Hi")
    assert conversations_of(of_andrew.get("/messages")) == ["Bayko"]


def test_an_answer_that_is_none_is_refused(of_andrew: Client, asked: str) -> None:
    assert of_andrew.post(f"{asked}/answer", {"answer": "perhaps"}).status_code == 400


# --- For oneself ------------------------------------------------------------------------------------------------------


def test_a_muted_conversation_shows_its_number_and_is_not_counted(
    of_bayko: Client, of_andrew: Client, andrew: User, bayko: User, url: str, published: list[Any]
) -> None:
    assert of_andrew.get(f"{url}/alert").json() == {"alert": True}
    assert of_andrew.post(f"{url}/mute", {"for": "day"})["Location"] == url

    page = of_andrew.get("/messages")
    assert '<span class="badge badge--quiet" aria-hidden="true">1</span>' in html_of(page)
    assert page.context["unread"] == 0
    assert of_andrew.get(f"{url}/alert").json() == {"alert": False}
    assert [event.members for event in published] == [{andrew.uuid}]

    of_andrew.post(f"{url}/mute", {"for": "off"})
    assert of_andrew.get("/messages").context["unread"] == 1
    assert of_andrew.post(f"{url}/mute", {"for": "ever"}).status_code == 400


def test_an_archived_conversation_is_in_its_own_list(of_andrew: Client, url: str) -> None:
    assert of_andrew.post(f"{url}/archive")["Location"] == "/messages"
    post(of_andrew, url, "Still here")

    assert conversations_of(of_andrew.get("/messages")) == []
    assert conversations_of(of_andrew.get("/messages/archived")) == ["Bayko"]
    assert of_andrew.get(f"{url}/alert").json() == {"alert": False}

    of_andrew.post(f"{url}/archive", {"to": "inbox"})
    assert conversations_of(of_andrew.get("/messages")) == ["Bayko"]


def test_marking_unread_is_told_to_one_s_own_tabs(
    of_andrew: Client, andrew: User, bayko: User, url: str, published: list[Any]
) -> None:
    newest = conversations.load_conversation(user_uuid=andrew.uuid, group_uuid=group_of(andrew, bayko)).messages[-1]
    of_andrew.post(f"{url}/read", {"created_at": newest.created_at})
    published.clear()

    assert of_andrew.post(f"{url}/unread")["Location"] == "/messages"

    assert [(event.members, event.read_seq) for event in published] == [({andrew.uuid}, 1)]
    assert of_andrew.get("/messages").context["unread"] == 1


def test_the_menu_is_a_page_without_script(of_andrew: Client, url: str) -> None:
    menu = text_of(of_andrew.get(f"{url}/options"))
    assert "View profile Mark unread Mute for an hour Mute for a day Mute for good Archive" in menu


@pytest.mark.parametrize("path", ["mute", "archive", "unread", "answer"])
def test_outsiders_find_nothing(londo: User, url: str, path: str) -> None:
    fields = {"for": "day", "answer": "accept"}
    assert browser(londo).post(f"{url}/{path}", fields).status_code == 404
    assert browser(londo).get(f"{url}/options").status_code == 404
    assert browser(londo).get(f"{url}/alert").json() == {"alert": False}


@pytest.mark.parametrize("path", ["mute", "archive", "unread", "answer"])
def test_none_of_it_is_done_by_get(of_andrew: Client, url: str, path: str) -> None:
    assert of_andrew.get(f"{url}/{path}").status_code == 405


def test_the_lists_cost_one_call_each(of_andrew: Client, url: str, moto_table: MessageTable, calls: Calls) -> None:
    for path in ("/messages/requests", "/messages/archived"):
        with calls.counted(moto_table.client):
            assert of_andrew.get(path).status_code == 200
        assert calls.operations == ["Query"]


def test_a_cursor_that_is_none_is_no_page(of_andrew: Client) -> None:
    for path in ("/messages/requests", "/messages/archived"):
        assert of_andrew.get(f"{path}?before=x").status_code == 404


def test_whom_one_blocks_stays_listed_when_they_are_gone(of_andrew: Client, andrew: User, bayko: User) -> None:
    block_actions.block(user_uuid=andrew.uuid, other_uuid=bayko.uuid, now=timezone.now())
    bayko.delete()
    assert "Deleted user" in text_of(of_andrew.get("/settings"))


def test_who_may_write_is_chosen_in_the_settings(of_andrew: Client, andrew: User) -> None:
    of_andrew.post("/settings/privacy", {"may_write": NOBODY})
    andrew.refresh_from_db()
    assert andrew.may_write == NOBODY
    of_andrew.post("/settings/privacy", {"may_write": "whoever"})
    andrew.refresh_from_db()
    assert andrew.may_write == NOBODY


def test_a_page_of_a_muted_conversation_offers_to_unmute_it(of_andrew: Client, andrew: User, url: str) -> None:
    conversation_settings.mute(user_uuid=andrew.uuid, group_uuid=UUID(url[-36:]), until=None)
    assert "Unmute" in text_of(of_andrew.get(f"{url}/options"))
