"""The download of one's own data."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from django.db import connection
from django.test import AsyncClient, Client
from pytest_django.fixtures import Settings

from messaging.dynamodb.client import Unavailable
from messaging.dynamodb.table import MessageTable
from messaging.queries import export_data
from tests.messaging.faults import answer, fault
from tests.messaging.talk import NOW, start, write_all
from users.models import User

T = TypeVar("T")


def run_in_thread(work: Coroutine[Any, Any, T]) -> T:
    """Run the coroutine in a thread and return its result: this thread may have a loop already, that of a browser."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def download_export(user: User) -> tuple[dict[str, str], bytes]:
    """Return headers and body of the user's export, as an ASGI server sends it."""
    client = AsyncClient()
    await client.aforce_login(user)
    response: Any = await client.post("/settings/export")
    assert response.status_code == 200
    return dict(response.headers), b"".join([part async for part in response.streaming_content])


def test_settings_link_to_export_and_deletion(member: Client) -> None:
    page = member.get("/settings").content.decode()

    assert 'href="/settings/export"' in page
    assert 'href="/settings/delete-account"' in page


def test_page_describes_the_file(member: Client) -> None:
    page = member.get("/settings/export").content.decode()

    assert "every message of every conversation" in page


@pytest.mark.django_db(transaction=True)
def test_file_contains_own_data(table: MessageTable, andrew: User, bayko: User) -> None:
    start(by=andrew.uuid, to=bayko.uuid, text="Hello")

    headers, body = run_in_thread(download_export(andrew))

    document = json.loads(body)
    assert document["person"]["handle"] == "andrewbrown"
    assert document["conversations"][0]["messages"][0]["text"] == "Hello"
    assert document["complete"] is True
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert headers["Content-Disposition"].startswith('attachment; filename="cruddur-andrewbrown-20')


@pytest.mark.django_db(transaction=True)
def test_file_name_encodes_a_handle_in_any_script(table: MessageTable, bayko: User) -> None:
    User.objects.filter(pk=bayko.pk).update(handle="नमस्ते")
    bayko.refresh_from_db()

    headers, _ = run_in_thread(download_export(bayko))

    assert headers["Content-Disposition"].startswith("attachment; filename*=utf-8''cruddur-%E0%A4%A8")


@pytest.mark.django_db(transaction=True)
def test_streaming_holds_no_database_connection(
    table: MessageTable, andrew: User, bayko: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_data, "MESSAGES_A_PAGE", 2)
    said = [(andrew.uuid, str(n), NOW + timedelta(seconds=n)) for n in range(9)]
    write_all(table, said, members=(andrew.uuid, bayko.uuid))
    before = wait_for_connections()

    async def look() -> list[int]:
        client = AsyncClient()
        await client.aforce_login(andrew)
        response: Any = await client.post("/settings/export")
        return [
            await asyncio.to_thread(wait_for_connections, settled_at=before) async for _ in response.streaming_content
        ]

    # The one that looks, each time in a thread of its own pool, is closed behind it, as Postgres notices later.
    assert set(run_in_thread(look())) == {before}


def wait_for_connections(*, settled_at: int | None = None) -> int:
    """Count the other connections to the test database; given a number, wait up to a minute for it."""
    deadline = time.monotonic() + 60
    while (count := count_connections()) != (
        settled_at if settled_at is not None else count
    ) and time.monotonic() < deadline:
        time.sleep(0.02)
    return count


def count_connections() -> int:
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
            count: tuple[int] = cursor.fetchone()
            return count[0]
    finally:
        connection.close()


def test_export_is_503_while_dynamodb_is_away(member: Client, table: MessageTable) -> None:
    with fault(table, "Query", *[answer("InternalServerError", 500)] * 4):
        response = member.post("/settings/export")

    assert response.status_code == 503
    assert "Content-Disposition" not in response.headers


@pytest.mark.django_db(transaction=True)
def test_export_breaks_off_when_dynamodb_goes_away(
    table: MessageTable, andrew: User, bayko: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_data, "WAITS", (0.0,))
    start(by=andrew.uuid, to=bayko.uuid, text="Hello")
    parts: list[bytes] = []

    async def download() -> None:
        client = AsyncClient()
        await client.aforce_login(andrew)
        response: Any = await client.post("/settings/export")
        with fault(table, "Query", *[answer("InternalServerError", 500)] * 20):
            async for part in response.streaming_content:
                parts.append(part)  # noqa: PERF401 - what came before the failure counts

    with pytest.raises(Unavailable):
        run_in_thread(download())

    assert b'"person"' in b"".join(parts)
    assert b"complete" not in b"".join(parts)


def test_export_is_rate_limited(member: Client, settings: Settings) -> None:
    statuses = []
    for _ in range(100):
        response = member.post("/settings/export")
        statuses.append(response.status_code)
        if response.status_code == 429:
            break

    assert statuses[0] == 200
    assert statuses[-1] == 429
    assert int(response["Retry-After"]) > 0


def test_export_requires_sign_in_and_post(client: Client, member: Client) -> None:
    assert Client().post("/settings/export").status_code == 302
    assert "Content-Disposition" not in member.get("/settings/export").headers
