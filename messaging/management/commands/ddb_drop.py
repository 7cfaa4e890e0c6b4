from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.db import Error as DatabaseError

from cruddur.cli import target
from cruddur.cli.confirm import add_confirm_arguments, require_confirmation
from cruddur.cli.program import STOPPED
from cruddur.cli.terminal import as_bytes
from cruddur.net import is_loopback
from cruddur.postgres.postgres_errors import explain
from messaging.dynamodb.client import patient
from messaging.dynamodb.connection import message_table
from messaging.dynamodb.tables import DELETING, Table, delete, stream_in_words, table_to_drop, wait_until_gone
from messaging.management.table_command import TableCommand
from messaging.stream.checkpoints import forget_table


class Command(TableCommand):
    help = (
        "Delete a table and everything in it permanently, and print what it was. Refuses a table with deletion "
        "protection. Also deletes the checkpoints of its stream."
    )
    needs = (target.dynamodb,)
    examples = ("cruddur-messages", "cruddur-messages --yes", "cruddur-messages --confirm cruddur-messages")
    replaces = ("ddb/drop TABLE", "ddb/drop-sdk")

    def describe(self) -> str:
        # Show the named table, not the application's.
        return f"{target.describe_dynamodb()}; {target.describe_database()}"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("table", metavar="TABLE", help="its whole name")
        add_confirm_arguments(parser, name="TABLE")

    def act(self, *, table: str, yes: bool, confirm: str | None, **options: Any) -> None:
        client = patient(message_table().client)
        doomed = table_to_drop(client, table)
        if doomed.status == DELETING:
            self.say(f"Table {table} is being deleted already.")
        else:
            here = is_loopback(client.meta.endpoint_url) and not settings.PRODUCTION
            holding = items_of(doomed)
            require_confirmation(
                self, thing="table", name=table, is_local=here, yes=yes, confirm=confirm, holding=holding
            )
        try:
            delete(client, table)
            forgotten = self.forget_checkpoints(doomed)
            wait_until_gone(client, table)
        except KeyboardInterrupt:
            goes_on = f"DynamoDB deletes {table} all the same: `manage.py ddb_list_tables` shows when it is gone."
            self.stderr.write(f"\nStopped waiting. {goes_on}")
            raise SystemExit(STOPPED) from None
        self.done(
            f"Dropped {table}: {contents(doomed)}.",
            table=table,
            items=doomed.items,
            size_bytes=doomed.size_bytes,
            indexes=doomed.indexes,
            stream=doomed.stream,
            checkpoints=forgotten,
        )

    def forget_checkpoints(self, table: Table) -> int | None:
        """Delete the checkpoints and return their number.

        Return None when Postgres cannot be reached; the rows then stay, but nothing reads them.
        """
        try:
            return forget_table(table.arn)
        except DatabaseError as error:
            why = explain(error) or str(error)
            self.stderr.write(f"The checkpoints of its stream stay in Postgres, where they do no harm. {why}")
            return None


def items_of(table: Table) -> str:
    return f"about {table.items:,} items ({as_bytes(table.size_bytes)})"


def contents(table: Table) -> str:
    indexes = f"the indexes {', '.join(table.indexes)}" if table.indexes else "no index"
    stream = f"a stream of {stream_in_words(table.stream)}" if table.stream else "no stream"
    return f"{items_of(table)}, {indexes}, {stream}"
