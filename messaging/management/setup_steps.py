"""Define the steps of `setup`, when each is left out, and run them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from typing import IO, Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from cruddur.net import is_loopback
from cruddur.postgres.roles import as_migration_role
from cruddur.postgres.server import is_on_this_machine


@dataclass(frozen=True, slots=True)
class Step:
    """A command that is one step of the setup and is safe to run again."""

    name: str
    command: str
    is_seed: bool = False
    """Whether it adds invented data."""
    options: Mapping[str, Any] = field(default_factory=dict)


STEPS: Sequence[Step] = (
    Step("database", "db_create"),
    Step("tables", "migrate"),
    Step("table", "ddb_schema_load"),
    Step("people", "db_seed", is_seed=True),
    Step("cognito", "update_cognito_user_ids", is_seed=True),
    Step("conversations", "ddb_seed", is_seed=True, options={"append": True}),
)
"""In the order of their dependencies."""


def reason_to_leave_out(step: Step) -> str | None:
    """Return why a step is left out unless it is named; None if it runs."""
    if not step.is_seed:
        return None
    if settings.PRODUCTION:
        return "this is production"
    if not is_on_this_machine():
        return "the database is not on this machine"
    if not is_loopback(settings.DYNAMODB_ENDPOINT_URL):
        return "the table is not on this machine"
    if step.name == "cognito" and not is_loopback(settings.COGNITO_ENDPOINT_URL):
        return "the user pool is not on this machine"
    return None


def carry_out(step: Step, *, stderr: IO[str]) -> Sequence[str]:
    """Run the command with its progress on `stderr`; return its lines, the last of which is its result.

    Raises what the command raises.
    """
    if step.command == "migrate":
        return [migrate()]
    stdout = StringIO()
    call_command(step.command, stdout=stdout, stderr=stderr, no_color=True, **options_of(step))
    return stdout.getvalue().splitlines()


def options_of(step: Step) -> Mapping[str, Any]:
    """Return the options of a step's command: a local pool may have been recreated while its users remain."""
    local = settings.COGNITO_ENDPOINT_URL and reason_to_leave_out(step) is None
    return {**step.options, "replace_lost": True} if step.name == "cognito" and local else step.options


def migrate() -> str:
    """Run Django's migrate command; return a one-sentence summary of its output."""
    # The application's role may not access a database that only another role has used so far.
    with as_migration_role():
        before = MigrationRecorder(connection).applied_migrations().keys()
    call_command("migrate", interactive=False, verbosity=0)
    applied = MigrationRecorder(connection).applied_migrations().keys() - before
    return f"{len(applied)} migrations applied, {len(before)} were already."
