from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.db import IntegrityError

from cruddur.cli import target
from cruddur.cli.base_command import StackCommand
from cruddur.cli.target import describe_database
from cruddur.cli.terminal import Column
from cruddur.postgres.server import database_name
from users.people import seed_people

COLUMNS = (Column("handle"), Column("name"), Column("email", "e-mail"), Column("uuid"))


class Command(StackCommand):
    help = "Create the people of the seed in Postgres. Existing people are left alone."
    needs = (target.postgres,)
    examples = ("", "--json")
    replaces = ("db/seed",)
    when_stopped = "Stopped. All of them were created or nobody: run it again to see."

    def add_arguments(self, parser: CommandParser) -> None:
        meaning = "the name of the database, needed in production: invented people seldom belong there"
        parser.add_argument("--confirm", metavar="DATABASE", help=meaning)

    def describe(self) -> str:
        return describe_database()

    def act(self, *, confirm: str | None, **options: Any) -> None:
        require_meaning(database_name(), confirm)
        try:
            created, found = seed_people()
        except IntegrityError as error:
            raise CommandError("Nobody was seeded: someone has a handle that looks like one of the seed's.") from error
        rows = [
            {"handle": person.handle, "name": person.display_name, "email": person.email, "uuid": person.uuid}
            for person in created
        ]
        if rows and not self.as_json and not self.quiet:
            self.write_rows(COLUMNS, rows)
        self.done(
            f"{len(created)} people created, {len(found)} were there already.",
            created=rows,
            already_there=[person.handle for person in found],
        )


def require_meaning(database: str, confirm: str | None) -> None:
    """Raise CommandError if invented people would be added to this database by accident."""
    if confirm is not None and confirm != database:
        raise CommandError(f"--confirm {confirm} is not {database}: nobody was seeded.")
    if settings.PRODUCTION and confirm is None:
        raise CommandError(
            "This is production and the people of the seed are invented: nobody was seeded. If you mean it, add "
            f"--confirm {database}."
        )
