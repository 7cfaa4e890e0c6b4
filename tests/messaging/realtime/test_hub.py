"""The hub under bad conditions: readers who do not read, a bus that goes away, a server that stops, many streams."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from uuid import UUID, uuid4

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from messaging.domain.entities import Message
from messaging.domain.timestamps import format_created_at
from messaging.realtime import endpoint, publish, sse
from messaging.realtime.bus import bus
from messaging.realtime.events import MessageSent, Sender, payloads
from messaging.realtime.rendering import Reader
from messaging.realtime.sse import Stream
from tests.messaging.live_site import EventStream, WebProcess, session_of, web_process
from tests.messaging.redis_server import RedisServer
from tools.local_stack.ports import free_port
from users.models import User

pytestmark = pytest.mark.django_db(transaction=True)

GROUP = uuid4()


def large(members: list[UUID], seq: int) -> str:
    """Return a message of the maximum length as it is published on the bus."""
    author = Sender(uuid4(), "Andrew Brown", "andrewbrown")
    message = Message(GROUP, format_created_at(timezone.now()), seq, "\U0001f44b" * 1024, uuid4(), author.uuid)
    (payload,) = payloads(MessageSent(frozenset(members), seq, message, author))
    return payload


def tell(person: User, seq: int = 1) -> None:
    """Publish an event for this person's streams."""
    publish.read(group_uuid=GROUP, user_uuid=uuid4(), seq=seq, member_uuids=[person.uuid])


# --- Slow readers -----------------------------------------------------------------------------------------------------


def test_a_reader_who_is_too_slow_is_told_to_compare_and_dropped() -> None:
    async def said() -> list[bytes]:
        stream = Stream(Reader(uuid4(), None, "en"), session_key="", fingerprint="", checked_at=0.0)
        for number in range(sse.QUEUE_FRAMES + 50):
            stream.offer(b"%d" % number)
        stream.close()
        return [frame async for frame in stream.frames()]

    assert asyncio.run(said()) == [b'event: bye\ndata: {"reason":"slow"}\n\n']


def test_queued_events_are_sent_in_order() -> None:
    async def said() -> list[bytes]:
        stream = Stream(Reader(uuid4(), None, "en"), session_key="", fingerprint="", checked_at=0.0)
        for number in range(sse.QUEUE_FRAMES):
            stream.offer(b"%d," % number)
        stream.close()
        return [frame async for frame in stream.frames()]

    assert b"".join(asyncio.run(said())) == b"".join(b"%d," % number for number in range(sse.QUEUE_FRAMES))


def test_a_reader_who_does_not_read_delays_nobody_and_is_dropped(
    site: WebProcess, andrew: User, bayko: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "SEND_SECONDS", 0.3)
    members = [bayko.uuid, andrew.uuid]
    with (
        EventStream.open(site.port, session_of(bayko)) as stuck,
        EventStream.open(site.port, session_of(andrew)) as well,
    ):
        well.next()
        (hub,) = site.application._hubs.values()
        assert len(hub) == 2
        # 200 messages of 4 KB a round are more than the sockets and the server's own buffer take for long.
        for _ in range(100):
            if len(hub) == 1:
                break
            for seq in range(20):
                bus().publish([large(members, seq)])
                well.next()
        assert len(hub) == 1
        assert stuck.status == 200


# --- The bus goes away ------------------------------------------------------------------------------------------------


def end_listeners() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'cruddur live'"
        )
        return int(cursor.fetchone()[0])


@pytest.mark.usefixtures("with_migration_role")  # it ends a session that began as the tests' own role
def test_a_lost_notify_connection_is_made_anew_and_pages_are_told_to_compare(site: WebProcess, bayko: User) -> None:
    with EventStream.open(site.port, session_of(bayko)) as stream:
        stream.next()
        for seq in range(3):
            assert end_listeners() == 1

            assert stream.next() == ("resync", {})
            tell(bayko, seq)
            assert stream.next()[1]["seq"] == seq


def test_a_redis_that_was_restarted_is_heard_again_and_pages_are_told_to_compare(
    redis_server: RedisServer, site: WebProcess, bayko: User
) -> None:
    with EventStream.open(site.port, session_of(bayko)) as stream:
        stream.next()
        redis_server.stop()
        tell(bayko)
        redis_server.start()

        assert stream.next() == ("resync", {})
        tell(bayko, 7)
        assert stream.next()[1]["seq"] == 7


def test_a_stream_opens_without_the_bus_and_is_told_when_it_is_there(
    redis_server: RedisServer, site: WebProcess, bayko: User
) -> None:
    redis_server.stop()
    with EventStream.open(site.port, session_of(bayko)) as stream:
        assert stream.next()[0] == "ready"
        redis_server.start()

        assert stream.next() == ("resync", {})


