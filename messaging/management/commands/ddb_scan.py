from __future__ import annotations

import math
from argparse import ArgumentTypeError
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import asdict
from itertools import islice
from typing import IO, Any, cast

from django.core.management.base import CommandError, CommandParser

from cruddur.cli import target, terminal
from cruddur.cli.terminal import Column
from messaging.dynamodb.client import patient
from messaging.dynamodb.codec import Item
from messaging.dynamodb.connection import message_table
from messaging.dynamodb.item_kinds import KINDS, OTHER
from messaging.dynamodb.scan import MAX_READERS, Scan, Totals, kinds_in, segments_for
from messaging.dynamodb.tables import find_table
from messaging.management.table_command import TableCommand
from messaging.operations.plain_items import line, plain_item

COLUMNS = (Column("kind"), Column("pk"), Column("sk"), Column("what"))
ON_A_SCREEN = (12, 13, 20)
"""Widths that fit the first part of a uuid and a created_at to the second, and leave the rest for the text."""
IN_A_FILE = (12, 40, 36)
"""Widths of full keys."""


def whole_number(lowest: int, highest: float = math.inf) -> Callable[[str], int]:
    """Return an argparse type for whole numbers in this range."""

    def read(text: str) -> int:
        if not text.isdecimal() or not lowest <= int(text) <= highest:
            msg = f"{text} is no number from {lowest}" + (f" to {highest}" if highest < math.inf else " up")
            raise ArgumentTypeError(msg)
        return int(text)

    return read


class Command(TableCommand):
    help = "Show or count the items of the table. Waits when DynamoDB throttles."
    needs = (target.dynamodb,)
    examples = ("--limit 20", "--kind conversation --json", "--count --segments 4")
    replaces = ("ddb/scan",)

    def add_arguments(self, parser: CommandParser) -> None:
        how_much = parser.add_mutually_exclusive_group()
        how_much.add_argument("--limit", type=whole_number(1), metavar="N", help="stop after N items")
        how_much.add_argument("--count", action="store_true", help="only count the items of each kind")
        parser.add_argument("--kind", choices=KINDS, help="only items of this kind")
        parser.add_argument(
            "--segments",
            type=whole_number(1, MAX_READERS),
            default=1,
            metavar="N",
            help=f"read N parts of the table in parallel, at most {MAX_READERS}",
        )
        parser.add_argument("--eventual", action="store_true", help="half the read units; may miss recent writes")

    def act(
        self, *, limit: int | None, count: bool, kind: str | None, segments: int, eventual: bool, **options: Any
    ) -> None:
        name = message_table().name
        client = patient(message_table().client, attempts=1)  # the scan retries by itself
        table = find_table(client, name)
        if table is None:
            raise CommandError(
                f"There is no table {name}: run `manage.py ddb_schema_load`, or check DDB_MESSAGE_TABLE."
            )
        parts = segments_for(table.size_bytes, readers=segments)
        scan = Scan(
            client, name, segments, parts, kind, limit, count, consistent=not eventual, on_throttled=self.say_throttled
        )
        try:
            if count:
                kinds = self.count(scan, table.items)
                self.done(told(scan.totals), table=table.name, items=kinds, **asdict(scan.totals))
            else:
                shown = self.show(scan, table.items)
                self.say(f"{shown:,} shown; {told(scan.totals)}", self.style.SUCCESS)
        except KeyboardInterrupt:
            self.stderr.write(f"\nUntil then: {told(scan.totals)}", ending="")
            raise

    def say_throttled(self) -> None:
        if not self.quiet:
            self.stderr.write("\nDynamoDB throttles: waiting, then going on. More capacity makes it faster.")

    def count(self, scan: Scan, items: int) -> dict[str, int]:
        """Return the number of items by kind."""
        found: Counter[str] = Counter()
        with scan, self.progress("items", total=items or None) as advance:
            for page in scan:
                found.update({scan.kind: page.matched} if scan.kind else kinds_in(page))
                advance(page.scanned)
        kinds = {kind: found[kind] for kind in ([scan.kind] if scan.kind else [*KINDS, OTHER])}
        if not self.as_json:
            rows = [{"kind": kind, "items": number} for kind, number in kinds.items()]
            self.write_rows([Column("kind"), Column("items", right=True)], rows)
        return kinds

    def show(self, scan: Scan, items: int) -> int:
        """Print a line per item for people, the whole item for programs; return the number of items."""
        stdout = cast("IO[str]", self.stdout)
        screen, short = terminal.is_terminal(stdout), not terminal.is_plain(stdout)
        # No progress bar: the rows show the progress, and a bar would be drawn across them.
        bar = self.progress("items", total=items or None) if self.as_json and not screen else nullcontext(ignore)
        shown = 0

        def rows(advance: Callable[[int], None]) -> Iterator[Mapping[str, Any]]:
            nonlocal shown
            for item in islice(items_of(scan, advance), scan.limit):
                yield plain_item(item) if self.as_json else line(item, short=short)
                shown += 1

        with scan, bar as advance:
            if self.as_json:
                self.write_rows(COLUMNS, rows(advance))
            else:
                terminal.write_lines(stdout, COLUMNS, ON_A_SCREEN if short else IN_A_FILE, rows(advance))
        return shown


def items_of(scan: Scan, advance: Callable[[int], None]) -> Iterator[Item]:
    for page in scan:
        advance(page.scanned)
        yield from page.items


def ignore(number: int) -> None:
    """Ignore the progress."""


def told(totals: Totals) -> str:
    requests = "1 request" if totals.requests == 1 else f"{totals.requests:,} requests"
    throttled = f", throttled {totals.throttled:,} times" if totals.throttled else ""
    units = f"{totals.read_units:,.1f} read units"
    return f"{totals.scanned:,} items read in {requests}, {units} and {totals.seconds:,.1f} s{throttled}"
