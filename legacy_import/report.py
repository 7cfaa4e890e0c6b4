"""Report what the import did: totals, and a remark for each item that an operator may need to check.

Remarks never contain the text of a message, an e-mail or a Cognito id; keys, uuids and handles identify the item.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Lock


class Kind(StrEnum):
    """The subject of a remark."""

    LEFT_OUT = "left-out"
    ONLY_IN_A_LIST = "only-in-a-list"
    TIME_UNREADABLE = "time-unreadable"
    TIME_IN_THE_FUTURE = "time-in-the-future"
    OUTSIDER = "outsider"
    MEMBERS_IN_DOUBT = "members-in-doubt"
    SPLIT = "split"
    UUID_RENEWED = "uuid-renewed"
    DELETED = "deleted"
    PERSON = "person"

    @property
    def is_left_out(self) -> bool:
        """Whether something of the old system was not imported. Any such remark makes the exit code 1."""
        return self in LEFT_OUT_KINDS


LEFT_OUT_KINDS = frozenset((Kind.LEFT_OUT, Kind.ONLY_IN_A_LIST))


@dataclass(frozen=True, slots=True)
class Remark:
    """Something an operator may want to check."""

    kind: Kind
    about: str
    """A partition key of the old table, or a uuid of the old system."""
    sk: str
    what: str

    @property
    def sentence(self) -> str:
        """A sentence for people. Keys may contain any characters, so escape it before printing."""
        return f"{self.about}{f' {self.sk}' if self.sk else ''}: {self.what}."


@dataclass(slots=True)
class Report:
    """Totals by name, and remarks; thread-safe."""

    tell: Callable[[Remark], object]
    counts: Counter[str] = field(default_factory=Counter)
    remarks: Counter[str] = field(default_factory=Counter)
    """Number of remarks by kind."""
    _lock: Lock = field(default_factory=Lock)

    @property
    def left_out(self) -> int:
        """How many things were not imported."""
        return sum(number for kind, number in self.remarks.items() if Kind(kind).is_left_out)

    def count(self, **numbers: int) -> None:
        with self._lock:
            self.counts.update(numbers)

    def remark(self, kind: Kind, about: str, sk: str, what: str) -> None:
        with self._lock:
            self.remarks[kind] += 1
            self.tell(Remark(kind, about, sk, what))
