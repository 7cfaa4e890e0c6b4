"""What a page asks for after an interruption: with the answer it equals a fresh load."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.utils import timezone

from messaging.actions import block, edit_message
from messaging.dynamodb.items import Message
from messaging.dynamodb.table import MessageTable
from messaging.operations.capacity import patterns
from messaging.queries import conversations, sync
from tests.conftest import Calls
from tests.messaging.pages import group_of, messages_of, text_of
from users.models import User


class Talk:
    """A conversation of Andrew and Bayko, and what a page of Bayko's knows of it."""

    def __init__(self, andrew: User, bayko: User, client: Client) -> None:
        self.andrew, self.bayko, self.client = andrew, bayko, client
        self.group: UUID = group_of(andrew, bayko)
        self.sent: list[Message] = []

    def send(self, *texts: str, by: User | None = None) -> None:
        for text in texts:
            writer = by or self.andrew
            other = self.bayko if writer == self.andrew else self.andrew
            delivery = conversations.start(
                user_uuid=writer.uuid, other_uuid=other.uuid, text=text, message_uuid=uuid4(), now=timezone.now()
            )
            self.sent.append(delivery.message)

    def edit(self, number: int, text: str) -> None:
        edit_message.edit(
            user_uuid=self.sent[number].user_uuid, group_uuid=self.group, created_at=self.sent[number].created_at,
            text=text, now=timezone.now(),
        )  # fmt: skip

    def since(self, **known: Any) -> Any:
        asked = {"after": self.sent[-1].created_at, "first": self.sent[0].created_at, "version": 0, **known}
        return self.client.get(f"/messages/{self.group}/since?{urlencode(asked)}")


@pytest.fixture
def talk(moto_table: MessageTable, andrew: User, bayko: User, client: Client) -> Talk:
    client.force_login(bayko)
    talk = Talk(andrew, bayko, client)
    talk.send("one", "two", "three")
    return talk


def texts(response: Any) -> list[str]:
    """Those of the messages to be added."""
    return [text for message in response.json()["messages"] for text in messages_of(Html(message["html"]))]


class Html:
    """HTML as a response has it, for `messages_of`."""

    def __init__(self, html: str) -> None:
        self.text = html


