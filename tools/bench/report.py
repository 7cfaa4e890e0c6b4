"""Write the tables of docs/performance.md from the figures of the last runs.

.venv/bin/python -m tools.bench.report

Each table is between `<!-- bench: KIND PART SELECTION -->` and `<!-- end -->`. Kinds: `list` (a line per figure),
`grid` (a line per group with a column for each last word: p50, p95, …), `machine` (where a part was measured) and
`command` (how). SELECTION is a prefix of the figures' names and their content, for example
`live/ with /p50,/p95 without /1 open`. Tables of parts that were never run stay unchanged.
"""

from __future__ import annotations

from cruddur.cli import program

if __name__ == "__main__":
    # What follows takes long to import.
    program.watch_for_ctrl_c()

import re
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools.local_stack.aws import ROOT

from . import results
from .figures import Figure, number
from .stack import say

EACH = " a message"
"""Suffix that column headings leave out."""
DOCUMENT = ROOT / "docs" / "performance.md"
BLOCK = re.compile(
    r"(<!-- bench: (?P<kind>\w+) (?P<part>\w+)(?: (?P<selection>[^\n]*?))? -->\n).*?(<!-- end -->)", re.DOTALL
)


def chosen(figures: Sequence[Figure], selection: str) -> tuple[str, list[Figure]]:
    """Return the prefix of a selection and the figures that it selects."""
    rest, _, without_these = selection.partition(" without ")
    prefix, _, with_these = rest.partition(" with ")
    wanted, others = with_these.split(","), list(filter(None, without_these.split(",")))
    return prefix, [
        each
        for each in figures
        if each.name.startswith(prefix)
        and any(part in each.name for part in wanted)
        and not any(part in each.name for part in others)
    ]


def list_table(figures: Sequence[Figure], selection: str) -> Iterator[str]:
    """Yield a table with a line per figure, each with the figure it is compared with."""
    values = {each.name: each for each in figures}
    prefix, wanted = chosen(figures, selection)
    yield "| | | beside | |"
    yield "| --- | --- | --- | --- |"
    for each in wanted:
        other = values.get(each.versus or "")
        beside = f"{shown(other)} ({without(prefix, other.name)})" if other else without(prefix, each.versus or "")
        ratio = f"{number(each.ratio)} x" if each.ratio is not None else ""
        yield f"| {without(prefix, each.name)} | {shown(each)} | {beside} | {ratio} |"


def grid_table(figures: Sequence[Figure], selection: str) -> Iterator[str]:
    """Yield a table with a line per common prefix of names, a column per last word, and ratios in the cells.

    If the last word is the same everywhere, the one before is used.
    """
    prefix, wanted = chosen(figures, selection)
    named = [without(prefix, each.name).split("/") for each in wanted]
    if len({words[-1] for words in named}) == 1 and all(len(words) > 2 for words in named):  # noqa: PLR2004
        named = [words[:-1] for words in named]
    rows: dict[str, dict[str, Figure]] = {}
    for words, each in zip(named, wanted, strict=True):
        rows.setdefault("/".join(words[:-1]), {})[words[-1].removesuffix(EACH)] = each
    columns = list(dict.fromkeys(column for cells in rows.values() for column in cells))
    yield f"| | {' | '.join(columns)} |"
    yield f"| --- |{' --- |' * len(columns)}"
    for group, cells in rows.items():
        texts = (cell(cells[column], column) if column in cells else "" for column in columns)
        yield f"| {group} | {' | '.join(texts)} |"


def machine_table(part: str) -> Iterator[str]:
    """Yield where, when and how this part was measured."""
    run = results.run_of(part)
    if run is None:
        return
    yield "| | |"
    yield "| --- | --- |"
    for name, value in run.machine.items():
        yield f"| {name} | {value} |"
    yield f"| measured | {run.at[:10]}, other work on the machine: {run.load:.1f} processors |"


def command_line(part: str) -> Iterator[str]:
    """Yield the command that measures these figures."""
    if run := results.run_of(part):
        yield f"`.venv/bench/bin/{run.command}`, {run.seconds:.0f} s, {run.at[:10]}, load before {run.load:.1f}"


def shown(figure: Figure) -> str:
    return f"{number(figure.value)} {figure.unit}"


def cell(figure: Figure, column: str) -> str:
    """Return the value with its ratio, and with its unit unless the column has it."""
    value = number(figure.value) if figure.unit in column else shown(figure)
    return value + (f" ({number(figure.ratio)} x)" if figure.ratio is not None else "")


def without(prefix: str, name: str) -> str:
    return name.removeprefix(prefix).lstrip("/")


def lines_of(kind: str, part: str, selection: str) -> list[str]:
    """Render a block; empty if its part was never run. Raises SystemExit for an unknown kind."""
    figures = results.figures_of(part)
    match kind:
        case "machine":
            return list(machine_table(part))
        case "command":
            return list(command_line(part))
        case "list":
            return list(list_table(figures, selection)) if figures else []
        case "grid":
            return list(grid_table(figures, selection)) if figures else []
    raise SystemExit(f"There is no table of the kind {kind}.")


def written(document: str) -> str:
    """Return the document with updated tables."""

    def block(found: re.Match[str]) -> str:
        lines = lines_of(found["kind"], found["part"], found["selection"] or "")
        if not lines:
            say(f"{found['part']} was not measured: its table stays as it is.")
            return found[0]
        return "\n".join((found[1].rstrip("\n"), "", *lines, "", found[5]))

    return BLOCK.sub(block, document)


def main(arguments: Sequence[str]) -> int:
    parser = ArgumentParser(prog="tools.bench.report", description=__doc__)
    parser.add_argument("document", type=Path, nargs="?", default=DOCUMENT, help="docs/performance.md unless given")
    path: Path = parser.parse_args(arguments).document
    path.write_text(written(path.read_text()))
    say(f"The tables of {path.name} are those of the last runs.")
    return 0


if __name__ == "__main__":
    sys.exit(program.run(lambda: main(sys.argv[1:]), is_loaded=True))
