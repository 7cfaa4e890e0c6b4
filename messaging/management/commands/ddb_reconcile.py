from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError, CommandParser

from cruddur.cli import target
from cruddur.cli.base_command import UsageError
from cruddur.cli.terminal import printable
from messaging.dynamodb.client import patient
from messaging.dynamodb.connection import message_table
from messaging.dynamodb.scan import segments_for
from messaging.dynamodb.tables import find_table
from messaging.management.table_command import TableCommand
from messaging.operations.consistency.findings import Finding
from messaging.operations.consistency.reconcile import Reconciliation
from messaging.operations.consistency.snapshot_reader import ScanCursor, parse_cursor
from users.handle_lookup import person_meant


class Command(TableCommand):
    help = (
        "Compare conversations with their messages and lists, and repair them. Finds missing, outdated and foreign "
        "entries, wrong counts, numbers, previews and read positions, lost conversations and malformed items. Safe "
        "while people chat, to interrupt and to repeat. Exit code 1: something could not be repaired, or with "
        "--dry-run, something is wrong."
    )
    needs = (target.dynamodb,)
    examples = (
        "",
        "--dry-run",
        "--dry-run --json",
        "--user bayko",
        "--group 3f2b8c1e-5d0a-5b8e-9c55-0d6f4b1a7e21",
        "--delete-strays",
    )
    when_stopped = "Stopped. What was repaired stays repaired; it is safe to begin anew."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what is wrong")
        which = parser.add_mutually_exclusive_group()
        which.add_argument(
            "--user",
            metavar="HANDLE",
            help="only this person's entries and their conversations; does not find missing entries",
        )
        which.add_argument("--group", metavar="UUID", type=UUID, help="only this conversation")
        parser.add_argument(
            "--delete-strays",
            action="store_true",
            help="delete entries of non-members, and entries without conversation and messages; default: only report",
        )
        parser.add_argument(
            "--from", metavar="PLACE", dest="start", help="continue a stopped run from the place it printed"
        )

    def act(
        self,
        *,
        user: str | None,
        group: UUID | None,
        start: str | None,
        dry_run: bool,
        delete_strays: bool,
        **options: Any,
    ) -> None:
        if group and start:
            raise UsageError("--from goes on among many conversations and --group is one: leave one of them out.")
        place = place_meant(start) if start and not user else None
        table = message_table()
        described = find_table(table.client, table.name)
        if described is None:
            raise CommandError(
                f"There is no table {table.name}: run `manage.py ddb_schema_load`, or check DDB_MESSAGE_TABLE."
            )
        table = replace(table, client=patient(table.client, attempts=1))  # a run retries by itself
        run = Reconciliation(table, dry_run=dry_run, delete_strays=delete_strays)
        total = None
        if group:
            found = run.of_group(group)
        elif user:
            found = run.of_user(person_meant(user).uuid, start)
        else:
            total = None if place else described.items or None
            # In DynamoDB Local a page takes as long as its whole segment: see messaging.dynamodb.scan.
            found = run.of_table(place or ScanCursor(0, segments_for(described.size_bytes, readers=1)))
        tally = Tally()
        progress = self.progress("entries" if user or group else "items", total=total)
        with self.resumable(run), progress as run.advance, self.above_the_bar():
            for finding in found:
                tally.add(finding)
                self.tell(finding)
        if group and not run.compared.total() and not tally.found:
            raise CommandError(f"There is no conversation {group}, no message and no entry of it.")
        self.sum_up(run, tally)

    def tell(self, finding: Finding) -> None:
        if self.as_json:
            self.write_rows([], [asdict(finding)])
        else:
            self.say(printable(finding.sentence), self.style.NOTICE if finding.repaired else self.style.WARNING)

    def sum_up(self, run: Reconciliation, tally: Tally) -> None:
        """Print the summary. Raises CommandError when a problem remains."""
        number, left = tally.found.total(), tally.found.total() - tally.repaired
        looked_at = (
            f"{counted(run.compared['conversations'], 'conversation', 'conversations')}, "
            f"{counted(run.compared['messages'], 'message', 'messages')} and "
            f"{counted(run.compared['entries'], 'entry', 'entries')}"
        )
        if not number:
            verdict = "all is well"
        elif run.dry_run:
            verdict = f"{counted(number, 'thing is', 'things are')} wrong; nothing was changed"
        elif left:
            verdict = (
                f"{counted(number, 'thing was', 'things were')} wrong, {tally.repaired:,} repaired and {left:,} not"
            )
        else:
            verdict = f"{counted(number, 'thing was', 'things were')} wrong and repaired"
        sentence = f"Compared {looked_at} for {run.read_units:,.1f} read units: {verdict}."
        if self.as_json or not left:
            facts = {"found": dict(tally.found), "repaired": tally.repaired, "not_repaired": left}
            units = {"read_units": run.read_units}
            self.done(sentence, kind="summary", dry_run=run.dry_run, **dict(run.compared), **facts, **units)
        if left:
            raise CommandError(sentence)

    @contextmanager
    def resumable(self, run: Reconciliation) -> Iterator[None]:
        """Print where to continue if the run ends early."""
        try:
            yield
        except BaseException:
            if run.cursor:
                self.stderr.write(f"\nTo go on from here, add: --from '{printable(run.cursor)}'")
            raise


def place_meant(start: str) -> ScanCursor:
    try:
        return parse_cursor(start)
    except ValueError:
        raise UsageError(
            f"--from {printable(start)} is no place: give it as the run that was stopped said it."
        ) from None


@dataclass(slots=True)
class Tally:
    """How many problems of each kind were found and repaired."""

    found: Counter[str] = field(default_factory=Counter)
    repaired: int = 0

    def add(self, finding: Finding) -> None:
        self.found[finding.kind] += 1
        self.repaired += finding.repaired


def counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
