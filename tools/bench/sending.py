"""Measure messages per second through web, table and worker, in one and a thousand conversations, and list lag.

.venv/bin/python -m tools.bench.sending --seconds 20 --clients 8
"""

from __future__ import annotations

from cruddur.cli import program

if __name__ == "__main__":
    # What follows takes long to import.
    program.watch_for_ctrl_c()

import json
import os
import signal
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPConnection
from itertools import combinations, islice
from math import isqrt
from pathlib import Path

from .figures import Figure, add_json_option, at_percentiles, tell
from .running_worker import Worker, lags, running_worker
from .senders import Sending, Talk, send_for, send_times
from .stack import HOST, NO_LIMITS, Server, say, signed_in, stack, web_server
from .units import PATH

ALONE = 5
BURST = 100
BEGUN = 2
"""Messages in each conversation at the start."""


@dataclass(frozen=True)
class Course:
    """One kind of load and its results."""

    name: str
    talks: Sequence[Talk]
    sending: Sending
    taken: Counter[str]
    """Units and calls of web and worker together, and seconds of processor of each."""
    clients: int

    def per_message(self, kind: str) -> float:
        return self.taken[kind] / len(self.sending.sent)

    def write_units(self) -> Figure:
        return Figure(f"sending/{self.name}/write units a message", self.per_message("write units"), "write units")

    def calls(self) -> Figure:
        return Figure(f"sending/{self.name}/calls a message", self.per_message("calls"), "calls")


@dataclass(frozen=True)
class Site:
    """The web processes and the worker."""

    servers: Sequence[Server]
    worker: Worker

    def taken(self) -> Counter[str]:
        """Return the units, calls and processor seconds of all processes so far."""
        found = Counter(self.worker.units())
        found["worker"] = self.worker.cpu_seconds()  # type: ignore[assignment]
        for server in self.servers:
            found["web"] += server.cpu_seconds()  # type: ignore[assignment]
            found.update(units_of(server))
        return found

    def course(
        self, name: str, talks: Sequence[Talk], sending: Sending, before: Counter[str], clients: int = 1
    ) -> Course:
        """Return what a load consumed, once the worker has caught up."""
        self.worker.wait_until_drained()
        after = self.taken()
        after.subtract(before)
        say(f"  {name}: {len(sending.sent)} messages in {sending.seconds:.1f} s, {sending.failed} failed")
        return Course(name, talks, sending, after, clients)


def units_of(server: Server) -> dict[str, float]:
    connection = HTTPConnection(HOST, server.port, timeout=10)
    connection.request("GET", PATH)
    found: dict[str, float] = json.loads(connection.getresponse().read())
    connection.close()
    return found


def begin_talks(count: int) -> list[Talk]:
    """Create so many conversations between as few people as possible."""
    from django.utils import timezone  # noqa: PLC0415 - once the environment names the stack

    from messaging.domain.entities import pair_group_uuid  # noqa: PLC0415
    from messaging.dynamodb.connection import message_table  # noqa: PLC0415
    from messaging.operations.seeding import SyntheticSeeding  # noqa: PLC0415
    from messaging.operations.synthetic import SyntheticConversation as Told  # noqa: PLC0415

    people = [signed_in(f"person_{number}x") for number in range(2 + isqrt(2 * count))]
    pairs = list(islice(combinations(people, 2), count))
    told = (Told((one.uuid, other.uuid), BEGUN, f"sending/{n}") for n, (one, other) in enumerate(pairs))
    SyntheticSeeding(message_table(), timezone.now()).write(told)
    return [Talk(str(pair_group_uuid(one.uuid, other.uuid)), (one, other)) for one, other in pairs]


def measure(
    worker: Worker, servers: Sequence[Server], talks: Sequence[Talk], *, seconds: float, clients: int
) -> Iterator[Course]:
    """Run the loads one after the other."""
    site = Site(servers, worker)
    quiet, hot, many = talks[0], talks[1:2], talks[2:]
    for server in servers:
        send_times(ALONE, server=server, talk=quiet)
    worker.wait_until_drained()
    before = site.taken()
    alone = Sending()
    for _ in range(ALONE):
        one = send_times(1, server=servers[0], talk=quiet)
        alone.sent += one.sent
        alone.seconds += one.seconds
        worker.wait_until_drained()
    yield site.course("one at a time", [quiet], alone, before)
    before = site.taken()
    # The stream delivers them together, as with a batching window.
    os.kill(worker.process.pid, signal.SIGSTOP)
    try:
        burst = send_times(BURST, server=servers[0], talk=quiet)
    finally:
        os.kill(worker.process.pid, signal.SIGCONT)
    yield site.course(f"a burst of {BURST}", [quiet], burst, before)
    for its, at_once in ((hot, len(hot[0].members)), (hot, clients), (many, clients)):
        before = site.taken()
        sending = send_for(seconds, servers=servers, talks=its, clients=at_once)
        name = f"{len(its):,} conversation{'s' * (len(its) > 1)}, {at_once} clients"
        yield site.course(name, its, sending, before, clients=at_once)


