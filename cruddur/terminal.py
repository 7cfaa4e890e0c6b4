"""Tables and progress on the terminal, by rich; plain text where the output is no terminal or NO_COLOR is set."""

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
    """A value as a person reads it: yes and no, 12,345, 2026-11-21 09:05:00, a list with commas; None is nothing."""
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
    """The text on one line; characters that could steer a terminal are written out, for people write what they like."""
    return text if text.isprintable() else "".join(map(printable_char, text))


def printable_char(char: str) -> str:
    if char == "\n":
        return " ⏎ "
    if char not in JOINERS and unicodedata.category(char) in UNSEEN:
        return f"\\x{ord(char):02x}" if ord(char) <= MAX_BYTE else f"\\u{ord(char):04x}"
    return char


def as_bytes(size: float) -> str:
    """A size as a person reads it: `812 B`, `3.4 MB` (powers of 1000)."""
    if size < KILO:
        return f"{size:.0f} B"
    for unit in ("kB", "MB", "GB"):
        size /= KILO
        if size < KILO:
            return f"{size:.1f} {unit}"
    return f"{size / KILO:.1f} TB"


def as_json(value: Mapping[str, Any]) -> str:
    """A line for programs: JSON, datetimes in ISO 8601, uuids as text."""
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)


def json_for(stream: IO[str], text: str) -> str:
    """JSON as it can be written there: escaped to ASCII where the stream's encoding is not UTF-8."""
    if text.isascii() or is_utf8(stream):
        return text
    # Outside of its strings JSON is ASCII.
    return "".join(char if char.isascii() else json.dumps(char)[1:-1] for char in text)


def is_plain(stream: IO[str]) -> bool:
    """Whether no colours, rules or bars are wanted there."""
    unwanted = "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb" or getattr(stream, "wants_no_colour", False)
    return unwanted or not is_terminal(stream)


def is_terminal(stream: IO[str]) -> bool:
    return bool(getattr(stream, "isatty", lambda: False)())


def width_of(stream: IO[str]) -> int:
    """Columns of a terminal; more than any line needs elsewhere."""
    return Console(file=stream).width if is_terminal(stream) else ONE_LINE


def write_table(stream: IO[str], columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]) -> None:
    """A table of the rows; on a terminal as wide as that, elsewhere a row a line."""
    plain = is_plain(stream)
    table = Table(box=None if plain else SIMPLE_HEAD, pad_edge=False, header_style="" if plain else "bold")
    for column in columns:
        heading = column.heading or column.key.replace("_", " ")
        justify: Literal["left", "right"] = "right" if column.right else "left"
        table.add_column(heading, justify=justify, overflow="fold", no_wrap=column.whole)
    for row in rows:
        # Text, because what people call themselves may look like markup.
        table.add_row(*(Text(printable((column.show or as_text)(row.get(column.key)))) for column in columns))
    # Not on the stream itself: Django's wrapper of it ends whatever it is given with a new line.
    rendered = StringIO()
    Console(file=rendered, force_terminal=not plain, width=None if is_terminal(stream) else ONE_LINE).print(table)
    stream.write("".join(f"{line.rstrip()}\n" for line in rendered.getvalue().splitlines() if line.strip()))


def write_lines(
    stream: IO[str], columns: Sequence[Column], widths: Sequence[int], rows: Iterable[Mapping[str, Any]]
) -> None:
    """The rows as they come, a line each, in columns of these widths; the last column takes the rest.

    On a terminal what is too wide is cut. Elsewhere every value is whole: the widths only keep the columns straight.
    """
    shorten, line_width = is_terminal(stream), width_of(stream)

    def write(cells: Sequence[str]) -> None:
        fitted = (fit(cell, width, shorten=shorten) for cell, width in zip(cells, widths, strict=False))
        line = GAP.join((*fitted, *cells[len(widths) :]))
        stream.write(f"{(cut(line, line_width) if shorten else line).rstrip()}\n")

    write([column.heading or column.key.replace("_", " ") for column in columns])
    for row in rows:
        write([printable((column.show or as_text)(row.get(column.key))) for column in columns])


def fit(text: str, width: int, *, shorten: bool) -> str:
    """The text with spaces up to `width` columns of the terminal; cut to them only if told to."""
    return (cut(text, width) if shorten else text) + " " * (width - cell_len(text))


def cut(text: str, width: int) -> str:
    """The text, or as much of it as fits into `width` columns of the terminal with an ellipsis."""
    return text if cell_len(text) <= width else f"{set_cell_size(text, width - 1)}…"


@contextmanager
def progress(
    stream: IO[str], what: str, *, total: float | None = None, quiet: bool = False
) -> Iterator[Callable[[int], None]]:
    """Gives a function to call with each number of `what` that is done; it may be called by any thread.

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
