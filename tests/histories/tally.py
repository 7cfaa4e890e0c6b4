"""What the histories tried: steps, faults and outcomes by kind, and the promises that were found broken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum


class Broken(StrEnum):
    """How a promise can be broken."""

    LOST = "lost"
    DUPLICATED = "duplicated"
    OUT_OF_ORDER = "out of order"
    UNREAD = "unread errors"
    LISTS = "errors in lists"
    LEAKED = "shown to or done by outsiders"
    OTHER = "other errors"


class BrokenPromise(AssertionError):
    """What the application did is not what it promises; the text says what happened."""

    def __init__(self, how: Broken, what: str) -> None:
        super().__init__(f"{how}: {what}")
        self.how = how


@dataclass(slots=True)
class Tally:
    """Counts of what was tried; those of several runs can be added."""

    histories: int = 0
    steps: Counter[str] = field(default_factory=Counter)
    """Steps by kind."""
    meanwhile: Counter[str] = field(default_factory=Counter)
    """Steps by kind that were taken between two calls of another step."""
    faults: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        self.histories += other.histories
        for mine, others in zip(self._counters(), other._counters(), strict=True):
            mine.update(others)

    def lines(self) -> Iterator[str]:
        """The counts as sentences for a terminal."""
        yield f"{self.histories:,} histories of {self.steps.total():,} steps: {_listed(self.steps)}"
        yield f"{self.meanwhile.total():,} steps between two calls of another: {_listed(self.meanwhile)}"
        yield f"{self.faults.total():,} faults: {_listed(self.faults)}"
        yield f"outcomes: {_listed(self.outcomes)}"
        yield ", ".join(f"{self.broken[how]} {how}" for how in Broken)

    def _counters(self) -> tuple[Counter[str], ...]:
        return self.steps, self.meanwhile, self.faults, self.outcomes, self.broken


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.most_common())
