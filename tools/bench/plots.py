"""Draw the plots of docs/performance.md from the last runs' figures. The output is reproducible.

.venv/bin/python -m tools.bench.plots
"""

from __future__ import annotations

from cruddur.cli import program

if __name__ == "__main__":
    # What follows takes long to import.
    program.watch_for_ctrl_c()

import re
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from cycler import cycler
from matplotlib.patches import Patch

from tools.local_stack.aws import ROOT

from . import results
from .figures import Figure, number
from .stack import say

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DIRECTORY = ROOT / "docs" / "performance"
# Readable on white and on black.
INK, GRID = "#7d8590", "#7d859055"
COLOURS = ("#2f81f7", "#d29922", "#3fa34d", "#c65fb3", "#8a8f98", "#d1603d")
STYLE: dict[Any, Any] = {
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.prop_cycle": cycler(color=COLOURS),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlesize": 10,
    "font.size": 9,
    "grid.color": GRID,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "savefig.transparent": True,
    "svg.fonttype": "none",
    "svg.hashsalt": "cruddur",
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}
ABOVE: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0, 1), "ncols": 2, "fontsize": 8, "borderpad": 0}
"""The position of a legend."""
WIDTH, HEIGHT = 7.2, 3.2
"""In inches; an SVG has 72 points per inch."""

Grouped = Mapping[str, Mapping[str, float]]
"""Values by group and series."""
Lines = Mapping[str, Sequence[tuple[float, float]]]
"""Points by series."""


def bars(axes: Axes, groups: Grouped, unit: str) -> None:
    """Draw bars beside each other, each with its value at its end."""
    series = list(dict.fromkeys(name for values in groups.values() for name in values))
    colour = dict(zip(series, COLOURS * len(series), strict=False))
    place, ticks = 0.0, []
    for values in groups.values():
        ticks.append(place + (len(values) - 1) / 2)
        for name, value in values.items():
            axes.barh(place, value, height=0.85, color=colour[name])
            axes.annotate(f" {number(value)}", (value, place), va="center", fontsize=8)
            place += 1
        place += 0.7
    axes.set_yticks(ticks, list(groups))
    axes.invert_yaxis()
    axes.set_xlabel(unit)
    axes.margins(x=0.12)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    if len(series) > 1:
        handles = [Patch(color=colour[name], label=name) for name in series]
        axes.legend(handles=handles, **ABOVE)


def lines(axes: Axes, series: Lines, x_label: str, unit: str) -> None:
    """Draw a line per series over a logarithmic x axis; y begins at 0, so that constant times look flat."""
    for name, points in series.items():
        axes.plot(*zip(*sorted(points), strict=True), marker="o", markersize=3.5, linewidth=1.5, label=name)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.minorticks_off()
    axes.set_ylim(bottom=0)
    axes.set_xlabel(x_label)
    axes.set_ylabel(unit)
    axes.grid(visible=True, axis="y", linewidth=0.6)
    if len(series) > 1:
        axes.legend(**ABOVE)


def matched(figures: Sequence[Figure], pattern: str) -> list[tuple[re.Match[str], Figure]]:
    """Return the figures whose whole name matches, with the match."""
    return [(match, each) for each in figures if (match := re.fullmatch(pattern, each.name))]


def count(text: str) -> int:
    """Parse a number with separators, for example `1,000`."""
    return int(text.replace(",", ""))


# --- What is drawn ----------------------------------------------------------------------------------------------------


def costs(figures: Sequence[Figure], panels: Sequence[Axes]) -> None:
    """Draw the cost of a message, alone and in a burst, compared with the old system."""
    for axes, unit in zip(panels, ("write units", "calls"), strict=True):
        groups: dict[str, dict[str, float]] = {}
        pattern = rf"costs/(?P<old>old/)?(?P<what>a message|a burst of \d+)(, C and E)?/{unit}( a message)?"
        for match, each in sorted(matched(figures, pattern), key=lambda found: bool(found[0]["old"])):
            groups.setdefault(match["what"], {})["the old system" if match["old"] else "this one"] = each.value
        bars(axes, groups, f"{unit} a message")


