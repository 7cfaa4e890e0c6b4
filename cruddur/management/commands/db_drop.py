from collections.abc import Sequence
from typing import IO, Any, cast

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from cruddur.cli import target
from cruddur.cli.base_command import StackCommand
from cruddur.cli.confirm import add_confirm_arguments, require_confirmation
from cruddur.cli.terminal import as_bytes, width_of
from cruddur.postgres import connection_table
from cruddur.postgres.connections import Session, staying_sessions
from cruddur.postgres.roles import as_migration_role
from cruddur.postgres.server import (
    MAINTENANCE,
    NEVER_DROPPED,
    Database,
    connected,
    count_people,
    describe_server,
    drop_database,
    find_database,
    is_on_this_machine,
)


class Command(StackCommand):
    help = (
        "Drop a database of the server in DATABASE_URL and everything in it. Refuses while others are connected, "
        "unless forced."
    )
    needs = (target.postgres,)
    examples = ("cruddur", "cruddur --yes", "cruddur --yes --force", "cruddur --confirm cruddur")
    replaces = ("db/drop",)
    when_stopped = "Stopped. The database is there whole or not at all: `manage.py db_drop` again says which."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("database", metavar="DATABASE", help="its exact name")
        parser.add_argument("--force", action="store_true", help="end the sessions of those who are connected")
        add_confirm_arguments(parser, name="DATABASE")

    def describe(self) -> str:
        return describe_server()

    def act(self, **options: Any) -> None:
        with as_migration_role():
            self.drop(**options)

    def drop(self, *, database: str, force: bool, yes: bool, confirm: str | None, **options: Any) -> None:
        if database in NEVER_DROPPED:
            raise CommandError(f"{database} belongs to the server itself: nothing was dropped.")
        with connected(*MAINTENANCE) as server:
            found = find_database(server, database)
            if found.is_template or not found.may_be_dropped:
                reason = "is a template" if found.is_template else f"belongs to the role {found.owner}"
                raise CommandError(f"The database {database} {reason}: nothing was dropped.")
            others = staying_sessions(server, database=database)
            self.refuse_others(others, database, force=force)
            people = count_people(database)
            require_confirmation(
                self,
                thing="database",
                name=database,
                is_local=is_on_this_machine() and not settings.PRODUCTION,
                yes=yes,
                confirm=confirm,
                holding=", ".join(facts(found, people)),
            )
            drop_database(server, found, force=force)
        ended = f", which ended {len(others)} session{'s' if len(others) > 1 else ''}" if others else ""
        self.done(
            f"Dropped the database {', '.join([database, *facts(found, people)])}{ended}.",
            database=database,
            size_bytes=found.size_bytes,
            people=people,
            sessions_ended=len(others),
        )

    def refuse_others(self, others: Sequence[Session], database: str, *, force: bool) -> None:
        if others and not self.as_json and not self.quiet:
            width = width_of(cast("IO[str]", self.stdout))
            for table in connection_table.tables(others, now=timezone.now(), width=width, cut=True):
                self.write_rows(*table)
        if others and not force:
            pids = ", ".join(str(each.pid) for each in others)
            raise CommandError(
                f"Others are connected to {database} (pid {pids}): nothing was dropped. Stop them, or add --force, "
                "which ends their sessions."
            )


def facts(database: Database, people: int | None) -> list[str]:
    """Return the size and the people, as in `8.1 MB` and `34 people`, as far as known."""
    size = [] if database.size_bytes is None else [as_bytes(database.size_bytes)]
    return size if people is None else [*size, f"{people:,} people"]
