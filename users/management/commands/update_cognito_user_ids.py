from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, ProgrammingError

from cruddur.stack import describe_cognito_stack
from users.cognito import CognitoError
from users.linking import link_people
from users.pool import pool_users


class Command(BaseCommand):
    help = (
        "Tie people who wait for it ('MOCK') to the Cognito user with their handle and their verified e-mail; "
        "report where only one of the two matches. Never changes anyone who is tied. Safe to run again."
    )

    def handle(self, **options: Any) -> None:
        if options["verbosity"]:
            self.stdout.write(describe_cognito_stack())
        try:
            linking = link_people(pool_users())
        except CognitoError as error:
            raise CommandError(str(error)) from error
        except OperationalError as error:
            raise CommandError("The database does not answer. Start the local stack with `make run`.") from error
        except ProgrammingError as error:
            raise CommandError("The database has no tables yet. Run `manage.py migrate` first.") from error
        for person in linking.tied if options["verbosity"] else ():
            self.stdout.write(f"  @{person.handle} is now {person.cognito_user_id}")
        for mismatch in linking.mismatches:
            self.stdout.write(self.style.WARNING(f"  {mismatch}"))
        self.stdout.write(
            self.style.SUCCESS(
                f"{len(linking.tied)} people tied, {linking.already_tied} were already, "
                f"{len(linking.mismatches)} mismatches, {linking.unknown} Cognito users without a person here, "
                f"{linking.without_handle} without a handle."
            )
        )
