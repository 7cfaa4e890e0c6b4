"""The measured throughput of one process, from which a plan computes the number of processes.

Measured with `tools/bench/throughput.py` and `tools/bench/live.py` on two virtual processors (AMD EPYC) that web,
emulator, Postgres, clients and other work shared (November 2026). Times are processor time, which depends on the
machine more than on its other load.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from .habits import SECONDS_A_DAY, Day

LIST_MS = 15.5
"""Processor time for a page of the list, in milliseconds; the constants below have the same unit."""
THREAD_MS = 23.5
ROWS_MS = 12.5
EARLIER_MS = 14.5
SINCE_MS = 12.5
MARK_MS = 14.0
SEND_MS = 19.0
HEAR_MS = 0.09
"""For an event, in every process, whether or not it has streams for it."""
POSTGRES_MS = 1.5
"""Time of Postgres's processors for a request, which borrows a connection from its process's pool."""
STREAMS_A_PROCESS = 1000
"""Streams per process at which a message takes 96 ms at p95; 5,000 could be held."""
BUSY = 0.6
"""Highest processor utilisation at the peak; above it, requests begin to queue."""
WORKER_CHANGES = 100.0
"""Changes a second that one worker projected beside the emulator, eight conversations in parallel."""
BUS_EVENTS = 2000.0
"""Events a second above which Valkey should carry them: Postgres carried 10,000 without other work."""
PARTITION_WRITES, PARTITION_READS, PARTITION_GB = 1000, 3000, 10
"""The limits of one partition of a table, and so of one shard of its stream."""


@dataclass(frozen=True, slots=True)
class Processes:
    """The numbers of processes needed at the peak."""

    web: int
    """0 if events alone would use up each process: then split the bus."""
    web_cpus: float
    """Processors that the web needs at the peak, at the highest allowed utilisation."""
    postgres_cpus: float
    requests: float
    """Requests a second, streams excluded."""
    streams: int
    events: float
    """Events a second on the bus."""
    changes: float
    """Changes a second that the consumer projects."""
    consumer: str
    lambdas: int
    """Concurrent Lambda invocations; 0 if one worker is enough."""
    valkey: bool


def requests_of(day: Day) -> float:
    return day.sends + day.starts + day.marks + day.lists + day.rows + day.opens + day.earlier + day.since


def processes(day: Day, *, peak: float, speed: float) -> Processes:
    """Return the processes for the peak, on processors `speed` times as fast as the measured ones."""
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
    # Each process receives every event, which reduces its capacity for requests.
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
