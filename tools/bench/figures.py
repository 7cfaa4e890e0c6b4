"""The results of a measurement: a table for people, or one line of JSON per figure for programs."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import quantiles
from typing import Self

PERCENTILES = (50, 95, 99)


@dataclass(frozen=True, slots=True)
class Figure:
    """A number and, if any, the figure that it is compared with."""

    name: str
    """Unique in its part; words from general to specific, joined by slashes: `pages/thread/1 client/p50`."""
    value: float
    unit: str
    """For example `ms`, `write units`, `calls`, `bytes`, `messages/s`."""
    versus: str | None = None
    """The name of the figure of the same run with which this one is compared."""
    ratio: float | None = None
    """This value divided by the other one's."""

    def against(self, other: Figure) -> Self:
        """Return the figure compared with another of the same unit; without a ratio if that is 0."""
        return replace(self, versus=other.name, ratio=self.value / other.value if other.value else None)


def at_percentiles(name: str, values: Sequence[float], unit: str = "ms") -> Iterator[Figure]:
    """Yield `name/p50`, `name/p95` and `name/p99` of at least two values."""
    cuts = quantiles(values, n=100, method="inclusive")
    for each in PERCENTILES:
        yield Figure(f"{name}/p{each}", cuts[each - 1], unit)


def add_json_option(parser: ArgumentParser) -> None:
    """Add the option `--json`, which all parts have."""
    parser.add_argument("--json", action="store_true", help="a line of JSON a figure instead of a table")


def tell(figures: Iterable[Figure], *, as_json: bool) -> None:
    """Write figures to the standard output as they come; whatever else a part says goes to the standard error."""
    if as_json:
        for figure in figures:
            sys.stdout.write(json.dumps(asdict(figure)) + "\n")
            sys.stdout.flush()
        return
    rows = [(each.name, number(each.value), each.unit, compared(each)) for each in figures]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    for name, value, unit, other in rows:
        sys.stdout.write(f"{name:<{widths[0]}}  {value:>{widths[1]}} {unit:<{widths[2]}}  {other}".rstrip() + "\n")
    sys.stdout.flush()


def compared(figure: Figure) -> str:
    """Format a figure's ratio, for example `1.31 x bare/thread`."""
    if figure.versus is None:
        return ""
    return f"{'-' if figure.ratio is None else number(figure.ratio)} x {figure.versus}"


def number(value: float) -> str:
    """Format a number with three significant digits, for example `1,234`, `12.3`, `0.05`."""
    if value == int(value) or abs(value) >= 100:  # noqa: PLR2004 - three figures stand before the point
        return f"{value:,.0f}"
    return f"{value:.3g}"
