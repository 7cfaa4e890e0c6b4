import json
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import asdict
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cruddur.stack import describe_cognito_stack
from users.cognito import CognitoError, CognitoUser
from users.pool import pool_admin_subs, pool_users

PIPE_COLUMNS = 250


class Command(BaseCommand):
    help = "List every user of the Cognito user pool: handle, name, e-mail, status, group and sub."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="a JSON object a line, for programs")

    def handle(self, *, json: bool, **options: Any) -> None:
        # Programs read standard output: the line that names the stack is for people.
        (self.stderr if json else self.stdout).write(describe_cognito_stack())
        try:
            users, admins = list(pool_users()), pool_admin_subs()
        except CognitoError as error:
            raise CommandError(str(error)) from error
        if json:
            self.write_json(users, admins)
        else:
            self.write_table(users, admins)

    def write_json(self, users: Sequence[CognitoUser], admins: frozenset[str]) -> None:
        for user in users:
            self.stdout.write(json.dumps({**asdict(user), "admin": user.sub in admins}, ensure_ascii=False))

    def write_table(self, users: Sequence[CognitoUser], admins: frozenset[str]) -> None:
        table = Table(box=None, pad_edge=False)
        for heading in ("handle", "name", "e-mail", "status", "group", "sub"):
            table.add_column(heading, overflow="fold")
        for user in sorted(users, key=lambda user: user.handle.casefold()):
            email = user.email if user.email_verified else f"{user.email} (not verified)"
            status = user.status if user.enabled else f"{user.status}, disabled"
            group = "admins" if user.sub in admins else ""
            # Text, because what people call themselves may look like markup.
            cells = (user.handle or "(none)", user.name, email, status, group, user.sub)
            table.add_row(*(Text(cell) for cell in cells))
        # Into a file or a pipe a user is one line, however long.
        width = None if self.stdout.isatty() else PIPE_COLUMNS
        Console(file=cast("IO[str]", self.stdout), width=width).print(table)
        self.stdout.write(self.style.SUCCESS(f"{len(users)} users, {len(admins)} of them in admins."))
