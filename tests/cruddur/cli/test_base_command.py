"""What every command of the project has in common, tried on one that does what a test tells it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection

from cruddur.cli.base_command import StackCommand, UsageError, summary_of
from cruddur.cli.command_line import HEADINGS, CommandLine, own_commands
from cruddur.cli.terminal import Column
from cruddur.problem import Problem

ROOT = Path(__file__).parents[3]


class Tried(StackCommand):
    help = "Do what a test tells. And more."
    examples = ("--fast",)
    when_stopped = "Stopped half way; run it again."

    def __init__(self, act: Callable[[Tried], None]) -> None:
        super().__init__()
        self.told = act

    def act(self, *args: Any, **options: Any) -> None:
        self.told(self)


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def run(act: Callable[[Tried], None], *arguments: str) -> tuple[str, str]:
    """Run a command that does this; return its standard output and standard error."""
    out, err = StringIO(), StringIO()
    call_command(Tried(act), *arguments, stdout=out, stderr=err, skip_checks=True)
    return out.getvalue(), err.getvalue()


def raising(error: BaseException) -> Callable[[Tried], None]:
    def act(command: Tried) -> None:
        raise error

    return act


def speak(command: Tried) -> None:
    command.say("Working.")
    command.write_rows([Column("handle")], [{"handle": "bayko", "uuid": 7}])
    command.done("One person.", people=1)


def test_people_get_the_stack_then_words_a_table_and_a_last_sentence() -> None:
    out, err = run(speak, "--no-color")

    lines = out.splitlines()
    assert lines[0].startswith("DynamoDB http://127.0.0.1")
    assert lines[1:] == ["Working.", "handle", "bayko", "One person."]
    assert err == ""


def test_no_color_makes_tables_plain_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")

    for arguments, coloured in (((), True), (("--no-color",), False)):
        out = Terminal()
        call_command(Tried(speak), *arguments, stdout=out, stderr=StringIO(), skip_checks=True)
        assert ("\x1b" in out.getvalue()) is coloured


def test_programs_get_json_lines_alone_on_standard_output() -> None:
    out, err = run(speak, "--json")

    assert [json.loads(line) for line in out.splitlines()] == [{"handle": "bayko", "uuid": 7}, {"people": 1}]
    assert "Working." in err


def test_quiet_leaves_the_product() -> None:
    out, err = run(speak, "-v0")

    assert out.split() == ["handle", "bayko"]
    assert err == ""


@pytest.mark.parametrize(
    ("error", "sentence"),
    [(Problem("Do this."), "Do this."), (ImproperlyConfigured("Set that."), "Set that.")],
)
def test_expected_error_is_a_sentence_and_exit_code_1(error: Exception, sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence) as caught:
        run(raising(error))
    assert caught.value.returncode == 1


def test_a_wrong_call_is_exit_code_2() -> None:
    with pytest.raises(CommandError) as caught:
        run(raising(UsageError("--one needs --other.")))
    assert caught.value.returncode == 2


def test_unexpected_error_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        run(raising(ZeroDivisionError()))
    with pytest.raises(ProgrammingError):
        run(raising(ProgrammingError("syntax error")))


@pytest.mark.django_db
def test_a_missing_table_in_postgres_is_foreseen() -> None:
    def select(command: Tried) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM nothing_here")

    with pytest.raises(CommandError, match=r"manage\.py migrate"):
        run(select)


def test_ctrl_c_says_what_is_left_and_is_exit_code_130() -> None:
    out, err = StringIO(), StringIO()

    with pytest.raises(SystemExit) as caught:
        call_command(Tried(raising(KeyboardInterrupt())), stdout=out, stderr=err, skip_checks=True)

    assert caught.value.code == 130
    assert "Stopped half way; run it again." in err.getvalue()


def test_its_help_has_examples() -> None:
    text = Tried(speak).create_parser("manage.py", "tried").format_help()

    assert "examples:\n  manage.py tried --fast" in text
    assert "--json" in text


@pytest.mark.parametrize("name", sorted(own_commands()))
def test_each_command_can_be_understood_from_its_help(name: str) -> None:
    command = own_commands()[name]

    assert command.examples, "show at least one call"
    assert len(summary_of(command)) <= 90
    assert "…" not in summary_of(command)
    parser = command.create_parser("manage.py", name)
    assert [action.dest for action in parser._actions if not action.help] == []


def test_help_lists_every_command_with_its_summary() -> None:
    text = CommandLine(["manage.py"]).main_help_text()

    assert all(f"    {name} " in text for name in own_commands())
    assert all(summary_of(command) in text for command in own_commands().values())
    assert all(heading in text for heading in HEADINGS.values())
    assert "migrate" in text


def manage(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, "DATABASE_URL": "postgres://nobody:secret@127.0.0.1:9/none"},
    )  # fmt: skip


@pytest.mark.slow
def test_the_shell_gets_a_sentence_and_the_exit_code() -> None:
    answer = manage("db_seed")

    assert answer.returncode == 1
    assert "CommandError: Postgres does not answer at 127.0.0.1:9" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert "secret" not in answer.stdout + answer.stderr


@pytest.mark.slow
def test_the_shell_gets_2_for_a_wrong_call() -> None:
    answer = manage("ddb_schema_load", "--nonsense")

    assert answer.returncode == 2
    assert "unrecognized arguments: --nonsense" in answer.stderr


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [("ddb_nonsense",), ("help", "ddb_nonsense"), ("ddb_sede", "--json")])
def test_the_shell_gets_2_for_a_command_that_does_not_exist(arguments: tuple[str, ...]) -> None:
    answer = manage(*arguments)

    assert (answer.returncode, answer.stdout) == (2, "")
    assert "Unknown command: 'ddb_" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.slow
def test_a_reader_that_goes_away_is_no_error() -> None:
    command = (
        f"set -o pipefail; '{sys.executable}' manage.py ddb_list_tables --json 2>/dev/null | head --lines 1; echo $?"
    )

    answer = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)

    assert answer.stderr == ""
    assert answer.stdout.splitlines()[-1] in ("0", "141")
