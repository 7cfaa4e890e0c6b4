"""Runs a command as a test reads it."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

from django.core.management import call_command


class Terminal(StringIO):
    """Output that somebody is looking at."""

    def isatty(self) -> bool:
        return True


def run(command: str, *arguments: str, out: StringIO | None = None) -> tuple[str, str]:
    """What a command writes to standard output and to standard error, without colours."""
    out, err = out or StringIO(), StringIO()
    call_command(command, *arguments, "--no-color", stdout=out, stderr=err, skip_checks=True)
    return out.getvalue(), err.getvalue()


def run_json(command: str, *arguments: str) -> list[dict[str, Any]]:
    """The objects that a command writes for programs."""
    out, _ = run(command, *arguments, "--json")
    return [json.loads(line) for line in out.splitlines()]
