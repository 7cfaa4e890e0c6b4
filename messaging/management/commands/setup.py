import textwrap
import time
from collections.abc import Mapping
from typing import IO, Any, cast

from django.core.management.base import CommandError, CommandParser

from cruddur.cli.base_command import UsageError
from messaging.management.setup_steps import STEPS, Step, carry_out, reason_to_leave_out
from messaging.management.table_command import TableCommand

VERBOSE = 2
NAME_WIDTH = max(len(step.name) for step in STEPS)
LINE_WIDTH = 96
"""`make run` indents the lines."""


class Command(TableCommand):
    help = (
        "Make everything a new stack needs, in order. The seed (people, their Cognito users and conversations) is "
        "left out in production and where a database or table is on another machine. Safe to run again."
    )
    examples = ("", "--no-seed", "--only people --only conversations", "--json")
    replaces = ("db/setup",)
    when_stopped = "Stopped. Run it again: what is done stays, the rest follows."

    def add_arguments(self, parser: CommandParser) -> None:
        names = [step.name for step in STEPS]
        parser.add_argument("--no-seed", action="store_true", help="leave out people, cognito and conversations")
        parser.add_argument(
            "--only",
            action="append",
            choices=names,
            metavar="STEP",
            help=f"only this step, even if it would be left out; may be repeated: {', '.join(names)}",
        )

    def act(self, *, no_seed: bool, only: list[str] | None, verbosity: int, **options: Any) -> None:
        if only and no_seed:
            raise UsageError("--only names the steps: leave --no-seed out.")
        chosen = [step for step in STEPS if not only or step.name in only]
        left_out = []
        for step in chosen:
            reason = None if only else "--no-seed was given" if no_seed and step.is_seed else reason_to_leave_out(step)
            if reason:
                left_out.append(step.name)
                self.show(step, "left out", f"Left out, {reason}.")
            else:
                self.take(step, whole=verbosity >= VERBOSE)
        if left_out:
            self.say(f"Set up, without {', '.join(left_out)}. `--only STEP` asks for one.", self.style.SUCCESS)
        else:
            self.say(f"Done: {', '.join(step.name for step in chosen)}." if only else "Set up.", self.style.SUCCESS)

    def take(self, step: Step, *, whole: bool) -> None:
        """Run a step and show its result. Raises CommandError naming the step if it fails."""
        began = time.monotonic()
        try:
            with self.foreseen():
                lines = carry_out(step, stderr=cast("IO[str]", self.stderr._out))  # noqa: SLF001 - unstyled, for bars
        except CommandError as error:
            self.show(step, "failed", str(error), seconds=time.monotonic() - began)
            again = f"`manage.py setup --only {step.name}`"
            raise CommandError(
                f"The step {step.name} failed (`manage.py {step.command}`). {error} Then run setup again, or {again}."
            ) from error
        if whole:
            for line in lines[:-1]:
                self.say(f"    {line}")
        self.show(step, "done", lines[-1].strip(), seconds=time.monotonic() - began)

    def show(self, step: Step, outcome: str, sentence: str, *, seconds: float | None = None) -> None:
        facts: Mapping[str, Any] = {"step": step.name, "command": step.command, "outcome": outcome}
        if self.as_json:
            self.write_rows((), [{**facts, "sentence": sentence, "seconds": seconds and round(seconds, 3)}])
        elif outcome != "failed":  # its sentence is the last line
            took = "" if seconds is None else f"{seconds:.1f} s"
            heading = f"  {step.name:{NAME_WIDTH}}  {took:>6}  "
            indent = " " * len(heading)
            self.say(textwrap.fill(sentence, LINE_WIDTH, initial_indent=heading, subsequent_indent=indent))