def bare(talks: Sequence[Talk], *, seconds: float, clients: int, processes: int) -> float:
    """Return the messages per second that boto3 alone stores from so many processes and clients."""
    from messaging.dynamodb.connection import message_table  # noqa: PLC0415

    table = message_table()
    groups = [talk.group for talk in talks]
    share = str(max(1, clients // processes))
    command = [sys.executable, "-m", "tools.bench.bare_sends", str(table.client.meta.endpoint_url), table.name, share]
    with ExitStack() as running:
        started = [
            running.enter_context(
                subprocess.Popen(  # noqa: S603 - our own
                    [*command, str(seconds), *(groups[number::processes] or groups[:1])], stdout=subprocess.PIPE
                )
            )
            for number in range(processes)
        ]
        return sum(int(each.communicate()[0]) for each in started) / seconds


def figures_of(course: Course, *, alone: Course, most: float, milliseconds: Sequence[float]) -> Iterator[Figure]:
    """Yield the figures of a sustained load."""
    root = f"sending/{course.name}"
    bound = Figure(f"{root}/bare calls", most, "messages/s")
    yield bound
    yield Figure(f"{root}/messages", course.sending.a_second, "messages/s").against(bound)
    yield from at_percentiles(f"{root}/answer", [each.milliseconds for each in course.sending.sent])
    yield from at_percentiles(f"{root}/lag", milliseconds)
    yield course.write_units().against(alone.write_units())
    yield course.calls().against(alone.calls())
    yield Figure(f"{root}/refused", course.per_message("refused"), "sends a message")
    yield Figure(f"{root}/failed", course.sending.failed, "messages")
    for part in ("web", "worker"):
        yield Figure(f"{root}/processor of the {part}", course.per_message(part) * 1000, "ms a message")


def run(*, seconds: float, clients: int, conversations: int, processes: int) -> Iterator[Figure]:
    """Yield all figures, measured on a separate stack."""
    with stack(environment=NO_LIMITS), ExitStack() as ends, tempfile.TemporaryDirectory() as directory:
        say(f"sending: {conversations:,} conversations, {clients} clients, {processes} web processes")
        talks = begin_talks(conversations + 2)
        with running_worker(Path(directory)) as worker:
            servers = [ends.enter_context(web_server("tools.bench.metered_site:application")) for _ in range(processes)]
            courses = list(measure(worker, servers, talks, seconds=seconds, clients=clients))
            ends.close()
        alone, burst, *sustained = courses
        moved = worker.moved()
        yield alone.write_units()
        yield alone.calls()
        yield from at_percentiles("sending/one at a time/lag", lags(alone.sending.sent, alone.talks, moved))
        yield burst.write_units().against(alone.write_units())
        yield burst.calls().against(alone.calls())
        for course in sustained:
            most = bare(course.talks, seconds=seconds / 2, clients=course.clients, processes=processes)
            milliseconds = lags(course.sending.sent, course.talks, moved)
            yield from figures_of(course, alone=alone, most=most, milliseconds=milliseconds)


def main(arguments: Sequence[str]) -> int:
    parser = ArgumentParser(
        prog="tools.bench.sending", description="Measure sending, and how far behind the lists are."
    )
    parser.add_argument("--seconds", type=float, default=20, help="of each sustained load (20)")
    parser.add_argument("--clients", type=int, default=8, help="that send at once (8)")
    parser.add_argument("--conversations", type=int, default=1000, help="of the wide load (1000)")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="of the web (one a core)")
    add_json_option(parser)
    options = parser.parse_args(arguments)
    figures = run(
        seconds=options.seconds,
        clients=options.clients,
        conversations=options.conversations,
        processes=options.processes,
    )
    tell(figures, as_json=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(program.run(lambda: main(sys.argv[1:]), is_loaded=True))
