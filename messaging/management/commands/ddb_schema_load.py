from typing import Any

from django.core.management.base import CommandParser

from messaging.connection import message_table
from messaging.management.table_command import TableCommand
from messaging.operations.schema import load_schema


class Command(TableCommand):
    help = (
        "Create the table of conversations, or add the index or stream it lacks. Says what exists, refuses what "
        "DynamoDB cannot change, deletes nothing. Safe to run again."
    )
    examples = ("", "--on-demand")
    replaces = ("ddb/schema-load [prod]",)
    when_stopped = "Stopped. What DynamoDB was told it goes on with; run it again to see the rest done."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--on-demand",
            action="store_true",
            help="pay per request instead of 5 read and 5 write units; switches a table that has those",
        )

    def act(self, *, on_demand: bool, **options: Any) -> None:
        table = message_table()
        steps = []
        for sentence in load_schema(table, on_demand=on_demand):
            steps.append(sentence)
            self.say(f"  {sentence}")
        self.done(f"Table {table.name} is as it should be.", table=table.name, steps=steps)
