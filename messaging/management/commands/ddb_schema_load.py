from typing import Any

from django.core.management.base import CommandParser

from cruddur.cli import target
from messaging.dynamodb.connection import message_table
from messaging.dynamodb.schema import load_schema
from messaging.management.table_command import TableCommand


class Command(TableCommand):
    help = (
        "Create the table, or add the index or stream it lacks. Safe to run again. Deletes nothing without --replace. "
        "Exit code 1: DynamoDB cannot change a difference; the message says what to do."
    )
    needs = (target.dynamodb,)
    examples = ("", "--on-demand", "--replace")
    replaces = ("ddb/schema-load [prod]",)
    when_stopped = "Stopped. What DynamoDB was told it goes on with; run it again to see the rest done."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--on-demand",
            action="store_true",
            help="pay per request instead of 5 read and 5 write units; also switches an existing table",
        )

        parser.add_argument(
            "--replace",
            action="store_true",
            help="delete an index or a stream that differs from the definition, and add it again; lists cannot be read "
            "until an index is filled, and the worker projects every conversation after a new stream",
        )

    def act(self, *, on_demand: bool, replace: bool, **options: Any) -> None:
        table = message_table()
        steps = []
        for sentence in load_schema(table, on_demand=on_demand, replace=replace):
            steps.append(sentence)
            self.say(f"  {sentence}")
        self.done(f"Table {table.name} is as it should be.", table=table.name, steps=steps)
