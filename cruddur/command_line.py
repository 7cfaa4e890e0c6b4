"""`manage.py`: Django's command line, whose help tells what each of the project's own commands is for."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from django.core.exceptions import ImproperlyConfigured
from django.core.management import ManagementUtility, get_commands, load_command_class
from django.core.management.color import color_style, no_style

from .commands import REFUSED, STOPPED, StackCommand, summary_of

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
    """Django's, with other words for `help`."""

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
    except ImproperlyConfigured as problem:
        sys.stderr.write(f"{problem}\n")
        return REFUSED
    except KeyboardInterrupt:
        return STOPPED
    return 0
