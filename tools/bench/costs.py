"""Measure the cost of access patterns, pages and a burst: calls, read and write units, SQL statements, bytes.

.venv/bin/python -m tools.bench.costs --json
"""

from __future__ import annotations

from cruddur.cli import program

if __name__ == "__main__":
    # What follows takes long to import.
    program.watch_for_ctrl_c()

import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence

from .cost_rows import Row
from .figures import Figure, add_json_option, tell
from .stack import NO_LIMITS, say, stack

BURST = 100
"""Messages in one batch of the stream."""


def figures(*, endpoint: str = "DynamoDB Local", burst: int = BURST, seeded: int | None = None) -> Iterator[Figure]:
    """Yield all figures, the old system's first, on an empty table. Requires that Django is set up; creates people.

    `seeded` limits the number of the seed's conversations.
    """
    from .costs_of_the_old import old_rows  # noqa: PLC0415 - once Django is set up
    from .costs_of_this import rows  # noqa: PLC0415

    old = list(in_figures(old_rows(burst=burst, seeded=seeded), "costs/old", endpoint))
    yield from old
    by_name = {figure.name.removeprefix("costs/old/"): figure for figure in old}
    for figure in in_figures(rows(burst=burst, seeded=seeded), "costs", endpoint):
        beside = by_name.get(figure.name.removeprefix("costs/"))
        yield figure.against(beside) if beside and not figure.versus else figure


def in_figures(rows: Iterator[Row], part: str, endpoint: str) -> Iterator[Figure]:
    """Yield the figures of all rows, and the number of rows for which the endpoint reports other units."""
    others = 0
    for row in rows:
        others += (row.cost.read_units, row.cost.write_units) != (
            row.cost.reported_read_units,
            row.cost.reported_write_units,
        )
        yield from row.figures(part, endpoint=endpoint)
    yield Figure(f"{part}/patterns of which {endpoint} reports other units", others, "patterns")


def main(arguments: Sequence[str]) -> int:
    parser = ArgumentParser(prog="tools.bench.costs", description="Count what access patterns and pages cost.")
    parser.add_argument("--burst", type=int, default=BURST, help=f"messages that come together ({BURST})")
    add_json_option(parser)
    options = parser.parse_args(arguments)
    say("costs: about half a minute")
    with stack(environment=NO_LIMITS):
        tell(figures(burst=options.burst), as_json=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(program.run(lambda: main(sys.argv[1:]), is_loaded=True))
