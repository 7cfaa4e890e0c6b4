"""Runs a command as a test reads it."""

from __future__ import annotations

import json
import os
import re
from io import StringIO
from typing import Any
from unittest.mock import patch

from django.core.management import call_command

COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Terminal(StringIO):
    """Output that somebody is looking at."""

    def isatty(self) -> bool:
        return True


def run(command: str, *arguments: str, out: StringIO | None = None) -> tuple[str, str]:
    """Run a command; return its standard output and standard error without colours.

    On a terminal colours are turned on, as otherwise the command would behave as in a pipe, and then stripped.
    """
    plain = [] if out else ["--no-color"]
    out, err = out or StringIO(), StringIO()
    with patch.dict(os.environ, {"TERM": "xterm-256color"}):
        os.environ.pop("NO_COLOR", None)
        call_command(command, *arguments, *plain, stdout=out, stderr=err, skip_checks=True)
    return COLOUR.sub("", out.getvalue()), COLOUR.sub("", err.getvalue())


def run_json(command: str, *arguments: str) -> list[dict[str, Any]]:
    """Return the objects that a command writes for programs."""
    out, _ = run(command, *arguments, "--json")
    return [json.loads(line) for line in out.splitlines()]
