"""Tables and progress on the terminal, by rich; plain text where the output is not a terminal or NO_COLOR is set."""

from __future__ import annotations

import json
import os
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from typing import IO, Any, Literal

from django.core.serializers.json import DjangoJSONEncoder
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from .standard_streams import is_utf8

SECONDS_BETWEEN_LINES = 10.0
"""How often progress is told where no bar can be drawn."""
KILO = 1000
ONE_LINE = 100_000
"""Columns of a table in a file or a pipe, where a row is one line however long."""
PADDING = 3
"""Columns of the terminal that a table takes beside each of its own, at most, and once more at its edge."""
LAST_COLUMN = 16
"""Least width of the last column."""
GAP = "  "
"""Between the columns of rows that are written as they come."""
UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Categories of characters that steer a terminal or turn the direction of a line instead of showing."""
MAX_BYTE = 0xFF
JOINERS = "\u200c\u200d"
"""Needed inside words of some scripts and inside emoji; harmless."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: the key in the rows, how its values read, and the side they stand on."""

    key: str
    heading: str = ""
    """The key with spaces, unless given."""
    show: Callable[[Any], str] | None = None
    """`as_text`, unless given."""
    right: bool = False
    whole: bool = False
    """Kept on one line where others of the row have to give way."""


def as_text(value: Any) -> str:
    """Format a value for people: yes and no, 12,345, 2026-11-21 09:05:00, a list with commas; None is empty."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case datetime():
            return value.isoformat(sep=" ", timespec="seconds")
        case list() | tuple() | set() | frozenset():
            return ", ".join(map(as_text, value))
    return str(value)


def printable(text: str) -> str:
    """Return the text on one line; escape control characters, because texts of people may hold any."""
    return text if text.isprintable() else "".join(map(printable_char, text))


def printable_char(char: str) -> str:
    if char == "\n":
        return " ⏎ "
    if char not in JOINERS and unicodedata.category(char) in UNSEEN:
        return f"\\x{ord(char):02x}" if ord(char) <= MAX_BYTE else f"\\u{ord(char):04x}"
    return char


def as_bytes(size: float) -> str:
    """Return a size as a person reads it: `812 B`, `3.4 MB` (powers of 1000)."""
    if size < KILO:
        return f"{size:.0f} B"
    for unit in ("kB", "MB", "GB"):
        size /= KILO
        if size < KILO:
            return f"{size:.1f} {unit}"
    return f"{size / KILO:.1f} TB"


def as_json(value: Mapping[str, Any]) -> str:
    """Return a line for programs: JSON, datetimes in ISO 8601, uuids as text."""
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)


def json_for(stream: IO[str], text: str) -> str:
    """Return JSON as it can be written there: escaped to ASCII where the stream's encoding is not UTF-8."""
    if text.isascii() or is_utf8(stream):
        return text
    # Outside of its strings JSON is ASCII.
    return "".join(char if char.isascii() else json.dumps(char)[1:-1] for char in text)


def is_plain(stream: IO[str]) -> bool:
    """Return whether to print uncut lines without colours, rules or bars: off a terminal, or when asked to."""
    unwanted = "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb" or getattr(stream, "wants_no_colour", False)
    return unwanted or not is_terminal(stream)


def is_terminal(stream: IO[str]) -> bool:
    return bool(getattr(stream, "isatty", lambda: False)())


def width_of(stream: IO[str]) -> int:
    """Return the columns of a terminal; more than any line needs where plain text is wanted."""
    return ONE_LINE if is_plain(stream) else Console(file=stream).width


