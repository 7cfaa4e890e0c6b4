"""Measure the time from a sender's request to the receiver's open stream, and the cost of open streams.

.venv/bin/python -m tools.bench.live --messages 200 --streams 1 100 1000
"""

from __future__ import annotations

from cruddur.cli import program

if __name__ == "__main__":
    # What follows takes long to import.
    program.watch_for_ctrl_c()

import asyncio
import sys
import time
from argparse import ArgumentParser
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median
from uuid import uuid4

from .figures import Figure, add_json_option, at_percentiles, tell
from .live_clients import Page, Streams, answered, send
from .stack import NO_LIMITS, People, Person, Server, say, set_up, signed_in, stack, web_server

WARM_UP = 50
IDLE_SECONDS = 30.0


@dataclass
class Times:
    """In milliseconds from the beginning of each request."""

    heard: list[float] = field(default_factory=list)
    """Until the last of the listeners has the message."""
    answered: list[float] = field(default_factory=list)
    """Until the sender has the response: the request itself."""

    def figures(self, name: str) -> Iterator[Figure]:
        """Yield figures, each compared with the time of the sender's response, which is most of it."""
        answers = list(at_percentiles(f"{name}/sender's answer", self.answered))
        yield from answers
        for heard, answer in zip(at_percentiles(f"{name}/heard", self.heard), answers, strict=True):
            yield heard.against(answer)


async def delivery_times(page: Page, listeners: Streams, messages: int) -> Times:
    """Send as many messages, one after the other."""

    async def heard(reader: asyncio.StreamReader, text: str) -> None:
        await reader.readuntil(text.encode())
        await reader.readuntil(b"\n\n")

    times = Times()
    for number in range(messages):
        text = f"message-{number}-{uuid4().hex}"
        listening = [asyncio.create_task(heard(reader, text)) for reader, _ in listeners.open]
        began = time.perf_counter()

        async def until_answered(text: str = text, began: float = began) -> None:
            await page.send(text)
            times.answered.append((time.perf_counter() - began) * 1000)

        sending = asyncio.create_task(until_answered())
        await asyncio.gather(*listening)
        times.heard.append((time.perf_counter() - began) * 1000)
        await sending
    return times


async def measure(
    server: Server, people: People, crowd_people: Sequence[Person], *, counts: Sequence[int], messages: int
) -> AsyncIterator[Figure]:
    """Measure delivery with so many open streams, and the cost of those streams."""
    crowd, listeners = Streams(server.port), Streams(server.port)
    await listeners.add([people.receiver])
    first = await send(server.port, people.sender, f"/messages/new/{people.receiver_handle}", "first")
    page = Page(server.port, people.sender, first["url"], first["created_at"])
    await delivery_times(page, listeners, 10)
    await crowd.add([each.session for each in crowd_people[:WARM_UP]])
    crowd.close()
    await asyncio.sleep(1)
    before = server.resident_kb()
    for count in counts:
        await crowd.add([each.session for each in crowd_people[len(crowd.open) : count - 1]])
        await asyncio.sleep(1)
        times = await delivery_times(page, listeners, messages)
        for figure in times.figures(f"live/{count:,} open"):
            yield figure
    many = len(crowd.open)
    if not many:
        return
    yield Figure("live/memory/a stream", (server.resident_kb() - before) / many, "KB")
    yield Figure(f"live/memory/threads with {many + 1:,} streams", server.threads(), "threads")
    say(f"live: idle for {IDLE_SECONDS:.0f} s")
    busy = server.cpu_seconds()
    await asyncio.sleep(IDLE_SECONDS)
    idle = (server.cpu_seconds() - busy) / IDLE_SECONDS
    yield Figure(f"live/idle/processor with {many + 1:,} streams", 100 * idle, "%")
    crowd.close()
    listeners.close()
    await listeners.add([people.receiver] * many)
    times = await delivery_times(page, listeners, max(10, messages // 10))
    for figure in times.figures(f"live/{many:,} open of the receiver"):
        yield figure
    listeners.close()


async def reconnection(server: Server, sessions: Sequence[str], *, started_at: float) -> list[Figure]:
    """Measure all streams reconnecting at once to a server that just started. Browsers spread this over seconds."""
    came, busy = time.perf_counter(), server.cpu_seconds()
    streams = Streams(server.port)
    opened = [(each - came) * 1000 for each in await streams.add_at_once(sessions)]
    took = server.cpu_seconds() - busy
    streams.close()
    await asyncio.sleep(1)
    began, idle = time.perf_counter(), server.cpu_seconds()
    await asyncio.gather(*(answered(server.port, "/healthz") for _ in sessions))
    bare = Figure("live/reconnection/as many empty requests", (time.perf_counter() - began) * 1000, "ms")
    bare_took = Figure("live/reconnection/their processor", server.cpu_seconds() - idle, "s")
    return [
        Figure("live/reconnection/streams", len(sessions), "streams"),
        Figure("live/reconnection/start of the server", (came - started_at) * 1000, "ms"),
        Figure("live/reconnection/processor of the start", busy, "s"),
        bare,
        bare_took,
        Figure("live/reconnection/half are open", median(opened), "ms"),
        Figure("live/reconnection/the last is open", max(opened), "ms").against(bare),
        Figure("live/reconnection/processor", took, "s").against(bare_took),
    ]


def run(*, counts: Sequence[int], messages: int) -> Iterator[Figure]:
    """Yield all figures, measured on a separate stack."""
    with stack(environment=NO_LIMITS):
        people = set_up()
        crowd = [signed_in(f"listener_{number}x") for number in range(counts[-1] - 1)]
        with asyncio.Runner() as runner:
            with web_server() as server:
                say(f"live: {counts} streams, {messages} messages each")
                figures = measure(server, people, crowd, counts=counts, messages=messages)
                while figure := runner.run(anext(figures, None)):
                    yield figure
            if not crowd:
                return
            say(f"live: {len(crowd) + 1:,} streams come back after a restart")
            began = time.perf_counter()
            sessions = [people.receiver, *(each.session for each in crowd)]
            with web_server(port=server.port) as again:
                yield from runner.run(reconnection(again, sessions, started_at=began))


def main(arguments: Sequence[str]) -> int:
    parser = ArgumentParser(prog="tools.bench.live", description="Measure delivery and what open streams cost.")
    parser.add_argument("--messages", type=int, default=200, help="sent at each number of streams (200)")
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 100, 1000], help="that are open (1 100 1000)")
    add_json_option(parser)
    options = parser.parse_args(arguments)
    tell(run(counts=sorted(options.streams), messages=options.messages), as_json=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(program.run(lambda: main(sys.argv[1:]), is_loaded=True))
