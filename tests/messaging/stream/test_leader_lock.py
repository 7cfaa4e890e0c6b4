"""Only one of several stream workers is active; another takes over when it is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import psycopg
import pytest
from django.conf import settings as django_settings
from django.db import connection

from messaging.dynamodb.table import MessageTable
from messaging.stream.leader_lock import leader_session, try_lock
from tests.messaging.command_runs import run_json
from tests.messaging.talk import BAYKO, entry_of, start

from .test_consumer import eventually

pytestmark = pytest.mark.django_db(transaction=True)

HANGS = 60
"""Seconds after which a worker that has not taken over never will."""
"""Seconds, as promised; here it takes one pause."""


def database_url() -> str:
    return "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**django_settings.DATABASES["default"])


@pytest.fixture
def other() -> Iterator[psycopg.Connection]:
    """Open another process's session."""
    with psycopg.connect(database_url(), autocommit=True) as session:
        yield session


@pytest.fixture(autouse=True)
def released() -> Iterator[None]:
    yield
    connection.close()


def test_one_session_is_active_for_a_table() -> None:
    assert try_lock("one")

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        assert leader_session("one") == cursor.fetchone()[0]
    assert leader_session("two") is None

    connection.close()
    assert leader_session("one") is None


def test_second_session_waits_for_the_first(other: psycopg.Connection) -> None:
    from messaging.stream.leader_lock import NAMESPACE, _key  # noqa: PLC0415

    other.execute("SELECT pg_advisory_lock(%s, %s)", [NAMESPACE, _key("one")])

    assert not try_lock("one")
    assert try_lock("two")
    other.close()
    eventually(lambda: try_lock("one"))


def test_a_dead_machine_s_session_ends_in_half_a_minute() -> None:
    try_lock("one")

    with connection.cursor() as cursor:
        cursor.execute("SELECT name, setting::int FROM pg_settings WHERE name LIKE 'tcp_keepalives%' ORDER BY name")
        kept = dict(cursor.fetchall())

    assert kept["tcp_keepalives_idle"] + kept["tcp_keepalives_interval"] * kept["tcp_keepalives_count"] <= 30


class Worker:
    """A real `ddb_stream`."""

    def __init__(self, table: MessageTable) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-u", "manage.py", "ddb_stream"],
            env={**os.environ, "DDB_MESSAGE_TABLE": table.name, "DATABASE_URL": database_url()},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def says(self, words: str) -> None:
        """Wait for a line with these words; kill a worker that never says them."""
        assert self.process.stdout is not None
        deadline = threading.Timer(HANGS, self.process.kill)
        deadline.start()
        try:
            for line in self.process.stdout:
                if words in line:
                    return
        finally:
            deadline.cancel()
        raise AssertionError(f"it ended without saying {words!r}")

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        self.process.communicate(timeout=60)
        return self.process.returncode


@pytest.mark.slow
def test_a_killed_worker_is_replaced(table: MessageTable) -> None:
    first = Worker(table)
    try:
        first.says("reading arn")
        second = Worker(table)
        try:
            second.says("another worker is active; waiting")
            assert run_json("ddb_stream", "--status")[-1]["active_session"]
            first.end(signal.SIGKILL)
            second.says("reading arn")
            start(text="After the first was killed")
            eventually(lambda: entry_of(table, BAYKO).message == "After the first was killed")
            assert second.end(signal.SIGTERM) == 0
        finally:
            second.process.kill()
            second.process.communicate()
    finally:
        first.process.kill()
        first.process.communicate()


@pytest.mark.slow
def test_waiting_session_stops_at_once(table: MessageTable) -> None:
    assert try_lock(table.name)
    waiting = Worker(table)
    try:
        waiting.says("another worker is active; waiting")
        assert waiting.end(signal.SIGTERM) == 0
    finally:
        waiting.process.kill()
        waiting.process.communicate()
