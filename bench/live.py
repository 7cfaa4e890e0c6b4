"""How long a message takes from its sender's request to the other's open stream, and what open streams cost.

.venv/bin/python -m bench.live --messages 200 --streams 1 100 1000
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from bench.stack import CSRF, HOST, People, Server, fill_bucket, say, set_up, stack, web_server

AT_ONCE = 50
"""Streams that are opened together."""
WARM_UP = 50
IDLE_SECONDS = 30.0
PERCENTILES = (50, 95, 99)


class Streams:
    """Open streams, all in this process."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.open: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def add(self, session_key: str, count: int) -> None:
        for start in range(0, count, AT_ONCE):
            together = min(AT_ONCE, count - start)
            self.open += await asyncio.gather(*(self._one(session_key) for _ in range(together)))

    async def _one(self, session_key: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(HOST, self.server.port)
        request = f"GET /messages/stream HTTP/1.1\r\nHost: localhost\r\nCookie: sessionid={session_key}\r\n\r\n"
        writer.write(request.encode())
        await reader.readuntil(b"event: ready")
        return reader, writer

    def close(self) -> None:
        for _, writer in self.open:
            writer.close()
        self.open.clear()


async def send(server: Server, people: People, url: str, text: str) -> dict[str, Any]:
    body = urlencode({"message": text, "message_uuid": str(uuid4()), "after": ""})
    reader, writer = await asyncio.open_connection(HOST, server.port)
    writer.write(
        f"POST {url} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAccept: application/json\r\n"
        f"Cookie: sessionid={people.sender}; csrftoken={CSRF}\r\nX-CSRFToken: {CSRF}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
    )
    head, _, answer = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    if b" 201 " not in head.split(b"\r\n")[0]:
        raise SystemExit(head.decode())
    stored: dict[str, Any] = json.loads(answer)
    return stored


@dataclass(frozen=True)
class Times:
    """In milliseconds from the beginning of each request."""

    heard: list[float]
    """Until the last of the listeners has the message."""
    answered: list[float]
    """Until the sender has the answer: the request by itself."""


async def delivery_times(server: Server, people: People, url: str, listeners: Streams, messages: int) -> Times:
    """Send as many messages, one after the other."""

    async def heard(reader: asyncio.StreamReader, text: str) -> None:
        await reader.readuntil(text.encode())
        await reader.readuntil(b"\n\n")

    times = Times([], [])
    for number in range(messages):
        await asyncio.to_thread(fill_bucket)
        text = f"message-{number}-{uuid4().hex}"
        listening = [asyncio.create_task(heard(reader, text)) for reader, _ in listeners.open]
        began = time.perf_counter()

        async def until_answered(text: str = text, began: float = began) -> None:
            await send(server, people, url, text)
            times.answered.append((time.perf_counter() - began) * 1000)

        sending = asyncio.create_task(until_answered())
        await asyncio.gather(*listening)
        times.heard.append((time.perf_counter() - began) * 1000)
        await sending
    return times


def percentiles(times: Times) -> str:
    heard, answered = statistics.quantiles(times.heard, n=100), statistics.median(times.answered)
    found = ", ".join(f"p{each} {heard[each - 1]:.0f} ms" for each in PERCENTILES)
    return f"{found}; the sender's answer p50 {answered:.0f} ms"


async def measure(server: Server, people: People, *, counts: Sequence[int], messages: int) -> None:
    url = f"/messages/new/{people.receiver_handle}"
    crowd, listeners = Streams(server), Streams(server)
    await listeners.add(people.receiver, 1)
    url = (await send(server, people, url, "first"))["url"]
    await delivery_times(server, people, url, listeners, 10)
    await crowd.add(people.others, WARM_UP)
    crowd.close()
    await asyncio.sleep(1)
    before = server.resident_kb()
    for count in counts:
        await crowd.add(people.others, count - 1 - len(crowd.open))
        await asyncio.sleep(1)
        times = await delivery_times(server, people, url, listeners, messages)
        say(f"{count:,} open streams, one of them the receiver's: {percentiles(times)} ({messages} messages)")
    many = len(crowd.open)
    if not many:
        return
    memory = server.resident_kb() - before
    say(f"{many:,} streams: {memory / many:.1f} KB each ({memory / 1024:.0f} MB); {server.threads()} threads in all")
    busy = server.cpu_seconds()
    await asyncio.sleep(IDLE_SECONDS)
    idle = (server.cpu_seconds() - busy) / IDLE_SECONDS
    say(f"idle, heartbeats and session checks alone: {idle:.1%} of a processor")
    crowd.close()
    listeners.close()
    await listeners.add(people.receiver, many)
    times = await delivery_times(server, people, url, listeners, max(10, messages // 10))
    say(f"{many:,} streams of the receiver, until the last has it: {percentiles(times)}")
    listeners.close()


def main(arguments: Sequence[str]) -> int:
    parser = ArgumentParser(prog="bench.live", description="Measure delivery and what open streams cost.")
    parser.add_argument("--messages", type=int, default=200, help="sent at each number of streams (200)")
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 100, 1000], help="that are open (1 100 1000)")
    options = parser.parse_args(arguments)
    with stack():
        people = set_up()
        with web_server() as server:
            asyncio.run(measure(server, people, counts=sorted(options.streams), messages=options.messages))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
