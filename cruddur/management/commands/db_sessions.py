from dataclasses import asdict
from typing import IO, Any, cast

from django.core.management.base import CommandParser
from django.utils import timezone

from cruddur.cli import target
from cruddur.cli.base_command import StackCommand
from cruddur.cli.terminal import is_plain, width_of
from cruddur.postgres import connection_table
from cruddur.postgres.connections import Session, end_session, sessions
from cruddur.postgres.server import MAINTENANCE, connected, database_name, describe_server, find_database

VERBOSE = 2


class Command(StackCommand):
    help = (
        "Show who is connected to the database, since when, from where, doing what. Literals in statements are removed."
    )
    needs = (target.postgres,)
    examples = ("", "--all", "--database postgres --json", "--kill 4711")
    replaces = ("db/sessions",)
    when_stopped = "Stopped. No session was ended, unless the line above says so."

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--database", metavar="NAME", help="a database other than that of DATABASE_URL")
        which.add_argument("--all", action="store_true", dest="every", help="all databases of the server")
        which.add_argument("--kill", metavar="PID", type=int, help="end this session")

    def describe(self) -> str:
        return describe_server()

    def act(self, *, database: str | None, every: bool, kill: int | None, verbosity: int, **options: Any) -> None:
        own = database_name()
        with connected(own, *MAINTENANCE) as server:
            if kill is not None:
                self.tell_of_the_end(end_session(server, kill))
                return
            name = None if every else find_database(server, database or own).name
            found = sessions(server, database=name)
        if self.as_json:
            self.write_rows((), map(asdict, found))
        elif found:
            stream = cast("IO[str]", self.stdout)
            cut = not is_plain(stream) and verbosity < VERBOSE
            for table in connection_table.tables(found, now=timezone.now(), width=width_of(stream), cut=cut):
                self.write_rows(*table)
        where = f"to the database {name}" if name else "to the databases of this server"
        who = len(found) or "Nobody is"
        self.say(f"{who} connected {where}, beside this command.", self.style.SUCCESS)

    def tell_of_the_end(self, ended: Session) -> None:
        now = timezone.now()
        whose = f"{ended.program or 'a program without a name'} as {ended.role}"
        origin = f" from {ended.address}" if ended.address else ""
        since = f", connected for {connection_table.lasting(ended.connected_at, now)}" if ended.connected_at else ""
        state = f", {ended.state} for {connection_table.lasting(ended.state_since, now)}" if ended.state else ""
        self.done(
            f"Ended session {ended.pid} in the database {ended.database}: {whose}{origin}{since}{state}.",
            **asdict(ended),
        )