def write_table(stream: IO[str], columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write the rows as a table; elsewhere than on a terminal a row a line.

    On a terminal cells wrap between words. Where a word would have to be cut, each row is a block, a line a column.
    """
    plain, width = is_plain(stream), width_of(stream)
    headings = [heading_of(column) for column in columns]
    cells = [cells_of(columns, row) for row in rows]
    if not plain and sum(narrowest_widths(columns, [headings, *cells])) + PADDING * (len(columns) + 1) > width:
        for row in cells:
            write_block(stream, headings, row)
        return
    table = Table(box=None if plain else SIMPLE_HEAD, pad_edge=False, header_style="" if plain else "bold")
    for column, heading in zip(columns, headings, strict=True):
        justify: Literal["left", "right"] = "right" if column.right else "left"
        table.add_column(heading, justify=justify, overflow="fold", no_wrap=column.whole)
    for row in cells:
        # Text, because what people call themselves may look like markup.
        table.add_row(*map(Text, row))
    # Not on the stream itself: Django's wrapper of it ends whatever it is given with a new line.
    rendered = StringIO()
    Console(file=rendered, force_terminal=not plain, width=width).print(table)
    stream.write("".join(f"{line.rstrip()}\n" for line in rendered.getvalue().splitlines() if line.strip()))


def cells_of(columns: Sequence[Column], row: Mapping[str, Any]) -> list[str]:
    return [printable((column.show or as_text)(row.get(column.key))) for column in columns]


def heading_of(column: Column) -> str:
    return column.heading or column.key.replace("_", " ")


def narrowest_widths(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> Iterator[int]:
    """Return the widths below which a word of a column, or a whole cell of one that does not wrap, would be cut."""
    for column, cells in zip(columns, zip(*rows, strict=True), strict=True):
        yield max(
            cell_len(part) for cell in cells for part in ([cell] if column.whole or not cell.split() else cell.split())
        )


def write_block(stream: IO[str], headings: Sequence[str], cells: Sequence[str]) -> None:
    """Write a row on a narrow terminal: a line a column, and an empty line; a long value goes on below itself."""
    indent = max(map(cell_len, headings)) + len(GAP)
    room = max(width_of(stream) - indent, 1)
    lines = []
    for heading, cell in zip(headings, cells, strict=True):
        wrapped = Text(cell).wrap(Console(file=StringIO(), width=room), room, overflow="fold")
        first, *others = [line.plain.rstrip() for line in wrapped] or [""]
        lines += [f"{heading}{' ' * (indent - cell_len(heading))}{first}", *(" " * indent + other for other in others)]
    stream.write("".join(f"{line.rstrip()}\n" for line in lines) + "\n")


def write_lines(
    stream: IO[str], columns: Sequence[Column], widths: Sequence[int], rows: Iterable[Mapping[str, Any]]
) -> None:
    """Yield the rows as they come, a line each, in columns of these widths; the last column takes the rest.

    On a terminal what is too wide is cut, and where even the columns are too wide a row is a block. Elsewhere every
    value is whole: the widths only keep the columns straight.
    """
    shorten, line_width = not is_plain(stream), width_of(stream)
    headings = [heading_of(column) for column in columns]
    if sum(widths) + len(GAP) * len(widths) + LAST_COLUMN > line_width:
        for row in rows:
            write_block(stream, headings, cells_of(columns, row))
        return

    def write(cells: Sequence[str]) -> None:
        fitted = (fit(cell, width, shorten=shorten) for cell, width in zip(cells, widths, strict=False))
        line = GAP.join((*fitted, *cells[len(widths) :]))
        stream.write(f"{(cut(line, line_width) if shorten else line).rstrip()}\n")

    write(headings)
    for row in rows:
        write(cells_of(columns, row))


def fit(text: str, width: int, *, shorten: bool) -> str:
    """Return the text with spaces up to `width` columns of the terminal; cut to them only if told to."""
    return (cut(text, width) if shorten else text) + " " * (width - cell_len(text))


def cut(text: str, width: int) -> str:
    """Return the text, or as much of it as fits into `width` columns of the terminal with an ellipsis."""
    return text if cell_len(text) <= width else f"{set_cell_size(text, width - 1)}…"


@contextmanager
def progress(
    stream: IO[str], what: str, *, total: float | None = None, quiet: bool = False
) -> Iterator[Callable[[int], None]]:
    """Give a function to call with each number of `what` that is done; it may be called by any thread.

    Draws a bar on a terminal, writes a line every ten seconds elsewhere, and nothing when `quiet`.
    """
    if quiet:
        yield lambda number: None
    elif is_plain(stream):
        yield Lines(stream, what, total).advance
    else:
        columns = (
            TextColumn("  {task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        console = Console(file=stream)
        began = time.monotonic()
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task(what, total=total, rate="")

            def advance(number: int) -> None:
                done = bar.tasks[task].completed + number
                bar.update(task, advance=number, rate=f"{done / max(time.monotonic() - began, 0.1):,.0f}/s")

            yield advance


class Lines:
    """Progress for logs and pipes: a line now and then."""

    def __init__(self, stream: IO[str], what: str, total: float | None) -> None:
        self.stream, self.what, self.total = stream, what, total
        self.done = 0
        self.began = self.told = time.monotonic()

    def advance(self, number: int) -> None:
        self.done += number
        now = time.monotonic()
        if now - self.told < SECONDS_BETWEEN_LINES:
            return
        self.told = now
        of = f" of {self.total:,.0f}" if self.total else ""
        self.stream.write(f"  {self.what}: {self.done:,}{of}, {self.done / (now - self.began):,.0f}/s\n")
        self.stream.flush()
