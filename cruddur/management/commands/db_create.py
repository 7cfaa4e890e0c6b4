from typing import Any

from cruddur import stack
from cruddur.commands import StackCommand
from cruddur.database_server import create_database, database_name, lacks_tables
from cruddur.stack import describe_database


class Command(StackCommand):
    help = (
        "Create the database of DATABASE_URL on its server, in UTF8. One that exists is left as it is. Its tables are "
        "made by migrate. Safe to run again."
    )
    needs = (stack.postgres,)
    examples = ("",)
    replaces = ("db/create",)
    when_stopped = "Stopped. The database is there whole or not at all: run it again to see."

    def describe(self) -> str:
        return describe_database()

    def act(self, **options: Any) -> None:
        name = database_name()
        created = create_database(name)
        empty = created or lacks_tables(name)
        state = "created" if created else "exists"
        next_step = ", its tables are made by `manage.py migrate`" if empty else ""
        self.done(f"Database {name} {state}{next_step}.", database=name, created=created, has_tables=not empty)
