"""`manage.py`: Django's command line, whose help tells what each of the project's own commands is for."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.checks import Tags
from django.core.exceptions import ImproperlyConfigured
from django.core.management import ManagementUtility, get_commands, load_command_class
from django.core.management.base import BaseCommand
from django.core.management.color import color_style, no_style
from django.db import Error as DatabaseError

from cruddur.postgres.postgres_errors import explain
from cruddur.problem import Problem

from . import target
from .base_command import MISUSED, StackCommand, summary_of
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
NO_COMMAND = "Name a command: `{} help` lists them."
NOBODY_TO_ASK = "Nobody is there to be asked: nothing was done. Give the answers as arguments, or run it on a terminal."
NO_ANSWERS = {"", "EOF when reading a line"}
"""What Python says in EOFError when standard input ends before an answer; damaged files raise it with other words."""
WITHOUT_SETTINGS = {
    "check", "collectstatic", "compilemessages", "diffsettings", "help", "makemessages", "startapp", "startproject",
}  # fmt: skip
"""Commands that work where a variable is missing, as when an image is built, or that report it themselves."""
IN_OTHER_WORDS = {"dbshell", "dumpdata", "flush"}
"""Django's commands that tell of a database that is down without naming DATABASE_URL."""


class CommandLine(ManagementUtility):
    """Django's command line with a help text of our own; an unknown command exits with 2."""

    def fetch_command(self, subcommand: str) -> BaseCommand:
        """Return the command; one of Django's that begins without any check gets those of the settings."""
        needs_settings = subcommand not in WITHOUT_SETTINGS and not {"help", "-h", "--help"} & set(self.argv)
        try:
            command = super().fetch_command(subcommand)
        except SystemExit:
            raise SystemExit(MISUSED) from None
        if needs_settings and not command.requires_system_checks:
            # Otherwise a variable that is wrong, or that production lacks, would show in some later error.
            command.requires_system_checks = [Tags.security]
        if subcommand in IN_OTHER_WORDS:
            execute = command.execute

            def execute_on_database(*arguments: Any, **options: Any) -> Any:
                target.postgres().require()
                return execute(*arguments, **options)

            command.execute = execute_on_database  # type: ignore[method-assign]
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
    """Return the project's commands by name, in the order of `HEADINGS`."""
    found = {name: load_command_class(app, name) for name, app in get_commands().items() if isinstance(app, str)}
    own = {name: command for name, command in found.items() if isinstance(command, StackCommand)}
    order = list(HEADINGS)
    return dict(sorted(own.items(), key=lambda each: (order.index(each[0].partition("_")[0]), each[0])))


def main(arguments: Sequence[str]) -> int:
    """Run a command; Ctrl-C at any moment ends it without a traceback. The exit code of what ran to its end is 0."""
    # What Postgres calls the sessions of this process: `db_sessions` shows it.
    os.environ.setdefault("PGAPPNAME", " ".join(["cruddur", *arguments[1:2]]))
    if "NO_COLOR" in os.environ and "--force-color" not in arguments:
        # Django has a variable of its own, and its own commands know no other.
        os.environ["DJANGO_COLORS"] = "nocolor"
    try:
        command_line = CommandLine(list(arguments))
        if not arguments[1:]:
            complain(f"{NO_COMMAND.format(command_line.prog_name)}\n")
            return MISUSED
        command_line.execute()
    except FORESEEN as error:
        sentence = sentence_of(error)
        if sentence is None:
            raise
        complain(f"{sentence}\n")
        return REFUSED
    except KeyboardInterrupt:
        stop_at_once()
        complain("\nStopped.\n")
        return STOPPED
    return 0


FORESEEN = (ImproperlyConfigured, Problem, DatabaseError, EOFError, ConnectionRefusedError)


def sentence_of(error: Exception) -> str | None:
    """Return what to do about an error of `FORESEEN`, most of them of Django's own commands; None for a bug."""
    if isinstance(error, DatabaseError):
        return explain(error)
    if isinstance(error, EOFError):
        return f"\n{NOBODY_TO_ASK}" if str(error) in NO_ANSWERS else None
    if isinstance(error, ConnectionRefusedError):  # of `sendtestemail`
        return f"A server does not answer: {error.strerror}. Start it, or put its address right."
    return str(error)
