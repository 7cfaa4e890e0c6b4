"""Many senders at once through the whole site, in one web process and in two: each message is stored once."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from cruddur import asgi
from cruddur.web.concurrency_limit import ConcurrencyLimit
from messaging.actions import send_limits, send_message
from messaging.actions import send_message as send_message_actions
from messaging.actions.send_queue import SendQueue
from messaging.domain.entities import pair_group_uuid
from messaging.dynamodb.client import Unavailable
from messaging.dynamodb.table import MessageTable
from messaging.realtime.endpoint import LiveApplication
from tests.cookies import COOKIES
from tests.messaging.live_site import serving, session_of
from tests.messaging.pages import draft_of, hidden_of
from tests.messaging.talk import start
from users.models import User

from .queue_lines import is_idle, waiting_in

pytestmark = pytest.mark.django_db(transaction=True)

HANGS = 120.0
"""Seconds after which a test that waits for something gives up; nothing is asserted of the time itself."""
CSRF = "c" * 32


@dataclass
class Process:
    """A web process with a queue of its own, and what it did."""

    port: int
    queue: SendQueue


@contextmanager
def web_process() -> Iterator[Process]:
    """Serve the whole site, with what is ahead of Django, at a free port."""
    site: Any = asgi.site(get_asgi_application())
    layers = list(layers_of(site))
    (live,) = (layer for layer in layers if isinstance(layer, LiveApplication))
    (queue,) = (layer for layer in layers if isinstance(layer, SendQueue))
    with serving(site, live) as process:
        yield Process(process.port, queue)


def layers_of(site: Any) -> Iterator[Any]:
    """Yield the site's ASGI applications from the outermost to Django's handler."""
    while site is not None:
        yield site
        site = getattr(site, "_application", None) or getattr(site, "_django", None)


@dataclass
class Sender:
    """A tab of somebody's, which sends one message."""

    person: User
    session: str
    port: int
    text: str
    message_uuid: UUID = field(default_factory=uuid4)
    accept: str = "application/json"
    path: str = ""

    def post(self, path: str = "", **form: str) -> HTTPResponse:
        """Post the message and return the answer, with its body read into `text`."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=HANGS)
        body = {"message": self.text, "message_uuid": str(self.message_uuid), "after": "", **form}
        headers = {
            "Host": "localhost",
            "Cookie": f"{COOKIES.session}={self.session}; {COOKIES.csrf}={CSRF}; {COOKIES.timezone}=UTC",
            "X-CSRFToken": CSRF,
            "Accept": self.accept,
            "Content-Type": "application/x-www-form-urlencoded",
        }
        connection.request("POST", path or self.path, urlencode(body), headers)
        answer = connection.getresponse()
        answer.text = answer.read().decode()  # type: ignore[attr-defined]
        connection.close()
        return answer


@pytest.fixture
def group(andrew: User, bayko: User, table: MessageTable) -> UUID:
    """Create a conversation of two people with one message."""
    start(by=andrew.uuid, to=bayko.uuid, now=timezone.now() - timedelta(minutes=1))
    return pair_group_uuid(andrew.uuid, bayko.uuid)


@pytest.fixture
def patient(settings: Settings) -> None:
    """Raise the queue's timeout: a loaded machine takes longer than two seconds for 32 messages."""
    settings.SEND_QUEUE_SECONDS = HANGS


def clients(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, thread_name_prefix="client")


