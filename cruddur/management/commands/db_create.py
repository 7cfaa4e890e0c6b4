import os
from typing import Any

from django.conf import settings

from cruddur.cli import target
from cruddur.cli.base_command import StackCommand
from cruddur.cli.target import describe_database
from cruddur.postgres.roles import Login, as_migration_role, ensure_application_role, has_two_roles
from cruddur.postgres.server import MAINTENANCE, connected, create_database, database_name, lacks_tables


class Command(StackCommand):
    help = (
        "Create the database of DATABASE_URL in UTF8, unless it exists. migrate makes its tables. With "
        "MIGRATION_DATABASE_URL that role creates it, and also the role of DATABASE_URL."
    )
    needs = (target.postgres,)
    examples = ("",)
    replaces = ("db/create",)
    when_stopped = "Stopped. The database is there whole or not at all: run it again to see."

    def describe(self) -> str:
        return describe_database()

    def act(self, **options: Any) -> None:
        name = database_name()
        with as_migration_role():
            if has_two_roles():
                with connected(*MAINTENANCE) as server:
                    ensure_application_role(server, application_login())
            created = create_database(name)
            empty = created or lacks_tables(name)
        state = "created" if created else "exists"
        next_step = ", its tables are made by `manage.py migrate`" if empty else ""
        self.done(f"Database {name} {state}{next_step}.", database=name, created=created, has_tables=not empty)


def application_login() -> Login:
    """Return the role and the password of DATABASE_URL; PGPASSWORD stands in for one that the URL lacks."""
    application = settings.DATABASES["default"]
    return Login(application["USER"], application["PASSWORD"] or os.environ.get("PGPASSWORD", ""))
