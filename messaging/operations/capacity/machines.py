"""How much one process does, as measured: what number of them a plan needs.

Measured with `tools/bench/throughput.py` and `tools/bench/live.py` on two virtual processors (AMD EPYC) that web,
emulator, Postgres, clients and other work shared (November 2026): time of a processor, which depends on the machine
more than on what else it does.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from .habits import SECONDS_A_DAY, Day

LIST_MS = 15.5
"""Milliseconds of a processor for a page of the list; likewise below."""
THREAD_MS = 23.5
ROWS_MS = 12.5
EARLIER_MS = 14.5
SINCE_MS = 12.5
MARK_MS = 14.0
SEND_MS = 19.0
HEAR_MS = 0.09
"""For an event, in every process, whomever it is for."""
POSTGRES_MS = 1.5
"""Of Postgres's processors for a request, which borrows a connection from its process's pool."""
STREAMS_A_PROCESS = 1000
"""Open in one process while a message takes 96 ms at p95; 5,000 were held."""
BUSY = 0.6
"""How busy a processor may be at the peak: beyond it answers begin to wait for each other."""
WORKER_CHANGES = 100.0
"""A second, that one worker brought into the lists beside the emulator, eight conversations side by side."""
BUS_EVENTS = 2000.0
"""A second, above which Valkey should carry them: Postgres took 10,000, with nothing else to do."""
PARTITION_WRITES, PARTITION_READS, PARTITION_GB = 1000, 3000, 10
"""What one partition of a table bears, and with it one shard of its stream."""


@dataclass(frozen=True, slots=True)
class Processes:
    """How many of each there have to be at the peak."""

    web: int
    """0 where a process would have nothing left to do beside hearing the others' events: then split the bus."""
    web_cpus: float
    """Processors that the web takes at the peak, when they are busy as they may be."""
    postgres_cpus: float
    requests: float
    """A second, streams excluded."""
    streams: int
    events: float
    """A second, on the bus."""
    changes: float
    """A second, that the consumer brings into the lists."""
    consumer: str
    lambdas: int
    """At once; 0 where one worker does it."""
    valkey: bool


def requests_of(day: Day) -> float:
    return day.sends + day.starts + day.marks + day.lists + day.rows + day.opens + day.earlier + day.since


def processes(day: Day, *, peak: float, speed: float) -> Processes:
    """Those that the peak of such days takes on processors `speed` times as fast as the ones that were measured."""
    a_second = peak / SECONDS_A_DAY
    seconds = (
        (day.sends + day.starts) * SEND_MS
        + day.marks * MARK_MS
        + day.lists * LIST_MS
        + day.rows * ROWS_MS
        + day.opens * THREAD_MS
        + day.earlier * EARLIER_MS
        + day.since * SINCE_MS
    ) / 1000
    events, changes = day.events * a_second, (day.changes + day.starts) * a_second
    streams = ceil(day.stream_minutes * 60 * a_second)
    # Each process hears every event: what that takes of a process is not there for requests.
    left = BUSY - events * HEAR_MS / 1000 / speed
    busy = seconds * a_second / speed
    web = max(1, ceil(streams / STREAMS_A_PROCESS), ceil(busy / left)) if left > 0 else 0
    requests = requests_of(day) * a_second
    fits = changes <= WORKER_CHANGES
    return Processes(
        web=web,
        web_cpus=busy / BUSY + web * events * HEAR_MS / 1000 / speed,
        postgres_cpus=requests * POSTGRES_MS / 1000 / BUSY / speed,
        requests=requests,
        streams=streams,
        events=events,
        changes=changes,
        consumer="worker" if fits else "lambda",
        lambdas=0 if fits else ceil(changes / WORKER_CHANGES),
        valkey=events > BUS_EVENTS,
    )