class Gate:
    """Holds the first write back until the test opens it, and counts how many write at once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.entered, self.opened = threading.Event(), threading.Event()
        self.at_once = self.most_at_once = 0
        self.counting = threading.Lock()
        append = send_message.append

        def counted(*arguments: Any, **how: Any) -> Any:
            with self.counting:
                self.at_once += 1
                self.most_at_once = max(self.most_at_once, self.at_once)
            try:
                self.entered.set()
                assert self.opened.wait(HANGS)
                return append(*arguments, **how)
            finally:
                with self.counting:
                    self.at_once -= 1

        monkeypatch.setattr(send_message_actions, "append", counted)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate = Gate(monkeypatch)
    yield gate
    gate.opened.set()


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch) -> Counter[User]:
    """Count how often each person took the rate-limit tokens of a message."""
    taken: Counter[User] = Counter()
    take = send_limits.take_to_write

    def counted(person: User, *arguments: Any, **how: Any) -> None:
        taken[User.objects.get(pk=person.pk)] += 1
        take(person, *arguments, **how)

    monkeypatch.setattr(send_limits, "take_to_write", counted)
    return taken


def eventually(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    pause = threading.Event()
    for _ in range(int(HANGS / 0.02)):
        if is_so():
            return
        pause.wait(0.02)
    raise AssertionError


def senders_of(people: Sequence[User], processes: Sequence[Process], group: UUID, count: int) -> list[Sender]:
    """Open tabs, each with a session of its own, for people in turn, spread over the processes."""
    return [
        Sender(
            person := people[number // len(processes) % len(people)],
            session_of(person),
            processes[number % len(processes)].port,
            f"Message {number}",
            path=f"/messages/{group}",
        )
        for number in range(count)
    ]


def stored_in(table: MessageTable, group: UUID) -> list[Any]:
    return table.messages_after(group, "", limit=200)


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("count", [2, 4, 8, 16, 32])
def test_simultaneous_sends_are_each_stored_once(
    processes: int, count: int, group: UUID, andrew: User, bayko: User, table: MessageTable, patient: None
) -> None:
    together = threading.Barrier(count, timeout=HANGS)
    with ExitStack() as ends:
        webs = [ends.enter_context(web_process()) for _ in range(processes)]
        senders = senders_of((andrew, bayko), webs, group, count)

        def send(sender: Sender) -> int:
            together.wait()
            return sender.post().status

        with clients(count) as pool:
            assert list(pool.map(send, senders)) == [201] * count
        assert all(is_idle(web.queue.lines) for web in webs)

    messages = stored_in(table, group)
    assert [message.seq for message in messages] == list(range(1, count + 2))
    assert sorted(message.message_uuid for message in messages[1:]) == sorted(each.message_uuid for each in senders)


def test_in_one_process_the_table_refuses_none_of_many_senders(
    group: UUID, andrew: User, bayko: User, table: MessageTable, patient: None, gate: Gate
) -> None:
    moved = []
    table.client.meta.events.register(
        "after-call.dynamodb.TransactWriteItems",
        lambda http_response, **_: moved.append(1) if http_response.status_code != 200 else None,
    )
    with web_process() as web, clients(16) as pool:
        answers = [pool.submit(each.post) for each in senders_of((andrew, bayko), [web], group, 16)]
        eventually(lambda: waiting_in(web.queue.lines, group) == 15)
        gate.opened.set()
        assert {each.result(HANGS).status for each in answers} == {201}

    assert gate.most_at_once == 1
    assert moved == []


def test_a_request_that_waits_has_not_entered_the_turns_of_the_process() -> None:
    """Inside of them each would keep a turn, and the process would stand still for a second for each."""
    site: Any = asgi.site(get_asgi_application())

    order = [type(each) for each in layers_of(site) if isinstance(each, SendQueue | ConcurrencyLimit)]

    assert order == [SendQueue, ConcurrencyLimit]


def test_a_wait_takes_no_thread_no_connection_and_no_token(
    group: UUID,
    andrew: User,
    bayko: User,
    londo: User,
    table: MessageTable,
    patient: None,
    gate: Gate,
    tokens: Counter[User],
) -> None:
    count = 24
    with web_process() as web, clients(count) as pool:
        (first, *others) = senders_of((andrew, bayko), [web], group, count)
        writing = pool.submit(first.post)
        assert gate.entered.wait(HANGS)
        threads, connections = threads_of_requests(), connections_to_postgres()
        waiting = [pool.submit(each.post) for each in others]
        eventually(lambda: waiting_in(web.queue.lines, group) == count - 1)

        # The requests that found somebody writing have let go of what they had.
        eventually(lambda: threads_of_requests() <= threads)
        eventually(lambda: connections_to_postgres() <= connections)
        assert tokens == {andrew: 1}
        # More wait than the process works on at a time, and another page is answered all the same.
        assert count > settings.REQUESTS_AT_ONCE
        page = Sender(londo, session_of(londo), web.port, "", path="/messages/token").post()
        assert page.status == 405

        gate.opened.set()
        assert {each.result(HANGS).status for each in (writing, *waiting)} == {201}
    assert tokens == {andrew: count / 2, bayko: count / 2}


def test_a_message_refused_by_the_queue_is_stored_once_when_it_is_sent_again(
    group: UUID,
    andrew: User,
    bayko: User,
    table: MessageTable,
    settings: Settings,
    gate: Gate,
    tokens: Counter[User],
) -> None:
    settings.SEND_QUEUE_SECONDS = 0.01
    with web_process() as web, clients(2) as pool:
        first, second = senders_of((andrew, bayko), [web], group, 2)
        writing = pool.submit(first.post)
        assert gate.entered.wait(HANGS)
        refused = [second.post() for _ in range(3)]
        second.accept = "text/html"
        page: Any = second.post()
        assert tokens == {andrew: 1}

        gate.opened.set()
        writing.result(HANGS)
        assert second.post().status == 303

    assert {(each.status, each.headers["Retry-After"]) for each in (*refused, page)} == {(429, "1")}
    assert {json.loads(each.text)["error"] for each in refused} == {"conversation_busy"}  # type: ignore[attr-defined]
    # Without script the text is kept, in a form that sends the same message.
    assert draft_of(page) == second.text
    assert hidden_of(page)["message_uuid"] == str(second.message_uuid)
    assert [message.message for message in stored_in(table, group)] == ["Hello", first.text, second.text]


@pytest.mark.parametrize("address", ["send", "edit", "delete", "start"])
def test_every_message_write_uses_the_queue(
    address: str,
    group: UUID,
    andrew: User,
    bayko: User,
    table: MessageTable,
    settings: Settings,
    gate: Gate,
) -> None:
    settings.SEND_QUEUE_SECONDS = 0.01
    (message,) = stored_in(table, group)
    paths = {
        "send": f"/messages/{group}",
        "edit": f"/messages/{group}/{message.created_at}/edit",
        "delete": f"/messages/{group}/{message.created_at}/delete",
        "start": f"/messages/new/{bayko.handle}",
    }
    with web_process() as web, clients(1) as pool:
        first, second = senders_of((bayko, andrew), [web], group, 2)
        writing = pool.submit(first.post)
        assert gate.entered.wait(HANGS)
        assert second.post(paths[address]).status == 429

        gate.opened.set()
        writing.result(HANGS)
        assert second.post(paths[address]).status in (200, 201)
        assert is_idle(web.queue.lines)


def test_an_outsider_is_answered_at_once_while_members_write_and_wait(
    group: UUID, andrew: User, bayko: User, londo: User, table: MessageTable, patient: None, gate: Gate
) -> None:
    with web_process() as web, clients(2) as pool:
        writing = [pool.submit(each.post) for each in senders_of((andrew, bayko), [web], group, 2)]
        eventually(lambda: waiting_in(web.queue.lines, group) == 1)
        outsider = Sender(londo, session_of(londo), web.port, "Mine", path=f"/messages/{group}")
        assert [outsider.post().status for _ in range(3)] == [404] * 3
        nobody = Sender(londo, "x" * 32, web.port, "Mine", path=f"/messages/{group}")
        assert nobody.post().status == 403
        assert waiting_in(web.queue.lines, group) == 1

        gate.opened.set()
        assert {each.result(HANGS).status for each in writing} == {201}


def test_a_write_that_fails_gives_the_turn_to_the_next(
    group: UUID, andrew: User, bayko: User, table: MessageTable, patient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing, entered, append = threading.Event(), threading.Event(), send_message.append

    def fail_once(*arguments: Any, **how: Any) -> Any:
        if not entered.is_set():
            entered.set()
            assert failing.wait(HANGS)
            raise Unavailable
        return append(*arguments, **how)

    monkeypatch.setattr(send_message_actions, "append", fail_once)
    with web_process() as web, clients(2) as pool:
        first, second = senders_of((andrew, bayko), [web], group, 2)
        one: Future[HTTPResponse] = pool.submit(first.post)
        assert entered.wait(HANGS)
        other = pool.submit(second.post)
        eventually(lambda: waiting_in(web.queue.lines, group) == 1)
        failing.set()
        assert (one.result(HANGS).status, other.result(HANGS).status) == (503, 201)
        assert is_idle(web.queue.lines)


def threads_of_requests() -> int:
    """Return how many threads of this process work for requests; those of the test's clients have another name."""
    return sum("ThreadPoolExecutor" in thread.name for thread in threading.enumerate())


def connections_to_postgres() -> int:
    """Return how many sessions Postgres has for this database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return int(cursor.fetchone()[0])
