from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from cruddur.stack import describe_stack
from messaging.management.foreseen import foreseen


class Command(BaseCommand):
    help = (
        "Everything a new stack needs, in order: the tables in Postgres, the table in DynamoDB, and, except in "
        "production, the people and conversations of the seed, tied to their Cognito users. Safe to run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-seed", action="store_true", help="leave the seed out")

    def handle(self, *, no_seed: bool, **options: Any) -> None:
        self.stdout.write(describe_stack())
        self.step("Postgres: migrations", "migrate", interactive=False, verbosity=0)
        self.step("DynamoDB: table", "ddb_schema_load", verbosity=0)
        if settings.PRODUCTION or no_seed:
            self.stdout.write(self.style.SUCCESS("Set up, without the seed."))
            return
        self.step("Postgres: people", "db_seed", verbosity=0)
        self.step("Cognito: who is who", "update_cognito_user_ids", verbosity=0)
        self.step("DynamoDB: conversations", "ddb_seed", verbosity=0)
        self.stdout.write(self.style.SUCCESS("Set up."))

    def step(self, title: str, command: str, **options: Any) -> None:
        self.stdout.write(self.style.MIGRATE_HEADING(title))
        with foreseen():
            call_command(command, stdout=self.stdout, stderr=self.stderr, **options)
