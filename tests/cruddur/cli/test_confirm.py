"""How a command asks for confirmation before it drops something, and which answers it accepts."""

from __future__ import annotations

import sys
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError

from cruddur.cli.base_command import StackCommand
from cruddur.cli.confirm import require_confirmation


class Dropping(StackCommand):
    help = "Drop nothing."

    def act(self, **options: Any) -> None:
        """Do nothing; never called here."""


class Person(StringIO):
    """Somebody at the keyboard."""

    def isatty(self) -> bool:
        return True


def ask(monkeypatch: pytest.MonkeyPatch, stdin: StringIO, **how: Any) -> str:
    """Return the question that was asked. Raises CommandError when the answer is no."""
    monkeypatch.setattr(sys, "stdin", stdin)
    command = Dropping(stderr=StringIO(), no_color=True)
    asked: dict[str, Any] = {"is_local": True, "yes": False, "confirm": None} | how
    require_confirmation(command, thing="table", name="cruddur-messages", **asked)
    return str(command.stderr._out.getvalue())  # type: ignore[attr-defined]


@pytest.mark.parametrize("typed", ["cruddur-messages\n", " cruddur-messages \r\n", "cruddur-messages"])
def test_typed_name_confirms(monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    asked = ask(monkeypatch, Person(typed))

    assert asked.splitlines() == [
        "This deletes the table cruddur-messages and everything in it, for ever.",
        "Type its name to go on: ",
    ]


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("y\n", "another name"),
        ("yes\n", "another name"),
        ("cruddur\n", "another name"),
        ("cruddur-messages-2\n", "another name"),
        ("Cruddur-Messages\n", "another name"),
        ("\n", "no name"),
        ("", "no name"),
    ],
)
def test_other_answers_do_not_confirm(monkeypatch: pytest.MonkeyPatch, typed: str, why: str) -> None:
    with pytest.raises(CommandError, match=f"{why}: nothing was dropped") as caught:
        ask(monkeypatch, Person(typed))
    assert caught.value.returncode == 1


def test_it_says_how_much_would_be_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "everything in it, 7 items, for ever" in ask(monkeypatch, Person("cruddur-messages\n"), holding="7 items")


def test_piped_answer_does_not_confirm(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match="Programs add --yes"):
        ask(monkeypatch, StringIO("cruddur-messages\n"))


def test_programs_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask(monkeypatch, StringIO(), yes=True) == ""


@pytest.mark.parametrize("yes", [True, False])
def test_yes_option_is_not_enough_for_remote_target(monkeypatch: pytest.MonkeyPatch, yes: bool) -> None:
    with pytest.raises(CommandError, match=r"not the local stack's.* add --confirm cruddur-messages"):
        ask(monkeypatch, Person("cruddur-messages\n"), is_local=False, yes=yes)


def test_off_this_machine_the_name_is_needed_and_still_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = {"is_local": False, "confirm": "cruddur-messages"}

    assert ask(monkeypatch, StringIO(), yes=True, **elsewhere) == ""
    assert "Type its name" in ask(monkeypatch, Person("cruddur-messages\n"), **elsewhere)
    with pytest.raises(CommandError, match="another name"):
        ask(monkeypatch, Person("yes\n"), **elsewhere)


@pytest.mark.parametrize("confirm", ["cruddur", "cruddur-messages-2", "prod", "", "CRUDDUR-MESSAGES"])
@pytest.mark.parametrize("is_local", [True, False])
def test_a_name_is_compared_whole(monkeypatch: pytest.MonkeyPatch, confirm: str, is_local: bool) -> None:
    with pytest.raises(CommandError, match="is not cruddur-messages: nothing was dropped"):
        ask(monkeypatch, Person("cruddur-messages\n"), confirm=confirm, is_local=is_local, yes=True)
