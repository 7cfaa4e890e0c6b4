"""Rows that say nothing any more are deleted by the web processes themselves."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.test import Client
from django.utils import timezone

from cruddur.asgi import application
from cruddur.models import RateBucket
from cruddur.postgres import housekeeping
from cruddur.postgres.housekeeping import EXPIRING, Housekeeping, sweep, sweep_in_thread
from users.models import User
from users.sessions.models import Session

NOW = timezone.now()
HOUR = timedelta(hours=1)


def fill(count: int, *, ended: int) -> None:
    Session.objects.bulk_create(
        Session(session_key=f"key{number}", session_data="", expire_date=NOW + (-HOUR if number < ended else HOUR))
        for number in range(count)
    )


@pytest.mark.django_db
def test_sessions_that_have_ended_go_and_others_stay(client: Client, andrew: User) -> None:
    client.force_login(andrew)
    fill(20, ended=12)

    assert dict(sweep(timezone.now())) == {"django_session": 12, "cruddur_ratebucket": 0}
    assert Session.objects.count() == 9
    assert client.get("/settings").status_code == 200


@pytest.mark.django_db
def test_full_buckets_go_and_others_stay() -> None:
    RateBucket.objects.create(key="pages:full", full_at=NOW - HOUR)
    RateBucket.objects.create(key="pages:used", full_at=NOW + HOUR)

    assert dict(sweep(NOW)) == {"django_session": 0, "cruddur_ratebucket": 1}
    assert [bucket.key for bucket in RateBucket.objects.all()] == ["pages:used"]


@pytest.mark.django_db
def test_many_rows_take_a_statement_for_each_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "ROWS_A_STATEMENT", 5)
    fill(12, ended=12)

    assert [deleted for table, deleted in sweep(NOW) if table == "django_session"] == [5, 5, 2]


@pytest.mark.django_db
def test_expired_rows_are_found_by_an_index() -> None:
    with connection.cursor() as cursor:
        for model, _key, until in EXPIRING:
            indexed = connection.introspection.get_constraints(cursor, model._meta.db_table).values()
            assert any(each["index"] and each["columns"] == [until] for each in indexed), model


@pytest.mark.django_db(transaction=True)
def test_rows_that_another_process_holds_are_left_to_it() -> None:
    fill(3, ended=3)
    counts: dict[str, int] = {}

    def sweep_elsewhere() -> None:
        try:
            counts.update(sweep(NOW))
        finally:
            connection.close()

    with transaction.atomic():
        Session.objects.select_for_update().get(session_key="key1")
        thread = threading.Thread(target=sweep_elsewhere)
        thread.start()
        thread.join(60)

    assert counts["django_session"] == 2
    assert [session.session_key for session in Session.objects.all()] == ["key1"]


@pytest.mark.django_db
def test_without_postgres_it_says_so_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_now: object) -> Any:
        raise OperationalError

    monkeypatch.setattr(housekeeping, "sweep", fail)
    monkeypatch.setattr(connection, "close", lambda: None)

    sweep_in_thread()

    assert [record.getMessage() for record in caplog.records] == ["expired rows were not all deleted: OperationalError"]


def test_a_server_sweeps_again_and_again_until_it_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    swept: list[int] = []
    monkeypatch.setattr(housekeeping, "SECONDS_TO_THE_FIRST", (0.0, 0.0))
    monkeypatch.setattr(housekeeping, "SECONDS_BETWEEN", (0.0, 0.0))
    monkeypatch.setattr(housekeeping, "sweep_in_thread", lambda: swept.append(1))

    async def live(_scope: object, _receive: object, _send: object) -> None:
        while len(swept) < 3:
            await asyncio.sleep(0)

    asyncio.run(Housekeeping(live)({"type": "lifespan"}, None, None))

    assert len(swept) >= 3


def test_other_requests_pass_and_sweep_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "sweep_now_and_then", None)
    seen: list[Any] = []

    async def inner(*arguments: Any) -> None:
        seen.append(arguments)

    asyncio.run(Housekeeping(inner)({"type": "http"}, 1, 2))

    assert seen == [({"type": "http"}, 1, 2)]


def test_site_runs_housekeeping(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []

    async def note() -> None:
        started.append(1)
        await asyncio.sleep(60)

    monkeypatch.setattr(housekeeping, "sweep_now_and_then", note)
    heard = [{"type": "lifespan.shutdown"}, {"type": "lifespan.startup"}]

    async def receive() -> dict[str, str]:
        await asyncio.sleep(0)
        return heard.pop()

    async def send(_message: object) -> None:
        """Ignore the message."""

    async def live() -> None:
        await application({"type": "lifespan"}, receive, send)

    asyncio.run(live())

    assert started == [1]