def test_where_nothing_happened_there_is_nothing_to_add(talk: Talk, calls: Calls, moto_table: MessageTable) -> None:
    with calls.counted(moto_table.client):
        answer = talk.since(version=3)

    assert calls.operations == [*patterns.SINCE.calls]
    assert answer["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"
    assert answer.json() == {
        "version": 3, "last_seq": 3, "seen_seq": 0, "after": talk.sent[-1].created_at, "messages": [], "more": False,
        "replace": None,
        "write_permission": "open",
    }  # fmt: skip


def test_new_messages_come_one_by_one(talk: Talk, calls: Calls, moto_table: MessageTable) -> None:
    known = talk.sent[-1].created_at
    talk.send("four", "five")
    with calls.counted(moto_table.client):
        answer = talk.since(after=known, version=3)

    assert calls.operations == ["BatchGetItem", "Query", "BatchGetItem"]
    assert texts(answer) == ["four", "five"]
    found = answer.json()
    assert (found["version"], found["last_seq"], found["replace"], found["more"]) == (5, 5, None, False)
    assert [(each["seq"], each["own"]) for each in found["messages"]] == [(4, False), (5, False)]
    assert "message--continued" not in found["messages"][1]["html"]


def test_an_edit_of_an_old_message_replaces_the_window(talk: Talk) -> None:
    talk.edit(0, "uno")
    answer = talk.since(version=3).json()

    assert (answer["messages"], answer["version"]) == ([], 4)
    assert messages_of(Html(answer["replace"])) == ["uno", "two", "three"]


def test_an_edit_among_new_messages_replaces_the_window(talk: Talk) -> None:
    known = talk.sent[-1].created_at
    talk.send("four")
    talk.edit(1, "dos")
    answer = talk.since(after=known, version=3).json()

    assert answer["messages"] == []
    assert messages_of(Html(answer["replace"])) == ["one", "dos", "three", "four"]


def test_the_window_is_that_of_a_fresh_load(talk: Talk) -> None:
    talk.edit(0, "uno")
    edit_message.delete(
        user_uuid=talk.andrew.uuid, group_uuid=talk.group, created_at=talk.sent[1].created_at, now=timezone.now()
    )
    window = talk.since(version=3).json()["replace"]

    page = talk.client.get(f"/messages/{talk.group}").content.decode()
    assert "".join(window.split()) in "".join(page.split())


def test_the_window_begins_where_the_page_began(talk: Talk) -> None:
    talk.edit(2, "tres")
    answer = talk.since(version=3, first=talk.sent[1].created_at).json()

    assert messages_of(Html(answer["replace"])) == ["two", "tres"]
    assert "Earlier messages" in answer["replace"]


def test_a_window_that_does_not_show_the_end_stays_where_it_was(talk: Talk) -> None:
    talk.edit(0, "uno")
    shown = {"after": talk.sent[1].created_at, "last": talk.sent[1].created_at}
    answer = talk.since(version=2, **shown).json()

    assert messages_of(Html(answer["replace"])) == ["uno", "two"]


def test_of_a_window_that_is_too_large_the_newest_messages_come(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "WINDOW_AT_MOST", 2)
    talk.edit(0, "uno")
    answer = talk.since(version=3).json()

    assert messages_of(Html(answer["replace"])) == ["two", "three"]
    assert "Earlier messages" in answer["replace"]


def test_very_many_new_messages_come_in_parts_and_no_edit_is_missed_between(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "NEW_AT_ONCE", 2)
    known = talk.sent[-1].created_at
    talk.send("four", "five", "six", "seven", "eight")

    first = talk.since(after=known, version=3)
    assert texts(first) == ["four", "five"]
    assert (first.json()["more"], first.json()["version"]) == (True, 5)
    second = talk.since(after=first.json()["after"], version=first.json()["version"])
    assert texts(second) == ["six", "seven"]
    talk.edit(0, "uno")
    third = talk.since(after=second.json()["after"], version=second.json()["version"]).json()

    assert messages_of(Html(third["replace"]))[0] == "uno"
    assert (third["version"], third["more"]) == (9, False)


def test_a_page_without_a_message_gets_them_all(talk: Talk) -> None:
    assert texts(talk.since(after="", first="", version=0)) == ["one", "two", "three"]


def test_a_message_that_came_while_it_was_asked_is_left_for_the_next_time(
    talk: Talk, moto_table: MessageTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = talk.sent[-1].created_at
    talk.send("four")
    real = MessageTable.messages_after

    def send_meanwhile(table: MessageTable, *arguments: Any, **options: Any) -> list[Message]:
        monkeypatch.setattr(MessageTable, "messages_after", real)
        talk.send("five")
        return real(table, *arguments, **options)

    monkeypatch.setattr(MessageTable, "messages_after", send_meanwhile)
    first = talk.since(after=known, version=3)

    assert texts(first) == ["four"]
    assert texts(talk.since(after=first.json()["after"], version=first.json()["version"])) == ["five"]


def test_it_tells_how_far_the_other_has_read(talk: Talk) -> None:
    talk.send("four", by=talk.bayko)
    conversations.mark_read(user_uuid=talk.andrew.uuid, group_uuid=talk.group, created_at=talk.sent[-1].created_at)

    assert talk.since(version=4).json()["seen_seq"] == 4


def test_what_one_has_read_oneself_is_not_seen_by_the_other(talk: Talk) -> None:
    conversations.mark_read(user_uuid=talk.bayko.uuid, group_uuid=talk.group, created_at=talk.sent[-1].created_at)

    assert talk.since(version=3).json()["seen_seq"] == 0


def test_while_one_blocks_the_other_nobody_learns_what_is_read(talk: Talk) -> None:
    talk.send("four", by=talk.bayko)
    conversations.mark_read(user_uuid=talk.andrew.uuid, group_uuid=talk.group, created_at=talk.sent[-1].created_at)
    block.block(user_uuid=talk.andrew.uuid, other_uuid=talk.bayko.uuid, now=timezone.now())

    assert talk.since(version=4).json()["seen_seq"] == 0


@pytest.mark.parametrize("known", [{"after": "yesterday"}, {"first": "0"}, {"last": "#CONVERSATION"}])
def test_what_is_no_created_at_is_not_found(known: dict[str, str], talk: Talk) -> None:
    assert talk.since(**known).status_code == 404


@pytest.mark.parametrize("version", ["", "-1", "x", "99"])
def test_a_version_that_never_was_gets_the_window(version: str, talk: Talk) -> None:
    assert messages_of(Html(talk.since(version=version).json()["replace"])) == ["one", "two", "three"]


def test_outsiders_find_nothing(talk: Talk, londo: User) -> None:
    talk.client.force_login(londo)
    known = urlencode({"after": "", "first": "", "version": 0})

    answers = [talk.client.get(f"/messages/{group}/since?{known}") for group in (talk.group, uuid4())]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert text_of(answers[0]) == text_of(answers[1])
