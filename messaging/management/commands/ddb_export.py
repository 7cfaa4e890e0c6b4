from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from cruddur.cli import target
from cruddur.cli.base_command import UsageError
from cruddur.cli.terminal import as_bytes
from messaging.dynamodb.client import patient
from messaging.dynamodb.codec import Item
from messaging.dynamodb.connection import message_table
from messaging.dynamodb.scan import MAX_READERS, Scan, segments_for
from messaging.dynamodb.tables import find_table
from messaging.management.table_command import TableCommand
from messaging.operations.backup import write_items, write_stream

from .ddb_scan import whole_number


class Command(TableCommand):
    help = (
        "Write every item of the table into a file, for ddb_restore. One item a line, compressed, as in AWS's export "
        "to S3. The file holds private messages. What is written meanwhile may be missing; AWS's own backups are of "
        "one moment."
    )
    needs = (target.dynamodb,)
    examples = ("cruddur-messages.json.gz", "/backups/2026-11-21.json.gz --segments 4", "- > cruddur-messages.json.gz")
    to_stdout = False
    when_stopped = "Stopped. There is no file: nothing of it is left."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path, help="a new file, or - for standard output")
        parser.add_argument(
            "--segments", type=whole_number(1, MAX_READERS), default=1, metavar="N", help="read N parts in parallel"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.to_stdout = str(options["file"]) == "-"
        super().handle(*args, **options)

    def say(self, sentence: str, style: Callable[[str], str] | None = None) -> None:
        """Print to stderr if standard output has the items."""
        if self.to_stdout and not self.quiet:
            self.stderr.write(style(sentence) if style else sentence)
        elif not self.to_stdout:
            super().say(sentence, style)

    def act(self, *, file: Path, segments: int, **options: Any) -> None:
        if self.to_stdout and sys.stdout.isatty():
            raise UsageError("The items are compressed, for a file or a program: send standard output there.")
        if not self.to_stdout and file.exists():
            raise CommandError(f"{file} is there already: name another file, or move it away.")
        name = message_table().name
        client = patient(message_table().client, attempts=1)  # the scan retries by itself
        table = find_table(client, name)
        if table is None:
            raise CommandError(
                f"There is no table {name}: run `manage.py ddb_schema_load`, or check DDB_MESSAGE_TABLE."
            )
        scan = Scan(client, name, segments, segments_for(table.size_bytes, readers=segments))
        with scan, self.progress("items", total=table.items or None) as advance:
            items = items_of(scan, advance)
            count = write_stream(sys.stdout.buffer, items) if self.to_stdout else write_items(file, items)
        if self.to_stdout:
            self.say(f"{count:,} items written, for {scan.totals.read_units:,.1f} read units.", self.style.SUCCESS)
            return
        size = file.stat().st_size
        self.done(
            f"{count:,} items written to {file} ({as_bytes(size)}), for {scan.totals.read_units:,.1f} read units.",
            table=name,
            file=str(file),
            items=count,
            size_bytes=size,
            read_units=scan.totals.read_units,
        )


def items_of(scan: Scan, advance: Callable[[int], None]) -> Iterator[Item]:
    for page in scan:
        yield from page.items
        advance(page.scanned)
