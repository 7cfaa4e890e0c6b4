"""Syncing an open page: it becomes what a fresh load would show."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.utils import timezone

from messaging.actions import block, edit_message, send_message
from messaging.actions import read as read_actions
from messaging.domain.entities import Message
from messaging.dynamodb.table import MessageTable
from messaging.operations.capacity import patterns
from messaging.queries import sync
from tests.conftest import Calls
from tests.messaging.pages import group_of, messages_of, text_of
from users.models import User


class FakeConversation:
    """A conversation of Andrew and Bayko, and the state of Bayko's page of it."""

    def __init__(self, andrew: User, bayko: User, client: Client) -> None:
        self.andrew, self.bayko, self.client = andrew, bayko, client
        self.group: UUID = group_of(andrew, bayko)
        self.sent: list[Message] = []

    def send(self, *texts: str, by: User | None = None) -> None:
        for text in texts:
            writer = by or self.andrew
            other = self.bayko if writer == self.andrew else self.andrew
            delivery = send_message.start(
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
def conversation(moto_table: MessageTable, andrew: User, bayko: User, client: Client) -> FakeConversation:
    client.force_login(bayko)
    conversation = FakeConversation(andrew, bayko, client)
    conversation.send("one", "two", "three")
    return conversation


def texts(response: Any) -> list[str]:
    """Return the texts of the messages to be added."""
    return [text for message in response.json()["messages"] for text in messages_of(Html(message["html"]))]


class Html:
    """HTML as a response has it, for `messages_of`."""

    def __init__(self, html: str) -> None:
        self.text = html


def test_nothing_new_returns_nothing(conversation: FakeConversation, calls: Calls, moto_table: MessageTable) -> None:
    with calls.counted(moto_table.client):
        answer = conversation.since(version=3)

    assert calls.operations == [*patterns.SINCE.calls]
    assert answer["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"
    assert answer.json() == {
        "version": 3, "last_seq": 3, "seen_seq": 0, "after": conversation.sent[-1].created_at,
        "messages": [], "more": False,
        "replace": None,
        "write_permission": "open",
    }  # fmt: skip


def test_new_messages_are_returned_one_by_one(
    conversation: FakeConversation, calls: Calls, moto_table: MessageTable
) -> None:
    known = conversation.sent[-1].created_at
    conversation.send("four", "five")
    with calls.counted(moto_table.client):
        answer = conversation.since(after=known, version=3)

    assert calls.operations == ["BatchGetItem", "Query", "BatchGetItem"]
    assert texts(answer) == ["four", "five"]
    found = answer.json()
    assert (found["version"], found["last_seq"], found["replace"], found["more"]) == (5, 5, None, False)
    assert [(each["seq"], each["own"]) for each in found["messages"]] == [(4, False), (5, False)]
    assert "message--continued" not in found["messages"][1]["html"]


def test_edit_of_an_old_message_replaces_the_window(conversation: FakeConversation) -> None:
    conversation.edit(0, "uno")
    answer = conversation.since(version=3).json()

    assert (answer["messages"], answer["version"]) == ([], 4)
    assert messages_of(Html(answer["replace"])) == ["uno", "two", "three"]


def test_edit_among_new_messages_replaces_the_window(conversation: FakeConversation) -> None:
    known = conversation.sent[-1].created_at
    conversation.send("four")
    conversation.edit(1, "dos")
    answer = conversation.since(after=known, version=3).json()

    assert answer["messages"] == []
    assert messages_of(Html(answer["replace"])) == ["one", "dos", "three", "four"]


def test_window_equals_a_fresh_load(conversation: FakeConversation) -> None:
    conversation.edit(0, "uno")
    edit_message.delete(
        user_uuid=conversation.andrew.uuid,
        group_uuid=conversation.group,
        created_at=conversation.sent[1].created_at,
        now=timezone.now(),
    )
    window = conversation.since(version=3).json()["replace"]

    page = conversation.client.get(f"/messages/{conversation.group}").content.decode()
    assert "".join(window.split()) in "".join(page.split())


def test_window_starts_where_the_page_started(conversation: FakeConversation) -> None:
    conversation.edit(2, "tres")
    answer = conversation.since(version=3, first=conversation.sent[1].created_at).json()

    assert messages_of(Html(answer["replace"])) == ["two", "tres"]
    assert "Earlier messages" in answer["replace"]


def test_window_that_does_not_show_the_end_stays_in_place(conversation: FakeConversation) -> None:
    conversation.edit(0, "uno")
    shown = {"after": conversation.sent[1].created_at, "last": conversation.sent[1].created_at}
    answer = conversation.since(version=2, **shown).json()

    assert messages_of(Html(answer["replace"])) == ["uno", "two"]


def test_too_large_window_is_cut_to_the_newest_messages(
    conversation: FakeConversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "WINDOW_AT_MOST", 2)
    conversation.edit(0, "uno")
    answer = conversation.since(version=3).json()

    assert messages_of(Html(answer["replace"])) == ["two", "three"]
    assert "Earlier messages" in answer["replace"]


def test_many_new_messages_come_in_parts_without_missing_an_edit(
    conversation: FakeConversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "NEW_AT_ONCE", 2)
    known = conversation.sent[-1].created_at
    conversation.send("four", "five", "six", "seven", "eight")

    first = conversation.since(after=known, version=3)
    assert texts(first) == ["four", "five"]
    assert (first.json()["more"], first.json()["version"]) == (True, 5)
    second = conversation.since(after=first.json()["after"], version=first.json()["version"])
    assert texts(second) == ["six", "seven"]
    conversation.edit(0, "uno")
    third = conversation.since(after=second.json()["after"], version=second.json()["version"]).json()

    assert messages_of(Html(third["replace"]))[0] == "uno"
    assert (third["version"], third["more"]) == (9, False)


def test_page_without_messages_gets_all(conversation: FakeConversation) -> None:
    assert texts(conversation.since(after="", first="", version=0)) == ["one", "two", "three"]


def test_message_that_arrives_during_a_sync_is_left_for_the_next(
    conversation: FakeConversation, moto_table: MessageTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = conversation.sent[-1].created_at
    conversation.send("four")
    real = MessageTable.messages_after

    def send_meanwhile(table: MessageTable, *arguments: Any, **options: Any) -> list[Message]:
        monkeypatch.setattr(MessageTable, "messages_after", real)
        conversation.send("five")
        return real(table, *arguments, **options)

    monkeypatch.setattr(MessageTable, "messages_after", send_meanwhile)
    first = conversation.since(after=known, version=3)

    assert texts(first) == ["four"]
    assert texts(conversation.since(after=first.json()["after"], version=first.json()["version"])) == ["five"]


def test_sync_returns_how_far_the_other_has_read(conversation: FakeConversation) -> None:
    conversation.send("four", by=conversation.bayko)
    read_actions.mark_read(
        user_uuid=conversation.andrew.uuid, group_uuid=conversation.group, created_at=conversation.sent[-1].created_at
    )

    assert conversation.since(version=4).json()["seen_seq"] == 4


def test_own_reading_is_not_returned_as_seen(conversation: FakeConversation) -> None:
    read_actions.mark_read(
        user_uuid=conversation.bayko.uuid, group_uuid=conversation.group, created_at=conversation.sent[-1].created_at
    )

    assert conversation.since(version=3).json()["seen_seq"] == 0


def test_seen_is_not_returned_while_one_blocks(conversation: FakeConversation) -> None:
    conversation.send("four", by=conversation.bayko)
    read_actions.mark_read(
        user_uuid=conversation.andrew.uuid, group_uuid=conversation.group, created_at=conversation.sent[-1].created_at
    )
    block.block(user_uuid=conversation.andrew.uuid, other_uuid=conversation.bayko.uuid, now=timezone.now())

    assert conversation.since(version=4).json()["seen_seq"] == 0


@pytest.mark.parametrize("known", [{"after": "yesterday"}, {"first": "0"}, {"last": "#CONVERSATION"}])
def test_invalid_created_at_is_not_found(known: dict[str, str], conversation: FakeConversation) -> None:
    assert conversation.since(**known).status_code == 404


@pytest.mark.parametrize("version", ["", "-1", "x", "99"])
def test_unknown_version_gets_the_window(version: str, conversation: FakeConversation) -> None:
    assert messages_of(Html(conversation.since(version=version).json()["replace"])) == ["one", "two", "three"]


def test_sync_is_not_found_for_outsiders(conversation: FakeConversation, londo: User) -> None:
    conversation.client.force_login(londo)
    known = urlencode({"after": "", "first": "", "version": 0})

    answers = [conversation.client.get(f"/messages/{group}/since?{known}") for group in (conversation.group, uuid4())]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert text_of(answers[0]) == text_of(answers[1])
