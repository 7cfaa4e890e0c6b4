"""Browsers and conversations for the tests of views."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.utils import timezone

from messaging.actions import read as read_actions
from messaging.actions import send_message
from messaging.actions.send_message import Delivery
from messaging.domain.entities import Message
from messaging.dynamodb.table import MessageTable
from messaging.realtime import publish
from messaging.realtime import typing as live_typing
from tests.cookies import COOKIES
from tests.messaging.pages import (
    browser,
    group_of,
)
from tests.messaging.talk import drain, send, start, write_all
from users.models import User


@pytest.fixture
def of_andrew(andrew: User, moto_table: MessageTable) -> Client:
    return browser(andrew)


@pytest.fixture
def of_bayko(bayko: User, moto_table: MessageTable) -> Client:
    return browser(bayko)


@pytest.fixture
def conversation_url(andrew: User, bayko: User, moto_table: MessageTable) -> str:
    """Return the address of a conversation of the two, with a message of each."""
    start(by=andrew.uuid, to=bayko.uuid, now=timezone.now() - timedelta(hours=1))
    send(by=bayko.uuid, group=group_of(andrew, bayko), text="Hi", now=timezone.now())
    drain(moto_table)
    return f"/messages/{group_of(andrew, bayko)}"


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Collect the events for open pages."""
    events: list[Any] = []
    monkeypatch.setattr(publish, "_publish", events.append)
    live_typing.forget()
    return events


@pytest.fixture
def member(client: Client, table: MessageTable, andrew: User, bayko: User) -> Client:
    """Return the browser of Andrew, who has a conversation."""
    client.force_login(andrew)
    start(by=andrew.uuid, to=bayko.uuid, text="Hello")
    return client


@pytest.fixture
def group(andrew: User, bayko: User) -> UUID:
    return group_of(andrew, bayko)


@pytest.fixture
def mine(client: Client, andrew: User, bayko: User, moto_table: MessageTable) -> Message:
    """Return a message that Andrew, who is signed in, sent a minute ago."""
    message = start(by=andrew.uuid, to=bayko.uuid, text="Typo", now=timezone.now() - timedelta(minutes=1))
    drain(moto_table)
    client.force_login(andrew)
    return message


@pytest.fixture
def written(andrew: User, bayko: User, moto_table: MessageTable) -> list[Message]:
    """Store 50 messages of Andrew and Bayko in turns, a minute apart, the last one Bayko's."""
    now = timezone.now() - timedelta(hours=2)
    people = (bayko.uuid, andrew.uuid)
    lines = [(people[n % 2], f"Line {n}", now + timedelta(minutes=n)) for n in range(1, 51)]
    return write_all(moto_table, lines, members=people)


@pytest.fixture
def reader(client: Client, andrew: User) -> Client:
    """Return Andrew's browser, in which scripts run."""
    client.force_login(andrew)
    client.cookies[COOKIES.timezone] = "Europe/Vienna"
    return client


@pytest.fixture
def unread(andrew: User, bayko: User, moto_table: MessageTable) -> list[Message]:
    """Store 65 messages of Bayko, five of which Andrew has read."""
    now = timezone.now() - timedelta(hours=2)
    lines = [(bayko.uuid, f"Line {n}", now + timedelta(minutes=n)) for n in range(1, 66)]
    messages = write_all(moto_table, lines, members=(andrew.uuid, bayko.uuid))
    read_actions.mark_read(user_uuid=andrew.uuid, group_uuid=messages[0].group_uuid, created_at=messages[4].created_at)
    return messages


@pytest.fixture
def delivery(moto_table: MessageTable, andrew: User, bayko: User, client: Client) -> Delivery:
    """Start a conversation with a message to Bayko, who is signed in."""
    client.force_login(bayko)
    return send_message.start(
        user_uuid=andrew.uuid, other_uuid=bayko.uuid, text="Hello", message_uuid=uuid4(), now=timezone.now()
    )
