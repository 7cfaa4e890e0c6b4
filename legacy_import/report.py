"""What the import says of itself: how much there was of everything, and a remark for each thing that is not plain.

Never with the text of a message, an e-mail or a Cognito id: keys, uuids and handles tell which one is meant.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Lock


class Kind(StrEnum):
    """What a remark is about."""

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
        """Whether something of the old system was not brought over. Any such remark makes the exit code 1."""
        return self in LEFT_OUT_KINDS


LEFT_OUT_KINDS = frozenset((Kind.LEFT_OUT, Kind.ONLY_IN_A_LIST))


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that an operator may want to look at."""

    kind: Kind
    about: str
    """A partition key of the old table or a uuid of the old system."""
    sk: str
    what: str

    @property
    def sentence(self) -> str:
        """For people. Keys may hold anything: not yet fit for a terminal."""
        return f"{self.about}{f' {self.sk}' if self.sk else ''}: {self.what}."


@dataclass(slots=True)
class Report:
    """Numbers by name, and remarks as they come, from any number of threads."""

    tell: Callable[[Remark], object]
    counts: Counter[str] = field(default_factory=Counter)
    remarks: Counter[str] = field(default_factory=Counter)
    """By kind."""
    _lock: Lock = field(default_factory=Lock)

    @property
    def left_out(self) -> int:
        """How many things were not brought over."""
        return sum(number for kind, number in self.remarks.items() if Kind(kind).is_left_out)

    def count(self, **numbers: int) -> None:
        with self._lock:
            self.counts.update(numbers)

    def remark(self, kind: Kind, about: str, sk: str, what: str) -> None:
        with self._lock:
            self.remarks[kind] += 1
            self.tell(Remark(kind, about, sk, what))
