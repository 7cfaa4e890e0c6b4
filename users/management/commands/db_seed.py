from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError, OperationalError, ProgrammingError

from cruddur.stack import describe_stack
from users.people import seed_people


class Command(BaseCommand):
    help = "Bring the people of the seed into Postgres; who is there already is not touched. Safe to run again."

    def handle(self, **options: Any) -> None:
        if options["verbosity"]:
            self.stdout.write(describe_stack())
        try:
            created, found = seed_people()
        except OperationalError as error:
            raise CommandError("The database does not answer. Start the local stack with `make run`.") from error
        except ProgrammingError as error:
            raise CommandError("The database has no tables yet. Run `manage.py migrate` first.") from error
        except IntegrityError as error:
            raise CommandError("Nothing was seeded: someone has a handle that looks like one of the seed's.") from error
        for person in created if options["verbosity"] else ():
            self.stdout.write(f"  @{person.handle}  {person.display_name}")
        self.stdout.write(self.style.SUCCESS(f"{len(created)} people created, {len(found)} were there already."))
