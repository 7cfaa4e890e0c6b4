"""The times of a page at several sizes, as figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .figures import Figure
from .timing import Subject, at

MEDIAN = 50
FULL_PAGE = 20
"""Minimum number of messages or conversations; a shorter list is faster by itself."""


@dataclass(frozen=True, slots=True)
class Sized:
    """A page at one size."""

    page: str
    size: int
    of: str
    """`messages` or `conversations`."""
    subject: Subject
    again: bool = False
    """Whether this is the second measurement of the base; its difference from the first is noise."""

    @property
    def figure(self) -> Figure:
        name = f"growth/{self.page}/{self.size} {self.of}{' again' if self.again else ''}/p{MEDIAN}"
        return Figure(name, at(self.subject.times, MEDIAN), "ms")


def base(sizes: Sequence[int]) -> int:
    """Return the size that the others are compared with: the smallest that fills a page."""
    return min((size for size in sizes if size >= FULL_PAGE), default=max(sizes))


def figures(found: Sequence[Sized]) -> Iterator[Figure]:
    """Yield the median of each page at each size, beside that at the base."""
    for page in dict.fromkeys(each.page for each in found):
        sizes = sorted((each for each in found if each.page == page), key=lambda each: (each.size, each.again))
        compared_with = base([each.size for each in sizes])
        first = next(each for each in sizes if each.size == compared_with)
        for each in sizes:
            yield each.figure if each is first else each.figure.against(first.figure)