@pytest.mark.parametrize("payload", ["nonsense", '{"kind": "hint"}', "[]", "🙃"])
def test_foreign_message_on_the_bus_is_ignored(
    payload: str, each_bus: str, site: WebProcess, bayko: User, caplog: pytest.LogCaptureFixture
) -> None:
    with EventStream.open(site.port, session_of(bayko)) as stream:
        stream.next()
        bus().publish([payload])
        tell(bayko)

        assert stream.next()[0] == "seen"
    assert "none of ours" in caplog.text
    assert payload not in caplog.text


# --- Stopping ---------------------------------------------------------------------------------------------------------


def test_a_server_that_stops_ends_its_streams_well(bayko: User, caplog: pytest.LogCaptureFixture) -> None:
    with web_process() as site:
        found = [EventStream.open(site.port, session_of(bayko)) for _ in range(5)]
        for stream in found:
            stream.next()

        site.stop()
        assert [stream.rest() for stream in found] == [[]] * 5
        for stream in found:
            stream.close()
    assert "Exception in ASGI application" not in caplog.text


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_streams_before_the_server_would_wait_for_them(number: signal.Signals, bayko: User) -> None:
    port = free_port()
    environment = os.environ | {"DATABASE_URL": database_url(), "CRUDDUR_ENV": "test"}
    command = [sys.executable, "-m", "uvicorn", "cruddur.asgi:application", "--no-proxy-headers",
               "--port", str(port), "--lifespan", "on"]  # fmt: skip
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as server:
        try:
            wait_until(lambda: answers(port))
            with EventStream.open(port, session_of(bayko)) as stream:
                stream.next()
                server.send_signal(number)

                # Without a time limit for its graceful shutdown uvicorn itself would wait for ever.
                assert stream.rest() == []
                server.wait(60)
        finally:
            server.kill()
        assert server.stderr is not None
        assert "Traceback" not in server.stderr.read()


def database_url() -> str:
    database = connection.settings_dict
    host = f"{database['HOST']}:{database['PORT']}"
    return f"postgres://{database['USER']}:{database['PASSWORD']}@{host}/{database['NAME']}"


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=60).close()
    except OSError:
        return False
    return True


# --- Very many --------------------------------------------------------------------------------------------------------

MANY = 1000


def test_a_thousand_streams_need_no_connection_to_postgres_and_no_thread_each(
    site: WebProcess, andrew: User, bayko: User, settings: Settings
) -> None:
    settings.LIVE_STREAMS_A_PERSON = MANY
    session_key = session_of(bayko)
    others = len(sessions_of_postgres())
    with EventStream.open(site.port, session_key) as stream:
        stream.next()
        threads = threading.active_count()
        held = asyncio.run(hold(site, session_key, bayko, threads=threads, sessions=others + 1))

    assert held == MANY


async def hold(site: WebProcess, session_key: str, person: User, *, threads: int, sessions: int) -> int:
    """Open as many, look at what they cost, let each hear one event; returns how many heard it."""
    request = (
        f"GET /messages/stream HTTP/1.1\r\nHost: localhost\r\n"
        f"Cookie: {django_settings.SESSION_COOKIE_NAME}={session_key}\r\n\r\n"
    ).encode()

    async def opened() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(request)
        await reader.readuntil(b"event: ready")
        return reader, writer

    found = [pair for _ in range(MANY // 100) for pair in await asyncio.gather(*(opened() for _ in range(100)))]
    # The check of the sessions lets go of its own a moment later.
    await asyncio.to_thread(wait_until, lambda: len(sessions_of_postgres()) <= sessions)
    # The one that waits in asyncio.to_thread is ours, and that of the check may stay, one for all of them.
    assert threading.active_count() <= threads + 4
    await asyncio.to_thread(tell_from_thread, person)
    heard = await asyncio.gather(*(reader.readuntil(b"event: seen") for reader, _ in found))
    for _, writer in found:
        writer.close()
    return len(heard)


def tell_from_thread(person: User) -> None:
    try:
        tell(person)
    finally:
        connection.close()


def sessions_of_postgres() -> list[str]:
    """Return the names of this database's connections without the querying one and the test's own."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT application_name FROM pg_stat_activity WHERE datname = current_database()"
                " AND application_name LIKE 'cruddur%'"
            )
            return [name for (name,) in cursor.fetchall()]
    finally:
        connection.close()


def wait_until(is_so: object, seconds: float = 60.0) -> None:
    assert callable(is_so)
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)
