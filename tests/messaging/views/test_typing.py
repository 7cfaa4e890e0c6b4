"""Telling others that a user is typing."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client

from messaging.actions.send_message import Delivery
from messaging.dynamodb.table import MessageTable
from messaging.realtime import publish
from messaging.realtime import typing as live_typing
from tests.conftest import Calls
from users.models import User


@pytest.fixture(autouse=True)
def _no_memory() -> None:
    live_typing.forget()


def test_typing_reads_dynamodb_once_and_publishes_every_three_seconds(
    client: Client, delivery: Delivery, calls: Calls, moto_table: MessageTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []
    monkeypatch.setattr(publish, "typing", lambda **said: told.append(said))
    now = [1000.0]
    for recent in (live_typing._members, live_typing._told):
        monkeypatch.setattr(recent, "_clock", lambda: now[0])
    with calls.counted(moto_table.client):
        for _ in range(30):
            now[0] += 0.5
            assert client.post(f"/messages/{delivery.message.group_uuid}/typing").status_code == 204

    assert calls.operations == ["GetItem"]
    assert len(told) == 5


def test_typing_reads_nothing_after_a_sync(
    client: Client, delivery: Delivery, calls: Calls, moto_table: MessageTable
) -> None:
    url = f"/messages/{delivery.message.group_uuid}"
    client.get(f"{url}/since?version=1&after={delivery.message.created_at.replace('+', '%2B')}&first=")
    with calls.counted(moto_table.client):
        client.post(f"{url}/typing")

    assert calls.operations == []


def test_typing_is_not_found_for_outsiders(client: Client, delivery: Delivery, londo: User) -> None:
    client.force_login(londo)

    for group in (delivery.message.group_uuid, uuid4()):
        assert client.post(f"/messages/{group}/typing").status_code == 404


def test_typing_rejects_get(client: Client, delivery: Delivery) -> None:
    assert client.get(f"/messages/{delivery.message.group_uuid}/typing").status_code == 405