def pages(figures: Sequence[Figure], panels: Sequence[Axes]) -> None:
    """Draw each page's median response time for one client, compared with its counterparts."""
    values = {each.name: each.value for each in figures}
    groups: dict[str, dict[str, float]] = {}
    for match, each in matched(figures, r"pages/(?P<page>\w+)/1 client/p50"):
        page = match["page"]
        beside = {"this page": each.value}
        for label, name in BESIDE_A_PAGE.items():
            for its in (page, THEIRS.get(page, "")):
                other = values.get(f"pages/{name.format(page=its)}/1 client/p50")
                if other is not None:
                    beside[label] = other
        groups[page] = beside
    bars(panels[0], groups, "ms, p50, one client")


def growth(figures: Sequence[Figure], panels: Sequence[Axes]) -> None:
    """Draw the median response time by the amount of data."""
    for axes, unit in zip(panels, ("messages", "conversations"), strict=True):
        series: dict[str, list[tuple[float, float]]] = {}
        for match, each in matched(figures, rf"growth/(?P<page>[^/]+)/(?P<n>[\d,]+) {unit}/p50"):
            series.setdefault(match["page"], []).append((count(match["n"]), each.value))
        lines(axes, series, unit, "ms, p50, one client")


def live(figures: Sequence[Figure], panels: Sequence[Axes]) -> None:
    """Draw the time from the sender's request to the other's stream, by number of open streams."""
    series: dict[str, list[tuple[float, float]]] = {}
    for match, each in matched(figures, r"live/(?P<n>[\d,]+) open/(?P<what>heard|sender's answer)/(?P<p>p50|p95)"):
        series.setdefault(f"{match['what']}, {match['p']}", []).append((count(match["n"]), each.value))
    lines(panels[0], series, "open streams in the process", "ms")


def sending(figures: Sequence[Figure], panels: Sequence[Axes]) -> None:
    """Draw messages per second and the lag of lists."""
    rates: dict[str, dict[str, float]] = {}
    found = matched(figures, r"sending/(?P<load>.+)/(?P<what>messages|bare calls)")
    for match, each in sorted(found, key=lambda found: found[0]["what"] == "bare calls"):
        name = "through web and table" if match["what"] == "messages" else "boto3 alone"
        rates.setdefault(match["load"], {})[name] = each.value
    bars(panels[0], rates, "messages a second")
    lags: dict[str, dict[str, float]] = {}
    for match, each in matched(figures, r"sending/(?P<load>.+)/lag/(?P<p>p\d+)"):
        lags.setdefault(match["load"], {})[match["p"]] = each.value
    bars(panels[1], lags, "ms until the receiver's list shows it")


BESIDE_A_PAGE = {
    "its bare calls and a bare page": "bare calls and page/{page}",
    "the old system's service": "old system/{page}",
    "django-postman": "django-postman/{page}",
}
THEIRS = {"conversations": "inbox", "send": "reply"}
"""The names of a page in the compared systems."""

PLOTS: Mapping[str, tuple[str, tuple[int, int], Callable[[Sequence[Figure], Sequence[Any]], None]]] = {
    "costs": ("costs", (1, 2), costs),
    "pages": ("pages", (1, 1), pages),
    "growth": ("growth", (1, 2), growth),
    "live": ("live", (1, 1), live),
    "sending": ("sending", (2, 1), sending),
}
"""By file: the part, the rows and columns of panels, and the function that draws them."""


def draw(name: str, directory: Path) -> Path | None:
    """Write one file; None when its part was not measured."""
    from matplotlib.figure import Figure as Sheet  # noqa: PLC0415 - no other backend is loaded with it

    part, (rows, columns), drawn = PLOTS[name]
    figures = results.figures_of(part)
    if not figures:
        return None
    with mpl.rc_context(STYLE):
        sheet = Sheet(figsize=(WIDTH, rows * HEIGHT), layout="constrained")
        drawn(figures, sheet.subplots(rows, columns, squeeze=False).flat)
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / f"{name}.svg"
        sheet.savefig(path, metadata={"Date": None, "Creator": None})
    return path


def main(arguments: Sequence[str]) -> int:
    parser = ArgumentParser(prog="tools.bench.plots", description=__doc__)
    parser.add_argument("directory", type=Path, nargs="?", default=DIRECTORY, help="docs/performance unless given")
    directory: Path = parser.parse_args(arguments).directory
    for name in PLOTS:
        drawn = draw(name, directory)
        say(f"{drawn.name if drawn else name}: {'drawn' if drawn else 'not measured, so it stays as it is'}")
    return 0


if __name__ == "__main__":
    sys.exit(program.run(lambda: main(sys.argv[1:]), is_loaded=True))
