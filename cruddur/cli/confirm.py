"""What a command asks for before it deletes something that cannot be brought back."""

from __future__ import annotations

import sys

from django.core.management.base import CommandError, CommandParser

from .base_command import StackCommand


def add_confirm_arguments(parser: CommandParser, *, name: str) -> None:
    """Add the options `--yes` and `--confirm NAME`, which `require_confirmation` reads."""
    parser.add_argument("--yes", action="store_true", help="do not ask, for programs")
    parser.add_argument(
        "--confirm",
        metavar=name,
        help=f"the name of the {name.lower()} again: needed off this machine and in production",
    )


def require_confirmation(
    command: StackCommand,
    *,
    thing: str,
    name: str,
    is_local: bool,
    yes: bool,
    confirm: str | None,
    holding: str | None = None,
) -> None:
    """Return if the person means it. Raises CommandError otherwise.

    `thing` is what `name` names, as in "table"; `holding`, how much would be lost, as in "7 items". Off this machine
    and in production the name has to be given twice. Names are compared whole: `prod` does not stand for `nonprod`.
    """
    if confirm is not None and confirm != name:
        raise CommandError(f"--confirm {confirm} is not {name}: nothing was dropped.")
    if not is_local and confirm is None:
        raise CommandError(
            f"The {thing} {name} is not the local stack's: nothing was dropped. If you mean it, add --confirm {name}."
        )
    if yes:
        return
    if not sys.stdin.isatty():
        raise CommandError("Nobody is there to be asked: nothing was dropped. Programs add --yes.")
    everything = f"everything in it, {holding}" if holding else "everything in it"
    command.stderr.write(f"This deletes the {thing} {name} and {everything}, for ever.")
    command.stderr.write("Type its name to go on: ", ending="")
    command.stderr.flush()
    typed = sys.stdin.readline().strip()
    if typed != name:
        raise CommandError(f"{'That is another' if typed else 'There was no'} name: nothing was dropped.")
