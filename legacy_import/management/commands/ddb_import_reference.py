from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from cruddur.cli import target
from cruddur.cli.base_command import UsageError
from cruddur.cli.terminal import Column, printable
from legacy_import.legacy_table import LegacyTable
from legacy_import.legacy_users import BadRow, LegacyUser, read_legacy_users
from legacy_import.report import Remark, Report
from legacy_import.run import Import
from messaging.dynamodb.client import patient
from messaging.dynamodb.connection import message_table
from messaging.dynamodb.scan import MAX_READERS
from messaging.dynamodb.table import MessageTable
from messaging.dynamodb.tables import find_table
from messaging.management.table_command import TableCommand

THREADS = 4
NUMBERS = {
    "items": "items of the old table",
    "messages_read": "its messages",
    "entries_read": "its lines of lists",
    "groups": "its groups",
    "groups_merged": "groups merged into another one of the same two",
    "times_offset": "times with an offset",
    "times_naive": "times without a time zone",
    "times_epoch": "times that are numbers",
    "times_unreadable": "times that cannot be read",
    "users_read": "rows of the old users table",
    "people_created": "people made",
    "people_found": "people who were here under their uuid",
    "people_matched": "people who were here under another uuid",
    "people_completed": "placeholders that got their row",
    "people_placeholder": "placeholders made",
    "conversations": "conversations",
    "conversations_written": "conversations written",
    "conversations_completed": "conversations here that got more messages",
    "messages_written": "messages written",
    "messages_found": "messages that were here",
    "messages_of_deleted": "messages of two who deleted their accounts",
}
"""What each total of the report counts, in the order in which they are printed."""


def zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        msg = f"{text} is no time zone; one is Europe/Vienna"
        raise ArgumentTypeError(msg) from None


def number(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MAX_READERS:
        msg = f"{text} is no number from 1 to {MAX_READERS}"
        raise ArgumentTypeError(msg)
    return int(text)


class Command(TableCommand):
    help = (
        "Import the old system's conversations and people. docs/legacy-import.md describes it. Names each item it had "
        "to change or leave out. Safe to stop, to run again, and while people chat. Exit code 1: something was left "
        "out."
    )
    needs = (target.postgres, target.dynamodb)
    examples = (
        "cruddur-messages-old --users postgresql://reader@old-host/cruddur --dry-run",
        "cruddur-messages-old --users users.csv",
        "cruddur-messages-old --users users.json --ignore-cognito-ids --zone America/Toronto",
        "cruddur-messages-old --json",
    )
    when_stopped = "Stopped. What is written stays, what is not whole stays out of sight; run it again to go on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("table", metavar="TABLE", help="the old table, in the same account and region")
        parser.add_argument(
            "--users",
            metavar="SOURCE",
            help="the old users table: a Postgres URL, or a file, .json (objects) or CSV (with headings). "
            "A password is better kept in PGPASSWORD or ~/.pgpass than here",
        )
        parser.add_argument(
            "--ignore-cognito-ids",
            action="store_true",
            help="for another user pool: link people later with update_cognito_user_ids",
        )
        parser.add_argument(
            "--zone",
            type=zone,
            default="UTC",
            metavar="ZONE",
            help="the old server's time zone, for times without one (UTC)",
        )
        parser.add_argument(
            "--threads", type=number, default=THREADS, metavar="N", help=f"N conversations at once ({THREADS})"
        )
        parser.add_argument("--dry-run", action="store_true", help="change nothing, say what would be done")

    def act(
        self,
        *,
        table: str,
        users: str | None,
        ignore_cognito_ids: bool,
        zone: ZoneInfo,
        threads: int,
        dry_run: bool,
        **options: Any,
    ) -> None:
        # Check the file first, so that an error is reported before the tables are read or written.
        rows: Iterable[LegacyUser | BadRow] = list(read_legacy_users(users)) if users else ()
        run = self.import_from(table, zone, threads, dry_run=dry_run)
        with self.progress("items read", total=run.old.described.items or None) as advance, self.above_the_bar():
            run.survey(advance, self.say_throttled)
        with self.progress("people") as advance, self.above_the_bar():
            run.people(rows, advance, keep_cognito_ids=not ignore_cognito_ids)
        with self.progress("messages", total=run.surveyed.messages or None) as advance, self.above_the_bar():
            run.conversations(advance)
        self.sum_up(run)

    def import_from(self, name: str, zone: ZoneInfo, threads: int, *, dry_run: bool) -> Import:
        """Build the import to run. Raises UsageError, CommandError."""
        table = message_table()
        if name == table.name:
            raise UsageError(
                f"{name} is the table that this system writes to (DDB_MESSAGE_TABLE): give it another one, run "
                "ddb_schema_load, then this again."
            )
        # The reads and the writer retry by themselves.
        client = patient(table.client, attempts=1)
        if find_table(client, table.name) is None:
            raise CommandError(f"There is no table {table.name}: run `manage.py ddb_schema_load`.")
        described = find_table(client, name)
        if described is None:
            raise CommandError(f"There is no table {name} in this account and region: see `manage.py ddb_list_tables`.")
        return Import(
            old=LegacyTable(client, described),
            table=MessageTable(client, table.name),
            report=Report(self.tell),
            zone=zone,
            now=timezone.now(),
            dry_run=dry_run,
            threads=threads,
        )

    def say_throttled(self) -> None:
        if not self.quiet:
            self.stderr.write("\nDynamoDB throttles: waiting, then going on. More capacity makes it faster.")

    def tell(self, remark: Remark) -> None:
        if self.as_json:
            self.write_rows([], [asdict(remark)])
        else:
            self.say(printable(remark.sentence), self.style.WARNING if remark.kind.is_left_out else None)

    def sum_up(self, run: Import) -> None:
        """Print the summary. Raises CommandError when something was left out."""
        counts, left_out = run.report.counts, run.report.left_out
        if not self.as_json and not self.quiet:
            rows = [{"number": counts[key], "of": what} for key, what in NUMBERS.items() if counts[key]]
            self.write_rows([Column("number", right=True), Column("of")], rows)
        verb = "would be written" if run.dry_run else "written"
        sentence = (
            f"{counts['messages_written']:,} messages {verb}, {counts['messages_found']:,} were there, in "
            f"{counts['conversations']:,} conversations of {counts['groups']:,} groups."
        )
        if left_out:
            sentence += f" {left_out:,} {'thing was' if left_out == 1 else 'things were'} left out: see above."
        if self.as_json or not left_out:
            facts = {key: counts[key] for key in NUMBERS}
            self.done(sentence, kind="summary", dry_run=run.dry_run, **facts, remarks=dict(run.report.remarks))
        if left_out:
            raise CommandError(sentence)
