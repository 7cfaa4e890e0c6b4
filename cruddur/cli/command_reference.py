"""Generate docs/commands.md from the commands' own help: `make docs` writes it, a test compares it."""

from __future__ import annotations

from . import program

if __name__ == "__main__":
    # What follows takes long to import.
    program.watch_for_ctrl_c()

import sys
import textwrap
from argparse import SUPPRESS, Action, ArgumentParser
from collections.abc import Iterator, Mapping
from pathlib import Path

import django

from .base_command import StackCommand, summary_of
from .command_line import own_commands

DJANGO_OWN = {
    "db/connect": ("dbshell", "Django's own: a prompt in Postgres"),
    "db/schema-load": ("migrate", "Django's own: the tables in Postgres, brought up to date"),
}
"""Scripts of the old system whose work Django's own commands do."""
WIDTH = 120
FILE = Path(__file__).resolve().parents[2] / "docs" / "commands.md"
COMMON = {"--help", "--json", "--verbosity", "--traceback", "--no-color", "--force-color", "--skip-checks"}
"""Options of every command, told once."""

INTRODUCTION = """\
# Commands

`make docs` generates this page from the commands' own help.

```
.venv/bin/python manage.py COMMAND
```

After the first `make run` commands need no variables on the local stack. On AWS set `CRUDDUR_ENV=production` and the
variables of [.env.example](../.env.example). The first line of each command names the endpoint, the table or user pool,
and the database it acts on.

| option of every command | |
| --- | --- |
| `--json` | one object a line on standard output; text for people goes to standard error |
| `-v 0` | print only the rows of a listing, and errors; `-v 2` prints more |
| `--no-color`, `NO_COLOR` | plain text, as when the output is not a terminal: one row a line, not cut |
| `--traceback` | where an error came from |

| exit code | |
| --- | --- |
| 0 | done |
| 1 | refused or failed; a sentence says what to do |
| 2 | called wrongly |
| 130 | stopped by Ctrl-C; running it again completes the work |
| 141 | the reader of the output is gone |

A command does not start if standard output is closed or full. If its encoding is not UTF-8, JSON is escaped to ASCII.
"""


def reference() -> str:
    """Return the whole document."""
    own = own_commands()
    parts = [
        INTRODUCTION,
        "## All commands\n",
        *overview(own),
        "",
        "## Instead of the old scripts\n",
        *replacements(own),
    ]
    for name, command in own.items():
        parts += ["", f"## {name}", "", *section(name, command)]
    return "\n".join(parts) + "\n"


def overview(own: Mapping[str, StackCommand]) -> Iterator[str]:
    """Yield the table of all commands, Django's own that people need included."""
    yield "| command | |"
    yield "| --- | --- |"
    rows = [(f"[`{name}`](#{name})", summary_of(command)) for name, command in own.items()]
    rows += [(f"`{name}`", summary) for name, summary in DJANGO_OWN.values()]
    for name, summary in rows:
        yield f"| {name} | {summary} |"


def replacements(own: Mapping[str, StackCommand]) -> Iterator[str]:
    """Yield the table of old scripts and their commands, in the order of the scripts' names."""
    yield "| script | command |"
    yield "| --- | --- |"
    rows = [(script, f"[{name}](#{name})") for name, command in own.items() for script in command.replaces]
    rows += [(script, f"`{name}`") for script, (name, _) in DJANGO_OWN.items()]
    for script, name in sorted(rows):
        yield f"| `{script}` | {name} |"


def section(name: str, command: StackCommand) -> Iterator[str]:
    """Describe what a command does, takes and looks like."""
    yield from textwrap.wrap(command.help, WIDTH)
    parser = command.create_parser("manage.py", name)
    actions = [
        action
        for action in parser._actions  # noqa: SLF001 - argparse tells them nowhere else
        if action.help != SUPPRESS and not COMMON & set(action.option_strings)
    ]
    if actions:
        yield from ("", "| argument | |", "| --- | --- |")
        for action in actions:
            yield f"| `{signature(action)}` | {meaning(action)} |"
    if command.examples:
        yield from ("", "```", *(f"manage.py {name} {each}".rstrip() for each in command.examples), "```")


def signature(action: Action) -> str:
    """Return an argument as it is typed."""
    value = action.metavar or (f"{{{','.join(map(str, action.choices))}}}" if action.choices else action.dest.upper())
    shown = " ".join(value) if isinstance(value, tuple) else str(value)
    if not action.option_strings:
        return f"[{shown} …]" if action.nargs in ("*", "?") else shown
    return action.option_strings[-1] if action.nargs == 0 else f"{action.option_strings[-1]} {shown}"


def meaning(action: Action) -> str:
    return ((action.help or "") % vars(action)).replace("|", "\\|")


def main() -> int:
    """Write the document to the file that the command line names. Returns the exit code."""
    parser = ArgumentParser(prog="cruddur.cli.command_reference", description=__doc__)
    parser.add_argument("target", type=Path, nargs="?", default=FILE, help="docs/commands.md unless given")
    target: Path = parser.parse_args().target
    django.setup()
    program.raise_when_stopped()
    text = reference()
    try:
        draft = target.with_suffix(".new")
        draft.write_text(text, encoding="utf-8")
        draft.replace(target)
    except OSError as error:
        sys.stderr.write(f"{target} cannot be written: {error.strerror}.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(program.run(main, needs_output=False))
