"""Measure messages per second of concurrent senders in one conversation, with and without the send queue.

.venv/bin/python -m tools.bench.send_queue --seconds 20 --senders 2 16
"""

from __future__ import annotations

from cruddur.cli import program

if __name__ == "__main__":
    # What follows takes long to import.
    program.watch_for_ctrl_c()

import json
import sys
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection
from itertools import product
from statistics import median
from uuid import uuid4

from .figures import Figure, add_json_option, at_percentiles, tell
from .senders import SECONDS_TO_ANSWER, Talk, request_of
from .sending import begin_talks, units_of
from .stack import HOST, NO_LIMITS, Person, Server, cookies, say, signed_in, stack, web_server

SENDERS = (1, 2, 4, 8, 16, 32)
PROCESSES = 2
WITHOUT, WITH = "without a queue", "with the queue"
ROUNDS = 2
"""Each round runs each load with and without the queue, so that both see the same conditions."""
PAGE_SECONDS = 0.01
"""Seconds between two page requests: without a pause the reader alone would saturate the process."""


@dataclass
class Load:
    """The senders' results, all rounds together."""

    seconds: float = 0.0
    milliseconds: list[float] = field(default_factory=list)
    """Time of each message from its first request until it is stored."""
    by_sender: Counter[int] = field(default_factory=Counter)
    answers: Counter[int] = field(default_factory=Counter)
    pages: list[float] = field(default_factory=list)
    """Milliseconds of another page of the first process during the load."""
    stored: set[int] = field(default_factory=set)
    taken: Counter[str] = field(default_factory=Counter)


def send_until_stored(connection: HTTPConnection, talk: Talk, number: int, sender: Person, load: Load) -> None:
    """Send one message as the page's outbox does: the same one again, when the answer says so."""
    message_uuid, began = str(uuid4()), time.monotonic()
    while True:
        connection.request("POST", *request_of(talk, sender, message_uuid))
        answer = connection.getresponse()
        said = answer.read()
        load.answers[answer.status] += 1
        if answer.status == HTTPStatus.CREATED:
            load.milliseconds.append((time.monotonic() - began) * 1000)
            load.by_sender[number] += 1
            stored = json.loads(said)
            load.stored.add(stored["seq"])
            talk.newest = max(talk.newest, stored["created_at"])
            return
        if answer.status not in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
            raise SystemExit(f"A send was answered with {answer.status}: {said[:100]!r}")
        # The server closes idle connections after a few seconds.
        connection.close()
        time.sleep(float(answer.headers.get("Retry-After") or 1))


