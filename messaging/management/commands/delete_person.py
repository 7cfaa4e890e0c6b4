import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils import timezone

from cruddur.cli import target
from cruddur.cli.base_command import UsageError
from cruddur.cli.confirm import add_confirm_arguments, require_confirmation
from cruddur.net import is_loopback
from messaging.actions import delete_account
from messaging.dynamodb.client import patient
from messaging.dynamodb.connection import message_table
from messaging.dynamodb.table import MessageTable
from messaging.management.table_command import TableCommand
from users import delete_account as delete_account_module
from users.cognito.pool import user_pool
from users.handle_lookup import NobodyCalled, person_meant
from users.people import person_who_had


class Command(TableCommand):
    help = (
        "Delete a person's account permanently. Signs them out, turns their messages into tombstones, deletes their "
        "entries and their Cognito user, and empties their row. Takes at least a minute, until earlier requests have "
        "ended."
    )
    needs = (target.postgres, target.dynamodb, target.cognito)
    examples = ("bayko", "bayko --yes", "bayko --confirm bayko", "--pending")
    when_stopped = "Stopped. What is done is done; --pending, or the stream worker, does the rest."

    def add_arguments(self, parser: CommandParser) -> None:
        who = parser.add_mutually_exclusive_group()
        who.add_argument("handle", metavar="HANDLE", nargs="?", help="the person")
        who.add_argument(
            "--pending", action="store_true", help="continue all requested deletions, where no stream worker runs"
        )
        add_confirm_arguments(parser, name="HANDLE")

    def act(self, *, handle: str | None, pending: bool, yes: bool, confirm: str | None, **options: Any) -> None:
        if (handle is None) != pending:
            raise UsageError("Name a handle, or give --pending.")
        waiting = (
            delete_account_module.waiting() if handle is None else self.asked_for(handle, yes=yes, confirm=confirm)
        )
        for user_uuid in waiting:
            self.delete(user_uuid)
        what = "1 account" if len(waiting) == 1 else f"{len(waiting)} accounts"
        self.done(f"{what} deleted.", deleted=len(waiting), uuids=waiting)

    def asked_for(self, handle: str, *, yes: bool, confirm: str | None) -> Sequence[UUID]:
        """Request the deletion; return the person's uuid in a list, empty if it is already done."""
        try:
            person = person_meant(handle)
        except NobodyCalled:
            if person_who_had(handle.removeprefix("@")):
                self.say("That account was deleted before.")
                return []
            raise
        if person.is_leaving:
            self.say(f"The deletion of @{person.handle} was asked for before; this does what is left.")
            return [person.uuid]
        require_confirmation(
            self,
            thing="account",
            name=person.handle,
            is_local=is_loopback(message_table().client.meta.endpoint_url) and not settings.PRODUCTION,
            yes=yes,
            confirm=confirm,
            holding="all their messages",
        )
        delete_account.ask(user_uuid=person.uuid, now=timezone.now())
        return [person.uuid]

    def delete(self, user_uuid: UUID) -> None:
        told = False
        table = message_table()
        table = MessageTable(patient(table.client), table.name)
        steps = delete_account.steps(user_uuid=user_uuid, table=table, user_pool=user_pool, clock=timezone.now)
        with self.progress("steps") as advance:
            for seconds in steps:
                advance(1)
                if seconds and not told:
                    self.say(f"  waiting {seconds:.0f} s for requests that were under way; what came in goes, too")
                    told = True
                time.sleep(seconds)
