from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cruddur.stack import describe_stack
from messaging.connection import message_table
from messaging.management.foreseen import foreseen
from messaging.schema import SchemaRefused, load_schema


class Command(BaseCommand):
    help = (
        "Create the table of conversations, or add the index or stream it lacks. Says what exists, refuses what "
        "DynamoDB cannot change, deletes nothing. Safe to run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--on-demand",
            action="store_true",
            help="pay per request instead of 5 read and 5 write units; switches a table that has those",
        )

    def handle(self, *, on_demand: bool, **options: Any) -> None:
        if options["verbosity"]:
            self.stdout.write(describe_stack())
        with foreseen():
            try:
                for sentence in load_schema(message_table(), on_demand=on_demand):
                    self.stdout.write(f"  {sentence}")
            except (SchemaRefused, TimeoutError) as error:
                raise CommandError(str(error)) from error
