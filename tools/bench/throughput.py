"""Measure processor time: of a web process per request, the stream worker per change, Postgres per event.

.venv/bin/python -m tools.bench.throughput --requests 200
"""

from __future__ import annotations

from cruddur.cli import program

if __name__ == "__main__":
    # What follows takes long to import.
    program.watch_for_ctrl_c()

import os
import statistics
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID, uuid4

from .stack import CSRF, HOST, NO_LIMITS, People, Server, cookies, say, set_up, stack, web_server

WARM_UP = 30
TOGETHER = 4
"""Concurrent clients, to find the capacity of one process."""
CONVERSATIONS = 200
"""Conversations that change while the worker is timed."""
EVENTS = 2000
CONNECTIONS = 200
EVENT_BYTES = 1000


@dataclass(frozen=True)
class Person:
    """The sender's browser."""

    server: Server
    session: str

    def connection(self) -> HTTPConnection:
        return HTTPConnection(HOST, self.server.port, timeout=60)

    def ask(self, connection: HTTPConnection, method: str, path: str, **fields: str) -> Any:
        headers = {
            "Host": "localhost",
            "Cookie": cookies(session=self.session, csrf=CSRF, timezone="UTC"),
            "X-CSRFToken": CSRF,
            "Accept": "application/json" if fields else "text/html",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        connection.request(method, path, urlencode(fields) if fields else None, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status >= 300:  # noqa: PLR2004
            raise SystemExit(f"{method} {path}: {answer.status}")


def measure_web(server: Server, people: People, requests: int) -> None:
    """Measure the cost of each kind of request in sequence, and the requests per second of one process."""
    person = Person(server, people.sender)
    with_receiver = conversation_of_two(person, people)
    kinds: dict[str, Callable[[HTTPConnection], object]] = {
        "list of conversations": lambda at: person.ask(at, "GET", "/messages"),
        "conversation beside the list": lambda at: person.ask(at, "GET", with_receiver.page),
        "earlier messages": lambda at: person.ask(at, "GET", with_receiver.earlier),
        "the list anew (`rows`)": lambda at: person.ask(at, "GET", "/messages/rows"),
        "what a page lacks (`since`), nothing": lambda at: person.ask(at, "GET", with_receiver.since),
        "mark read": lambda at: person.ask(at, "POST", f"{with_receiver.page}/read", created_at=with_receiver.newest),
        "send": lambda at: person.ask(
            at, "POST", with_receiver.page, message="x" * 181, message_uuid=str(uuid4()), after=with_receiver.newest
        ),
    }
    for name, ask in kinds.items():
        connection = person.connection()
        for _ in range(WARM_UP):
            ask(connection)
        busy, postgres, times = server.cpu_seconds(), postgres_seconds(), []
        for _ in range(requests):
            began = time.perf_counter()
            ask(connection)
            times.append((time.perf_counter() - began) * 1000)
        took = (server.cpu_seconds() - busy) / requests * 1000
        of_postgres = (postgres_seconds() - postgres) / requests * 1000
        a_second = rate(person, ask, requests)
        say(
            f"{name}: {took:.1f} ms of a processor and {of_postgres:.1f} of Postgres's, "
            f"p50 {statistics.median(times):.0f} ms; {TOGETHER} at once: {a_second:.0f} a second"
        )


@dataclass(frozen=True)
class Pages:
    """URLs of the measured conversation."""

    page: str
    earlier: str
    since: str
    newest: str


def conversation_of_two(person: Person, people: People) -> Pages:
    """Create a conversation of 40 messages, and 20 others in the list."""
    from messaging.actions import send_message  # noqa: PLC0415 - once the environment names the stack
    from messaging.dynamodb.connection import message_table  # noqa: PLC0415
    from messaging.stream.projection import project  # noqa: PLC0415
    from users.models import User  # noqa: PLC0415

    receiver = User.objects.get(handle=people.receiver_handle)
    others = [User.objects.create_user(handle=f"other_{n:02}x", display_name=f"Other {n}") for n in range(20)]
    now = conversation_time()
    for other in (*others, receiver):
        first = send_message.start(
            user_uuid=people.sender_uuid, other_uuid=other.uuid, text="x" * 181, message_uuid=uuid4(), now=now
        )
    group, last = first.message.group_uuid, first
    for number in range(39):
        last = send_message.send(
            user_uuid=(people.sender_uuid, receiver.uuid)[number % 2], group_uuid=group, text="x" * 181,
            message_uuid=uuid4(), after="", now=now,
        )  # fmt: skip
    project(message_table(), message_table().conversations())
    newest = last.message.created_at
    since = f"/messages/{group}/since?version={last.version}&after={quote(newest)}&first="
    earlier = f"/messages/{group}/messages?before={quote(newest)}"
    return Pages(f"/messages/{group}", earlier, since, newest)


def conversation_time() -> Any:
    from django.utils import timezone  # noqa: PLC0415

    return timezone.now()


def rate(person: Person, ask: Callable[[HTTPConnection], object], requests: int) -> float:
    """Return the requests per second with several concurrent clients."""

    def client() -> None:
        connection = person.connection()
        for _ in range(requests // TOGETHER):
            ask(connection)

    threads = [Thread(target=client) for _ in range(TOGETHER)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return requests // TOGETHER * TOGETHER / (time.perf_counter() - began)


def measure_worker() -> None:
    """Measure how many changed conversations per second the worker applies, and the cost of each."""
    from messaging.actions import send_message  # noqa: PLC0415
    from messaging.domain.entities import pair_group_uuid  # noqa: PLC0415
    from messaging.dynamodb.connection import message_table, streams_client  # noqa: PLC0415
    from messaging.dynamodb.schema import stream_arn  # noqa: PLC0415
    from messaging.stream.checkpoints import PostgresCheckpoints  # noqa: PLC0415
    from messaging.stream.consumer import StreamConsumer  # noqa: PLC0415
    from messaging.stream.dead_letters import PostgresDeadLetters  # noqa: PLC0415

    table = message_table()
    arn = stream_arn(table)
    consumer = StreamConsumer(table, streams_client(), arn, PostgresCheckpoints(arn), PostgresDeadLetters(arn))
    consumer.begin()
    consumer.drain(Event())
    for _ in range(CONVERSATIONS):
        one, other = UUID(int=uuid4().int), UUID(int=uuid4().int)
        send_message.start(user_uuid=one, other_uuid=other, text="x", message_uuid=uuid4(), now=conversation_time())
        group = pair_group_uuid(one, other)
        send_message.send(
            user_uuid=other, group_uuid=group, text="y", message_uuid=uuid4(), after="", now=conversation_time()
        )
    before, busy, began = consumer.entries, time.process_time(), time.perf_counter()
    consumer.drain(Event())
    took, seconds = time.process_time() - busy, time.perf_counter() - began
    changed = (consumer.entries - before) / 2
    say(
        f"worker: {changed / seconds:.0f} changed conversations a second, {seconds / changed * 1000:.1f} ms each with "
        f"two writes one after the other, {took / changed * 1000:.1f} ms of a processor"
    )


def measure_hearing(server: Server, people: People) -> None:
    """Measure an event's cost in a process with open streams, none of which belongs to a receiver."""
    from messaging.realtime import publish as publish_module  # noqa: PLC0415

    person = Person(server, people.others)
    stream = person.connection()
    stream.request("GET", "/messages/stream", headers={"Host": "localhost", "Cookie": cookies(session=person.session)})
    answer = stream.getresponse()
    answer.read(20)
    busy, own, began = server.cpu_seconds(), time.process_time(), time.perf_counter()
    for number in range(EVENTS):
        publish_module.read(
            group_uuid=uuid4(), user_uuid=uuid4(), seq=number, member_uuids=frozenset((uuid4(), uuid4()))
        )
    seconds, own = time.perf_counter() - began, time.process_time() - own
    time.sleep(1.0)
    heard = (server.cpu_seconds() - busy) / EVENTS * 1000
    stream.close()
    say(
        f"an event: {heard:.2f} ms of a processor in each process that hears it for nobody; {own / EVENTS * 1000:.2f} "
        f"ms to publish it, {seconds / EVENTS * 1000:.1f} ms with Postgres"
    )


def measure_connections() -> None:
    """Measure the cost to Postgres of opening and closing a connection for each request."""
    from django.db import connection  # noqa: PLC0415

    busy = postgres_seconds()
    for _ in range(CONNECTIONS):
        connection.ensure_connection()
        connection.close()
    took = (postgres_seconds() - busy) / CONNECTIONS * 1000
    busy = postgres_seconds()
    connection.ensure_connection()
    for _ in range(CONNECTIONS):
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM users_user LIMIT 20")
    connection.close()
    statement = (postgres_seconds() - busy) / CONNECTIONS * 1000
    say(f"a connection: {took:.1f} ms of Postgres's processor; a statement that finds 20 people: {statement:.1f} ms")


def postgres_seconds() -> float:
    """Return the processor time of the Postgres server and all its sessions, including ended ones."""
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute("SHOW data_directory")
        directory = Path(cursor.fetchone()[0])
    connection.close()
    server = int((directory / "postmaster.pid").read_text().splitlines()[0])
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if server in (int(stat.parent.name), int(fields[1])):
                # The server's times include those of its ended children.
                total += sum(map(int, fields[11:15] if int(stat.parent.name) == server else fields[11:13]))
    return total / os.sysconf("SC_CLK_TCK")


def measure_notify() -> None:
    """Measure how many events per second Postgres accepts and delivers to one listener."""
    import psycopg  # noqa: PLC0415
    from django.conf import settings  # noqa: PLC0415

    url = "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**settings.DATABASES["default"])
    payload = "x" * EVENT_BYTES
    with psycopg.connect(url, autocommit=True) as listening:
        listening.execute("LISTEN bench")

        def publish() -> None:
            with psycopg.connect(url, autocommit=True) as connection:
                for _ in range(EVENTS // TOGETHER):
                    connection.execute("SELECT pg_notify('bench', %s)", [payload])

        threads = [Thread(target=publish) for _ in range(TOGETHER)]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        heard = sum(1 for _ in listening.notifies(timeout=30, stop_after=EVENTS // TOGETHER * TOGETHER))
        seconds = time.perf_counter() - began
        for thread in threads:
            thread.join()
    say(f"NOTIFY: {heard / seconds:,.0f} events of {EVENT_BYTES:,} bytes a second from {TOGETHER} connections to one")


def main(arguments: Sequence[str]) -> int:
    parser = ArgumentParser(
        prog="tools.bench.throughput", description="Measure what requests, changes and events take."
    )
    parser.add_argument("--requests", type=int, default=200, help="of each kind (200)")
    options = parser.parse_args(arguments)
    with stack(environment=NO_LIMITS):
        people = set_up()
        with web_server() as server:
            measure_web(server, people, options.requests)
            measure_hearing(server, people)
        measure_connections()
        measure_worker()
        measure_notify()
    return 0


if __name__ == "__main__":
    sys.exit(program.run(lambda: main(sys.argv[1:]), is_loaded=True))
