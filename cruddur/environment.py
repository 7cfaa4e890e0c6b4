"""Reads and validates the environment: the process's variables, then `.env`, then `.local/env`.

`cruddur/variables.py` lists the variables. What is malformed is told all at once, a sentence each. An empty variable
counts as one that is not set, as templates and shells make them. Knows no Django.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, MutableMapping
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar

from .problem import Problem
from .value_formats import Malformed
from .variables import VARIABLES, Variable

T = TypeVar("T")

LONGEST_SHOWN = 100
LINE = re.compile(r"(?:export )?[A-Za-z_0-9]+=.*|#.*|")
"""A line of a file of variables, as django-environ takes it."""
PASSWORDS = (
    (re.compile(r"(://[^/@]*:).*@"), r"\1…@"),  # to the last @, as passwords with one are what goes wrong
    (re.compile(r"^([^:/@]*:).*@"), r"\1…@"),
    (re.compile(r"(password\s*=\s*)('[^']*'|[^&\s]*)", re.IGNORECASE), r"\1…"),
)
"""What hides the password in a URL or in a connection string of Postgres."""


class Misconfigured(Problem):
    """Variables are malformed, or a file of variables cannot be read. The argument: a sentence a line."""


class Environment:
    """The parsed values of declared variables. The constructor raises Misconfigured for malformed ones."""

    def __init__(self, values: Mapping[str, str], names: Iterable[str] = VARIABLES) -> None:
        """Parse the declared variables and ignore all others."""
        self._values: dict[str, Any] = {}
        problems = []
        for name in names:
            if text := values.get(name, ""):
                try:
                    self._values[name] = VARIABLES[name].format.parse(text)
                except Malformed as error:
                    problems.append(sentence(VARIABLES[name], text, str(error)))
        if problems:
            raise Misconfigured("\n".join(problems))

    def text(self, name: str, default: str = "") -> str:
        """Return the text of a variable; the default if it is not set."""
        return self._typed(name, str, default)

    def required(self, name: str) -> str:
        """Return the text of a variable. Raises Misconfigured if it is not set."""
        if text := self.text(name):
            return text
        raise Misconfigured(f"{name} is not set. It must be {VARIABLES[name].format.words}.")

    def number(self, name: str, default: int) -> int:
        return self._typed(name, int, default)

    def boolean(self, name: str, default: bool) -> bool:
        return self._typed(name, bool, default)

    def texts(self, name: str, default: list[str]) -> list[str]:
        return self._typed(name, list, default)

    def directory(self, name: str, default: Path) -> Path:
        return self._typed(name, Path, default)

    def _typed(self, name: str, kind: type[T], default: T) -> T:
        if name not in VARIABLES:
            raise LookupError(f"{name} is not declared in cruddur/variables.py.")
        value = self._values.get(name, default)
        if not isinstance(value, kind):
            raise TypeError(f"{name} is no {kind.__name__}: cruddur/variables.py and its reader differ.")
        return value


def sentence(variable: Variable, text: str, why: str) -> str:
    """Say what is wrong with a variable: its name, its value unless that is secret, why, and the format it wants."""
    value = f"is {shown(text)}" if not variable.secret else "(its value is not shown) is malformed"
    return f"{variable.name} {value}{f': {why}' if why else ''}. It must be {variable.format.words}."


def shown(text: str) -> str:
    """Return a value in quotes, without the passwords in it, and not too long."""
    for pattern, instead in PASSWORDS:
        text = pattern.sub(instead, text)
    return repr(text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…")


def read_files(root: Path) -> None:
    """Add what `.env` and, for the local stack, `.local/env` say to `os.environ`, where it does not say it itself.

    Tests read neither file: they must not depend on the developer's settings. Raises Misconfigured.
    """
    if os.environ.get("CRUDDUR_ENV") != "test":
        read_file(root / ".env", os.environ)
    if (os.environ.get("CRUDDUR_ENV") or "local").casefold() == "local":
        read_file(Path(os.environ.get("CRUDDUR_LOCAL_DIR") or root / ".local") / "env", os.environ)


def read_file(file: Path, values: MutableMapping[str, str]) -> None:
    """Add the lines of a file of variables to `values`, unless they are there. A missing file has none.

    Raises Misconfigured for a file that cannot be read, and for a line that is not NAME=value; it quotes no line: that
    may hold a secret.
    """
    import environ  # noqa: PLC0415 - the function on Lambda has none

    try:
        lines = [line if line.strip() else "" for line in file.read_text(encoding="utf-8-sig").splitlines()]
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise Misconfigured(f"{file} cannot be read ({error.strerror}): put it right, or delete it.") from error
    except ValueError as error:
        raise Misconfigured(f"{file} is not text in UTF-8: put it right, or delete it.") from error
    for number, line in enumerate(lines, 1):
        if LINE.fullmatch(line) is None:
            raise Misconfigured(
                f"{file}, line {number}: it must be NAME=value without spaces before the =, or # first."
            )
    # django-environ's own reader, so that a file means the same wherever it is read.
    reader: type[environ.Env] = type("DotEnv", (environ.Env,), {"ENVIRON": values})
    reader.read_env(StringIO("\n".join(lines)))
