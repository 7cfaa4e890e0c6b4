"""A web process lends its connections to Postgres from one request to the next, and outlives losing them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection

import pytest
from django.conf import settings
from django.db import connection

from tests.cookies import COOKIES
from tools.local_stack.ports import free_port
from users.models import User

from .live_site import session_of

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "cruddur web of a test"
SECONDS = 30.0


@contextmanager
def web_process(*, pool: int) -> Iterator[int]:
    """Start a real web process on the test database; yield its port."""
    url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**settings.DATABASES["default"])
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "cruddur.asgi:application", "--no-proxy-headers",
               "--port", str(port), "--no-access-log",
               "--timeout-graceful-shutdown", "1"]  # fmt: skip
    environment = os.environ | {"DATABASE_URL": url, "DATABASE_POOL": str(pool), "PGAPPNAME": NAME}
    with subprocess.Popen(command, env=environment) as process:
        try:
            deadline = time.monotonic() + SECONDS
            while not answers(port):
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
            yield port
        finally:
            process.terminate()


def answers(port: int) -> bool:
    try:
        return status_of(port, "/healthz") == 200
    except OSError:
        return False


def status_of(port: int, path: str, session: str = "") -> int:
    asked = HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    asked.request(
        "GET", path, headers={"Host": "localhost", "Cookie": f"{COOKIES.session}={session}; {COOKIES.timezone}=UTC"}
    )
    answered = asked.getresponse()
    answered.read()
    asked.close()
    return answered.status


def connections_of_it() -> set[int]:
    """Return the process's sessions in Postgres."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE application_name = %s", [NAME])
        return {pid for (pid,) in cursor.fetchall()}


def end(pids: set[int]) -> None:
    with connection.cursor() as cursor:
        for pid in pids:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


@pytest.fixture
def session() -> str:
    return session_of(User.objects.create_user(handle="bayko", display_name="Bayko"))


@pytest.mark.slow
def test_requests_share_connections(session: str) -> None:
    with web_process(pool=4) as port:
        assert status_of(port, "/shortcuts", session) == 200
        first = connections_of_it()
        for _ in range(9):
            assert status_of(port, "/shortcuts", session) == 200

        assert first
        # The next request may come before the last one has given its connection back.
        assert first <= connections_of_it()
        assert len(connections_of_it()) <= 3


@pytest.mark.slow
def test_connections_are_closed_without_a_pool(session: str) -> None:
    with web_process(pool=0) as port:
        assert status_of(port, "/shortcuts", session) == 200

        deadline = time.monotonic() + SECONDS
        while connections_of_it():
            assert time.monotonic() < deadline
            time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.usefixtures("with_migration_role")  # it ends sessions that began as the tests' own role
def test_lost_sessions_are_replaced_at_the_next_request(session: str) -> None:
    with web_process(pool=4) as port:
        assert status_of(port, "/shortcuts", session) == 200
        lost = connections_of_it()
        end(lost)

        assert status_of(port, "/shortcuts", session) == 200
        assert connections_of_it()
        assert not connections_of_it() & lost


@pytest.mark.slow
def test_more_requests_than_connections_wait_their_turn(session: str) -> None:
    with web_process(pool=2) as port, ThreadPoolExecutor(12) as clients:
        found = list(clients.map(lambda _: status_of(port, "/shortcuts", session), range(48)))
        kept = connections_of_it()

    assert set(found) == {200}
    assert 1 <= len(kept) <= 2


@pytest.mark.slow
def test_request_without_connection_in_time_is_503(session: str) -> None:
    with web_process(pool=1) as port:
        assert status_of(port, "/shortcuts", session) == 200
        # Whoever asks for its session waits behind this lock, and so holds the one connection.
        with connection.cursor() as cursor, ThreadPoolExecutor(1) as client:
            cursor.execute("BEGIN")
            cursor.execute("LOCK TABLE django_session IN ACCESS EXCLUSIVE MODE")
            first = client.submit(status_of, port, "/shortcuts", session)
            while not waits_for_the_lock():
                time.sleep(0.02)
            second = status_of(port, "/shortcuts", session)
            cursor.execute("COMMIT")

            assert (second, first.result()) == (503, 200)
        assert status_of(port, "/shortcuts", session) == 200


def waits_for_the_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])