def run_load(load: Load, *, servers: Sequence[Server], talk: Talk, senders: int, seconds: float, reader: str) -> None:
    """Let so many senders write into the conversation, each message after the last one's answer."""
    began = time.monotonic()

    def send(number: int) -> None:
        connection = HTTPConnection(HOST, servers[number % len(servers)].port, timeout=SECONDS_TO_ANSWER)
        sender = talk.members[number // len(servers) % 2]
        while time.monotonic() - began < seconds:
            send_until_stored(connection, talk, number, sender, load)
        connection.close()

    def read() -> None:
        connection = HTTPConnection(HOST, servers[0].port, timeout=SECONDS_TO_ANSWER)
        while time.monotonic() - began < seconds:
            asked = time.monotonic()
            connection.request("GET", "/shortcuts", headers={"Host": "localhost", "Cookie": cookies(session=reader)})
            connection.getresponse().read()
            load.pages.append((time.monotonic() - asked) * 1000)
            time.sleep(PAGE_SECONDS)
        connection.close()

    before = taken_by(servers)
    with ThreadPoolExecutor(senders + 1) as threads:
        running = [threads.submit(send, number) for number in range(senders)] + [threads.submit(read)]
    for each in running:
        each.result()
    load.seconds += time.monotonic() - began
    after = taken_by(servers)
    after.subtract(before)
    load.taken.update(after)


def taken_by(servers: Sequence[Server]) -> Counter[str]:
    """Return units and calls of these processes so far."""
    found: Counter[str] = Counter()
    for server in servers:
        found.update(units_of(server))
    return found


def figures_of(root: str, loads: dict[str, Load], senders: int) -> Iterator[Figure]:
    """Tell what one load found with and without the queue."""
    without = Figure(f"{root}/{WITHOUT}/messages", rate(loads[WITHOUT]), "messages/s")
    yield without
    yield Figure(f"{root}/{WITH}/messages", rate(loads[WITH]), "messages/s").against(without)
    for name, load in loads.items():
        yield from at_percentiles(f"{root}/{name}/stored after", load.milliseconds)
        counts = [load.by_sender[number] for number in range(senders)]
        yield Figure(f"{root}/{name}/least served", min(counts) / max(counts), "of the most served")
        yield Figure(f"{root}/{name}/answered 503", load.answers[HTTPStatus.SERVICE_UNAVAILABLE], "answers")
        yield Figure(f"{root}/{name}/answered 429", load.answers[HTTPStatus.TOO_MANY_REQUESTS], "answers")
        yield Figure(f"{root}/{name}/conflicts", load.taken["refused"] / len(load.milliseconds), "a message")
        yield Figure(f"{root}/{name}/calls", load.taken["calls"] / len(load.milliseconds), "a message")
    yield Figure(f"{root}/{WITHOUT}/another page", median(loads[WITHOUT].pages), "ms")


def rate(load: Load) -> float:
    return len(load.milliseconds) / load.seconds


def run(*, seconds: float, senders: Sequence[int], processes: Sequence[int], rounds: int) -> Iterator[Figure]:
    """Yield all figures, on a stack of its own."""
    with stack(environment=NO_LIMITS), ExitStack() as ends:
        *talks, spare = begin_talks(2 * len(senders) * len(processes) + 1)
        reader = signed_in("reader").session
        servers = {
            name: [
                ends.enter_context(web_server("tools.bench.metered_site:application", environment=environment))
                for _ in range(max(processes))
            ]
            for name, environment in ((WITHOUT, {"SEND_QUEUE_SECONDS": "0"}), (WITH, {}))
        }
        for each in servers.values():
            run_load(Load(), servers=each, talk=spare, senders=2, seconds=1, reader=reader)
        own_talks = iter(talks)
        loads = {key: Load() for key in product(processes, senders, servers)}
        talk_of = {key: next(own_talks) for key in loads}
        for number in range(rounds):
            for key, load in loads.items():
                count, at_once, name = key
                its = servers[name][:count]
                run_load(load, servers=its, talk=talk_of[key], senders=at_once, seconds=seconds, reader=reader)
            say(f"  round {number + 1} of {rounds}")
    for count in processes:
        alone: Figure | None = None
        for at_once in senders:
            found = {name: loads[count, at_once, name] for name in servers}
            for load in found.values():
                if len(load.stored) != len(load.milliseconds):
                    raise SystemExit("Two messages have one number.")
            root = f"send_queue/{at_once} at once, {count} process{'es' * (count > 1)}"
            page = Figure(f"{root}/{WITH}/another page", median(found[WITH].pages), "ms")
            alone = alone or page
            yield from figures_of(root, found, at_once)
            yield page.against(alone) if page != alone else page


def main(arguments: Sequence[str]) -> int:
    parser = ArgumentParser(prog="tools.bench.send_queue", description="Measure many senders in one conversation.")
    parser.add_argument("--seconds", type=float, default=10, help="of each load in each round (10)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"with and without in turn ({ROUNDS})")
    parser.add_argument("--senders", type=int, nargs="+", default=SENDERS, help="at once (1 2 4 8 16 32)")
    parser.add_argument("--processes", type=int, nargs="+", default=range(1, PROCESSES + 1), help="of the web (1 2)")
    add_json_option(parser)
    options = parser.parse_args(arguments)
    figures = run(seconds=options.seconds, senders=options.senders, processes=options.processes, rounds=options.rounds)
    tell(figures, as_json=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(program.run(lambda: main(sys.argv[1:]), is_loaded=True))
