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


COUNTERS = ("steps", "meanwhile", "faults", "outcomes", "broken")


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

    @classmethod
    def from_counts(cls, counts: dict[str, dict[str, int]]) -> Tally:
        """Build a tally from the result of `counts`."""
        (histories,) = counts["histories"].values()
        return cls(histories, **{name: Counter(counts[name]) for name in COUNTERS})

    def counts(self) -> dict[str, dict[str, int]]:
        """Return plain dictionaries that can be sent to another process."""
        return {"histories": {"tried": self.histories}} | {
            name: {str(kind): count for kind, count in getattr(self, name).items()} for name in COUNTERS
        }

    def add(self, other: Tally) -> None:
        self.histories += other.histories
        for name in COUNTERS:
            getattr(self, name).update(getattr(other, name))

    def lines(self) -> Iterator[str]:
        """Yield the counts as sentences for a terminal."""
        yield f"{self.histories:,} histories of {self.steps.total():,} steps: {_listed(self.steps)}"
        yield f"{self.meanwhile.total():,} steps between two calls of another: {_listed(self.meanwhile)}"
        yield f"{self.faults.total():,} faults: {_listed(self.faults)}"
        yield f"outcomes: {_listed(self.outcomes)}"
        yield ", ".join(f"{self.broken[how]} {how}" for how in Broken)


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.most_common())
