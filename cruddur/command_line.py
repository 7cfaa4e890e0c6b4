"""`manage.py`: Django's command line, whose help tells what each of the project's own commands is for."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from django.core.exceptions import ImproperlyConfigured
from django.core.management import ManagementUtility, get_commands, load_command_class
from django.core.management.base import BaseCommand
from django.core.management.color import color_style, no_style
from django.db import Error as DatabaseError

from .commands import MISUSED, StackCommand, summary_of
from .database_problems import explained
from .problem import Problem
from .program import REFUSED, STOPPED, raise_when_stopped, stop_at_once
from .standard_streams import complain

HEADINGS = {
    "setup": "Everything",
    "ddb": "DynamoDB: conversations",
    "db": "Postgres: people",
    "cognito": "Cognito: who may sign in",
    "update": "Cognito: who may sign in",
    "delete": "Everything of one person",
    "export": "Everything of one person",
}
"""By the first word of a command's name, in the order in which a newcomer needs them."""
DJANGO_COLUMNS = 3


class CommandLine(ManagementUtility):
    """Django's command line with a help text of our own; an unknown command exits with 2."""

    def fetch_command(self, subcommand: str) -> BaseCommand:
        try:
            command = super().fetch_command(subcommand)
        except SystemExit:
            raise SystemExit(MISUSED) from None
        # From here on nothing takes long to import.
        raise_when_stopped()
        return command

    def main_help_text(self, commands_only: bool = False) -> str:
        if commands_only or self.settings_exception is not None:
            return str(super().main_help_text(commands_only))
        style = no_style() if "NO_COLOR" in os.environ else color_style()
        own = own_commands()
        width = max(map(len, own))
        lines = ["", f"Type '{self.prog_name} help COMMAND' for what a command takes; docs/commands.md has all of it."]
        heading = ""
        for name, command in own.items():
            if heading != HEADINGS[name.partition("_")[0]]:
                heading = HEADINGS[name.partition("_")[0]]
                lines += ["", style.NOTICE(heading)]
            lines.append(f"    {name:{width}}  {summary_of(command)}")
        lines += ["", style.NOTICE("Django's own, and its packages'")]
        rest = sorted(get_commands().keys() - own.keys())
        width = max(map(len, rest))
        rows = (rest[start : start + DJANGO_COLUMNS] for start in range(0, len(rest), DJANGO_COLUMNS))
        lines += ["    " + "  ".join(f"{name:{width}}" for name in row).rstrip() for row in rows]
        return "\n".join(lines)


def own_commands() -> Mapping[str, StackCommand]:
    """The project's commands by name, in the order of `HEADINGS`."""
    found = {name: load_command_class(app, name) for name, app in get_commands().items() if isinstance(app, str)}
    own = {name: command for name, command in found.items() if isinstance(command, StackCommand)}
    order = list(HEADINGS)
    return dict(sorted(own.items(), key=lambda each: (order.index(each[0].partition("_")[0]), each[0])))


def main(arguments: Sequence[str]) -> int:
    """Run a command; Ctrl-C at any moment ends it without a traceback. The exit code of what ran to its end is 0."""
    # What Postgres calls the sessions of this process: `db_sessions` shows it.
    os.environ.setdefault("PGAPPNAME", " ".join(["cruddur", *arguments[1:2]]))
    try:
        CommandLine(list(arguments)).execute()
    except (ImproperlyConfigured, Problem) as problem:
        complain(f"{problem}\n")
        return REFUSED
    except DatabaseError as error:  # of Django's own commands
        sentence = explained(error)
        if sentence is None:
            raise
        complain(f"{sentence}\n")
        return REFUSED
    except KeyboardInterrupt:
        stop_at_once()
        complain("\nStopped.\n")
        return STOPPED
    return 0
