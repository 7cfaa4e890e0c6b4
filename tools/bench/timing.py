"""Time several subjects in turns, so that other load on the machine affects all of them equally."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from .figures import Figure
from .stack import Server

PERCENTILES = (50, 95, 99)
Ask = Callable[[], float]
"""Runs the measured operation once and returns its duration in seconds."""


@dataclass(slots=True)
class Subject:
    """A measured operation."""

    name: str
    client: Callable[[int], Ask]
    """Returns the repeated operation of a client by its number; each client has a separate connection."""
    server: Server | None = None
    """The web process that responds, if any."""
    times: list[float] = field(default_factory=list)
    """Milliseconds."""
    cpu_seconds: float = 0.0
    """Processor time of the server."""

    def figures(self, name: str) -> Iterator[Figure]:
        """Yield p50, p95, p99, and the requests per second of server processor time."""
        for percentile in PERCENTILES:
            yield Figure(f"{name}/p{percentile}", at(self.times, percentile), "ms")
        if self.server and self.cpu_seconds:
            yield Figure(f"{name}/requests a second per core", len(self.times) / self.cpu_seconds, "requests/s")


def at(times: Sequence[float], percentile: int) -> float:
    """Return the percentile of these times."""
    return statistics.quantiles(times, n=100, method="inclusive")[percentile - 1] if len(times) > 1 else times[0]


def measure(subjects: Sequence[Subject], *, clients: int, rounds: int, each: int, warm_up: int = 3) -> None:
    """Run every subject in turn in each round: `each` times by each of the concurrent clients.

    Each round starts with another subject.
    """
    with ThreadPoolExecutor(clients) as together:
        asks = {subject.name: [subject.client(number) for number in range(clients)] for subject in subjects}
        for subject in subjects:
            list(together.map(lambda ask: _several(ask, warm_up), asks[subject.name]))
        for number in range(rounds):
            begin = number % len(subjects)
            for subject in (*subjects[begin:], *subjects[:begin]):
                busy = subject.server.cpu_seconds() if subject.server else 0.0
                for found in together.map(lambda ask: _several(ask, each), asks[subject.name]):
                    subject.times += found
                subject.cpu_seconds += subject.server.cpu_seconds() - busy if subject.server else 0.0


def _several(ask: Ask, number: int) -> list[float]:
    return [ask() * 1000 for _ in range(number)]


def together(*subjects: Subject) -> list[float]:
    """Return the summed times of the subjects, added up turn by turn."""
    return [sum(times) for times in zip(*(subject.times for subject in subjects), strict=True)]
