from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from django.core.management.base import CommandError, CommandParser

from cruddur.cli import target
from cruddur.cli.base_command import UsageError
from messaging.dynamodb.client import patient
from messaging.dynamodb.codec import Item
from messaging.dynamodb.connection import message_table
from messaging.dynamodb.scan import Scan, segments_for
from messaging.dynamodb.table import MessageTable
from messaging.dynamodb.tables import find_table
from messaging.management.table_command import TableCommand
from messaging.operations.backup import check_files, put_items, read_items

from .ddb_scan import whole_number

MAX_THREADS = 32
STANDARD_INPUT = Path("-")


class Command(TableCommand):
    help = (
        "Write the items of a backup into the table, which must be empty. They come from files of ddb_export or of "
        "AWS's export to S3 in DynamoDB JSON, or from another table. Files are checked before anything is written. "
        "Run ddb_reconcile afterwards, before anybody writes."
    )
    needs = (target.dynamodb,)
    examples = (
        "cruddur-messages.json.gz",
        "AWSDynamoDB/01234567890123-abcdef12/data/*.json.gz",
        "--from-table cruddur-messages-restored",
        "- < cruddur-messages.json.gz",
    )
    when_stopped = "Stopped. A part is written; the same command with --resume writes all of it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "files", metavar="FILE", type=Path, nargs="*", help="files with an item a line, or - for standard input"
        )
        parser.add_argument("--from-table", metavar="TABLE", help="a table in the same account and region instead")
        parser.add_argument(
            "--resume",
            action="store_true",
            help="after an interruption, overwrite existing items; not where people have written since",
        )
        parser.add_argument(
            "--threads", type=whole_number(1, MAX_THREADS), default=4, metavar="N", help="write N batches in parallel"
        )

    def act(self, *, files: list[Path], from_table: str | None, resume: bool, threads: int, **options: Any) -> None:
        if bool(files) == bool(from_table):
            raise UsageError("Name the files, or one table with --from-table.")
        if files.count(STANDARD_INPUT) and (len(files) > 1 or sys.stdin.isatty()):
            raise UsageError("- is standard input: send a file there, and name no other.")
        with ExitStack() as end:
            files = [end.enter_context(kept_input()) if file == STANDARD_INPUT else file for file in files]
            # Report a damaged or missing file before the table is read or written.
            expected = check_files(files) if files else None
            self.restore(files, from_table, expected, resume=resume, threads=threads)

    def restore(
        self, files: list[Path], from_table: str | None, expected: int | None, *, resume: bool, threads: int
    ) -> None:
        """Write the items into the table. Raises CommandError when it is missing or not empty."""
        own = message_table()
        # Items are copied unchanged, so nothing is validated; the writer retries by itself.
        client = patient(own.client, attempts=1, validate=False)
        if find_table(own.client, own.name) is None:
            raise CommandError(f"There is no table {own.name}: run `manage.py ddb_schema_load` first.")
        if from_table == own.name:
            raise CommandError(f"{own.name} is the table to be restored: name the one that has the items.")
        if not resume and not own.is_empty():
            raise CommandError(
                f"{own.name} is not empty, and what is in it may be newer than what would come: restore into another "
                "table (DDB_MESSAGE_TABLE), or go on with a restore that was interrupted with --resume."
            )
        count = 0

        def note(number: int) -> None:
            nonlocal count
            count += number
            advance(number)

        source = scanned(MessageTable(client, from_table)) if from_table else read(files, expected)
        with source as (items, total), self.progress("items", total=total) as advance:
            writer = put_items(MessageTable(client, own.name), items, threads=threads, written=note)
        units = f", for {writer.write_units:,.0f} write units" if writer.write_units else ""
        self.done(
            f"{count:,} items written to {own.name}{units}. Now run `manage.py ddb_reconcile`.",
            table=own.name,
            files=[str(file) for file in files],
            from_table=from_table,
            items=count,
            write_units=writer.write_units or None,
        )


@contextmanager
def read(files: list[Path], expected: int | None) -> Iterator[tuple[Iterator[Item], int | None]]:
    """Yield the items of the files, and their number."""
    yield read_items(files), expected


@contextmanager
def kept_input() -> Iterator[Path]:
    """Copy standard input, which can be read only once, into a temporary file that only its owner can read."""
    with NamedTemporaryFile(suffix=".json.gz") as file:
        try:
            shutil.copyfileobj(sys.stdin.buffer, file)
            file.flush()
        except OSError as error:
            raise CommandError(f"Standard input cannot be read or kept: {error.strerror}.") from error
        yield Path(file.name)


@contextmanager
def scanned(table: MessageTable) -> Iterator[tuple[Iterator[Item], int | None]]:
    """Yield the items of another table, and their approximate number."""
    described = find_table(table.client, table.name)
    if described is None:
        raise CommandError(f"There is no table {table.name} to restore from.")
    scan = Scan(table.client, table.name, segments=segments_for(described.size_bytes, readers=1))
    with scan:
        yield (item for page in scan for item in page.items), described.items or None
