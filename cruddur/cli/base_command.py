"""What the project's commands have in common: which stack they act on, how they speak, and how they fail."""

from __future__ import annotations

import os
import sys
import textwrap
from abc import abstractmethod
from argparse import RawDescriptionHelpFormatter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import IO, Any, ClassVar, cast

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser, DjangoHelpFormatter, OutputWrapper
from django.db import Error as DatabaseError

from cruddur.postgres.postgres_errors import explain
from cruddur.problem import Problem

from . import terminal
from .program import CLOSED, STOPPED, stop_at_once
from .standard_streams import OutputFailed, ReaderGone, failure, give_up_output
from .target import PartOf, describe_target
from .terminal import Column

MISUSED = 2
"""Exit code of a command that was called wrongly."""
HELP_WIDTH = 80


class UsageError(CommandError):
    """The command was called wrongly: exit code 2."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, returncode=MISUSED)


class HelpFormatter(DjangoHelpFormatter, RawDescriptionHelpFormatter):
    """Django's order of options; examples keep their lines."""


class StackCommand(BaseCommand):
    """A command of the project.

    Subclasses write `act` in place of Django's `handle`. What they `say` is for people: on standard output, on standard
    error when programs read that (`--json`), nowhere when quiet (`-v0`). What they `write_rows` is the product.
    Exit codes: 0 done, 1 refused or failed, 2 called wrongly; 130 after Ctrl-C.
    """

    examples: ClassVar[Sequence[str]] = ()
    """Arguments worth showing, for `--help` and docs/commands.md."""
    replaces: ClassVar[Sequence[str]] = ()
    """The old system's scripts that this one takes the place of."""
    when_stopped: str = "Stopped. Nothing was changed."
    """What Ctrl-C leaves behind."""

    needs: ClassVar[Sequence[PartOf]] = ()
    """The parts of the stack without which it cannot begin: one that is down is named within seconds."""

    suppressed_base_arguments = {"--version", "--settings", "--pythonpath"}
    quiet = False
    as_json = False

    @abstractmethod
    def act(self, *args: Any, **options: Any) -> None:
        """Do the work. May raise Problem, CommandError, UsageError and what `foreseen` knows."""

    def describe(self) -> str:
        """Write the first line: endpoint, table or pool, and database."""
        return describe_target()

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, formatter_class=HelpFormatter, **kwargs)
        parser.add_argument("--json", action="store_true", help="JSON, an object a line, for programs")
        parser.description = textwrap.fill(self.help, HELP_WIDTH)
        lines = "\n".join(f"  manage.py {subcommand} {each}".rstrip() for each in self.examples)
        parser.epilog = f"examples:\n{lines}" if lines else None
        return parser

    def handle(self, *args: Any, **options: Any) -> None:
        self.quiet, self.as_json = options["verbosity"] == 0, options["json"]
        # Read by `terminal.is_plain`, where the tables are drawn.
        self.stdout.wants_no_colour = options["no_color"]  # type: ignore[attr-defined]
        left = "Nothing was done."
        try:
            self.say(self.describe())
            # Found out before anything is changed, where standard output takes nothing.
            self.stdout.flush()
            left = self.when_stopped
            with self.foreseen():
                for part in self.needs:
                    part().require()
                self.act(**options)
            left = "All the same, what was asked for is done."
            self.stdout.flush()
        except KeyboardInterrupt:
            stop_at_once()
            self.stderr.write(f"\n{self.when_stopped}")
            raise SystemExit(STOPPED) from None
        except ReaderGone:
            give_up_output()
            raise SystemExit(CLOSED) from None
        except OutputFailed as error:
            give_up_output()
            raise CommandError(f"{failure(error)} {left}") from error

    def execute(self, *args: Any, **options: Any) -> str | None:
        if "NO_COLOR" in os.environ and not options.get("force_color"):
            options["no_color"] = True
        return super().execute(*args, **options)

    # --- How it speaks ------------------------------------------------------------------------------------------------

    def say(self, sentence: str, style: Callable[[str], str] | None = None) -> None:
        """Tell a person something."""
        if not self.quiet:
            (self.stderr if self.as_json else self.stdout).write(style(sentence) if style else sentence)

    def done(self, sentence: str, **facts: Any) -> None:
        """Write the last word: a sentence for people, the facts as one object for programs."""
        if self.as_json:
            self.write_json(facts)
        else:
            self.say(sentence, self.style.SUCCESS)

    def write_json(self, facts: Mapping[str, Any]) -> None:
        """Write a line for programs, in any encoding of standard output."""
        self.stdout.write(terminal.json_for(cast("IO[str]", self.stdout), terminal.as_json(facts)))

    def write_rows(self, columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]) -> None:
        """Write the product: a table for people, everything in the rows as JSON lines for programs."""
        if self.as_json:
            for row in rows:
                self.write_json(row)
        else:
            terminal.write_table(cast("IO[str]", self.stdout), columns, rows)

    def progress(self, what: str, *, total: float | None = None) -> AbstractContextManager[Callable[[int], None]]:
        """Show progress on standard error: see `terminal.progress`."""
        stream = cast("IO[str]", self.stderr._out)  # noqa: SLF001 - unstyled
        return terminal.progress(stream, what, total=total, quiet=self.quiet)

    @contextmanager
    def above_the_bar(self) -> Iterator[None]:
        """Write to the screen through rich while it draws a bar there, so that lines come above the bar."""
        stdout = self.stdout
        if terminal.is_terminal(cast("IO[str]", stdout)) and not self.quiet:
            self.stdout = OutputWrapper(sys.stdout)
            self.stdout.style_func = stdout.style_func
        try:
            yield
        finally:
            self.stdout = stdout

    # --- How it fails -------------------------------------------------------------------------------------------------

    @contextmanager
    def foreseen(self) -> Iterator[None]:
        """Turn what the person at the keyboard can put right into CommandError: a sentence that says what to do."""
        try:
            yield
        except (Problem, ImproperlyConfigured) as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            sentence = explain(error)
            if sentence is None:
                raise
            raise CommandError(sentence) from error


def summary_of(command: BaseCommand) -> str:
    """Return the first sentence of a command's help."""
    return textwrap.shorten(command.help.split(". ")[0].rstrip("."), HELP_WIDTH, placeholder=" …")
