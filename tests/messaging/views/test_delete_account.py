"""The pages of one's own account: taking data along, and deleting it; with nothing but forms."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple
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
from users import delete_account
from users.models import User

T = TypeVar("T")


@pytest.fixture
def member(client: Client, table: MessageTable, andrew: User, bayko: User) -> Client:
    client.force_login(andrew)
    start(by=andrew.uuid, to=bayko.uuid, text="Hello")
    return client


def in_a_loop(work: Coroutine[Any, Any, T]) -> T:
    """What the coroutine returns, run in a thread: this one may have a loop already, that of a browser."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def downloaded(user: User) -> tuple[dict[str, str], bytes]:
    """Headers and body of the export of this person, as an ASGI server sends it."""
    client = AsyncClient()
    await client.aforce_login(user)
    response: Any = await client.post("/settings/export")
    assert response.status_code == 200
    return dict(response.headers), b"".join([part async for part in response.streaming_content])


# --- Export -----------------------------------------------------------------------------------------------------------


def test_settings_lead_to_both(member: Client) -> None:
    page = member.get("/settings").content.decode()

    assert 'href="/settings/export"' in page
    assert 'href="/settings/delete-account"' in page


def test_the_page_says_what_is_in_the_file(member: Client) -> None:
    page = member.get("/settings/export").content.decode()

    assert "every message of every conversation" in page


@pytest.mark.django_db(transaction=True)
def test_the_file_is_one_s_own_data(table: MessageTable, andrew: User, bayko: User) -> None:
    start(by=andrew.uuid, to=bayko.uuid, text="Hello")

    headers, body = in_a_loop(downloaded(andrew))

    document = json.loads(body)
    assert document["person"]["handle"] == "andrewbrown"
    assert document["conversations"][0]["messages"][0]["text"] == "Hello"
    assert document["complete"] is True
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert headers["Content-Disposition"].startswith('attachment; filename="cruddur-andrewbrown-20')


@pytest.mark.django_db(transaction=True)
def test_a_handle_in_any_script_makes_a_file_s_name(table: MessageTable, bayko: User) -> None:
    User.objects.filter(pk=bayko.pk).update(handle="नमस्ते")
    bayko.refresh_from_db()

    headers, _ = in_a_loop(downloaded(bayko))

    assert headers["Content-Disposition"].startswith("attachment; filename*=utf-8''cruddur-%E0%A4%A8")


@pytest.mark.django_db(transaction=True)
def test_while_it_streams_it_holds_no_database_connection(
    table: MessageTable, andrew: User, bayko: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_data, "MESSAGES_A_PAGE", 2)
    said = [(andrew.uuid, str(n), NOW + timedelta(seconds=n)) for n in range(9)]
    write_all(table, said, members=(andrew.uuid, bayko.uuid))
    before = sessions()

    async def look() -> list[int]:
        client = AsyncClient()
        await client.aforce_login(andrew)
        response: Any = await client.post("/settings/export")
        return [await asyncio.to_thread(sessions, settled_at=before) async for _ in response.streaming_content]

    # The one that looks, each time in a thread of its own pool, is closed behind it, as Postgres notices later.
    assert set(in_a_loop(look())) == {before}


def sessions(*, settled_at: int | None = None) -> int:
    """How many other connections the test database has; given a number, once they are so many, or a minute later."""
    deadline = time.monotonic() + 60
    while (count := sessions_now()) != (
        settled_at if settled_at is not None else count
    ) and time.monotonic() < deadline:
        time.sleep(0.02)
    return count


def sessions_now() -> int:
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


def test_without_dynamodb_the_status_says_so(member: Client, table: MessageTable) -> None:
    with fault(table, "Query", *[answer("InternalServerError", 500)] * 4):
        response = member.post("/settings/export")

    assert response.status_code == 503
    assert "Content-Disposition" not in response.headers


@pytest.mark.django_db(transaction=True)
def test_dynamodb_that_goes_away_midway_breaks_the_answer_off(
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
        in_a_loop(download())

    assert b'"person"' in b"".join(parts)
    assert b"complete" not in b"".join(parts)


def test_it_is_limited(member: Client, settings: Settings) -> None:
    statuses = []
    for _ in range(100):
        response = member.post("/settings/export")
        statuses.append(response.status_code)
        if response.status_code == 429:
            break

    assert statuses[0] == 200
    assert statuses[-1] == 429
    assert int(response["Retry-After"]) > 0


def test_nobody_exports_signed_out_or_by_a_link(client: Client, member: Client) -> None:
    assert Client().post("/settings/export").status_code == 302
    assert "Content-Disposition" not in member.get("/settings/export").headers


# --- Deletion ---------------------------------------------------------------------------------------------------------


def test_the_page_says_what_goes_and_what_stays(member: Client) -> None:
    page = member.get("/settings/delete-account").content.decode()

    assert "This cannot be undone" in page
    assert "What was reported to moderators stays" in page


@pytest.mark.parametrize("typed", ["", "bayko", "andrew"])
def test_another_handle_deletes_nothing(member: Client, typed: str) -> None:
    response = member.post("/settings/delete-account", {"handle": typed})

    assert response.status_code == 422
    assert "Nothing was deleted" in response.content.decode()
    assert delete_account.waiting() == []
    assert member.get("/messages").status_code == 200


@pytest.mark.parametrize("typed", ["andrewbrown", "@AndrewBrown "])
def test_the_handle_asks_for_the_deletion_and_signs_out(member: Client, andrew: User, typed: str) -> None:
    response = member.post("/settings/delete-account", {"handle": typed})

    assert (response.status_code, response["Location"]) == (303, "/account-deleted")
    assert delete_account.waiting() == [andrew.uuid]
    assert member.get("/messages").status_code == 302
    assert "Your account is being deleted" in member.get("/account-deleted").content.decode()


def test_other_devices_are_signed_out(member: Client, andrew: User) -> None:
    other = Client()
    other.force_login(andrew)

    member.post("/settings/delete-account", {"handle": "andrewbrown"})

    assert other.get("/messages").status_code == 302


def test_a_forged_form_deletes_nothing(andrew: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(andrew)

    assert strict.post("/settings/delete-account", {"handle": "andrewbrown"}).status_code == 403
    assert delete_account.waiting() == []


# --- What the browser keeps -------------------------------------------------------------------------------------------


def test_deleting_an_account_clears_what_the_browser_kept(member: Client, settings: Settings) -> None:
    member.post("/settings/browser", {"theme": "dark"})

    left = member.post("/settings/delete-account", {"handle": "andrewbrown"})
    goodbye = member.get(left["Location"])

    assert left.status_code == 303
    # Not "cookies": those of every site under the same domain would go, and Cognito's own is to end there.
    assert left["Clear-Site-Data"] == '"cache", "storage"'
    assert {name for name, cookie in left.cookies.items() if cookie["max-age"] == 0} == set(astuple(settings.COOKIES))
    assert goodbye.status_code == 200
    assert "Your account is being deleted" in goodbye.content.decode()


@pytest.mark.parametrize("form", [{"handle": "bayko"}, {}])
def test_what_deletes_no_account_clears_nothing(member: Client, form: dict[str, str]) -> None:
    refused = member.post("/settings/delete-account", form)

    assert "Clear-Site-Data" not in refused
    assert "Clear-Site-Data" not in member.get("/account-deleted"), "or any site's link would clear drafts"
