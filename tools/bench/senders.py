"""Clients that send messages through the web as fast as they get responses, and their records."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection
from itertools import cycle
from threading import Thread
from typing import Self
from urllib.parse import urlencode
from uuid import uuid4

from .bare_sends import TEXT
from .stack import CSRF, HOST, Person, Server, cookies, say

SECONDS_TO_ANSWER = 30


@dataclass
class Talk:
    """A conversation as its members' pages show it."""

    group: str
    members: tuple[Person, Person]
    newest: str = ""
    """The last message's `created_at`, which a page sends along."""
    next_sender: int = 0


@dataclass(frozen=True, slots=True)
class Sent:
    """A message with a response: its time on the monotonic clock, and the duration in milliseconds."""

    group: str
    sender: str
    seq: int
    answered_at: float
    milliseconds: float


@dataclass
class Sending:
    """The combined results of the clients."""

    sent: list[Sent] = field(default_factory=list)
    failed: int = 0
    seconds: float = 0.0

    def ended(self, began: float) -> Self:
        """Note how long it took. Raises SystemExit when nothing got through."""
        if not self.sent:
            raise SystemExit("No message was stored: BENCH_VERBOSE=1 shows why.")
        self.seconds = time.monotonic() - began
        return self

    @property
    def a_second(self) -> float:
        return len(self.sent) / self.seconds


def request_of(talk: Talk, sender: Person, message_uuid: str) -> tuple[str, str, dict[str, str]]:
    """Return path, body and headers of a message as a page sends it."""
    headers = {
        "Host": "localhost",
        "Cookie": cookies(session=sender.session, csrf=CSRF, timezone="UTC"),
        "X-CSRFToken": CSRF,
        "Accept": "application/json",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    body = urlencode({"message": TEXT, "message_uuid": message_uuid, "after": talk.newest})
    return f"/messages/{talk.group}", body, headers


def post(connection: HTTPConnection, talk: Talk, sender: Person) -> Sent | None:
    """Send a message as a page does; None when the answer is another than that it is stored."""
    began = time.monotonic()
    connection.request("POST", *request_of(talk, sender, str(uuid4())))
    answer = connection.getresponse()
    said = answer.read()
    if answer.status != HTTPStatus.CREATED:
        say(f"  a send was answered with {answer.status}: {said[:100]!r}")
        return None
    now = time.monotonic()
    stored = json.loads(said)
    talk.newest = max(talk.newest, stored["created_at"])
    return Sent(talk.group, str(sender.uuid), stored["seq"], now, (now - began) * 1000)


def send_for(seconds: float, *, servers: Sequence[Server], talks: Sequence[Talk], clients: int) -> Sending:
    """Let so many clients send for as long, each in its own conversations, or all in the only one."""
    found = Sending()
    began = time.monotonic()

    def work(number: int) -> None:
        connection = HTTPConnection(HOST, servers[number % len(servers)].port, timeout=SECONDS_TO_ANSWER)
        own = talks[number::clients] or talks[:1]
        for talk in cycle(own):
            if time.monotonic() - began > seconds:
                break
            # In a single conversation both members send; each client acts for one person.
            sender = talk.members[(number if len(talks) == 1 else talk.next_sender) % 2]
            talk.next_sender += 1
            sent = post(connection, talk, sender)
            if sent is None:
                found.failed += 1
            else:
                found.sent.append(sent)
        connection.close()

    threads = [Thread(target=work, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found.ended(began)


def send_times(count: int, *, server: Server, talk: Talk) -> Sending:
    """Send so many messages one after the other, the two in turn."""
    found = Sending()
    connection = HTTPConnection(HOST, server.port, timeout=SECONDS_TO_ANSWER)
    began = time.monotonic()
    for number in range(count):
        sent = post(connection, talk, talk.members[number % 2])
        if sent is None:
            found.failed += 1
        else:
            found.sent.append(sent)
    connection.close()
    return found.ended(began)
