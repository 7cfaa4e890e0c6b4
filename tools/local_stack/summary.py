"""The summary that `make run` prints once everything is up."""

import os
from collections.abc import Iterator
from pathlib import Path

from .environment import Configuration

HANDLES_SHOWN = 6


def summary(root: Path, configuration: Configuration, *, seconds: float) -> Iterator[str]:
    """Yield lines with the address, the people who can sign in, and the locations of files."""
    local = configuration.local
    shown = local.relative_to(root) if local.is_relative_to(root) else local
    yield ""
    yield f"Cruddur Messages runs at {configuration.app_url} (up in {seconds:.1f} s)"
    if not configuration.external_cognito:
        # Imports boto3, which creating the pool has already loaded.
        from .cognito_pool import MEMBERS, PASSWORD, handles  # noqa: PLC0415

        known = handles()
        more = f" and {len(known) - HANDLES_SHOWN} more" if len(known) > HANDLES_SHOWN else ""
        yield f"  sign in as      <handle>@cruddur.example with {PASSWORD}"
        yield f"  handles         {', '.join(known[:HANDLES_SHOWN])}{more} (messaging/seed/people.json)"
        rights = "; ".join(f"{', '.join(who)} in the group {group}" for group, who in MEMBERS.items())
        yield f"  admin           {configuration.app_url}/admin/ for {rights}"
    yield f"  data and logs   {shown}, {shown}/logs"
    externals = (configuration.external_database, configuration.external_dynamodb, configuration.external_cognito)
    set_here = " and ".join(name for name in externals if name and name in os.environ)
    condition = f" where {set_here} is set as here" if set_here else ""
    yield f"  other terminal  `.venv/bin/python manage.py …` acts on this stack{condition}"
    yield "  stop            Ctrl-C"
    yield ""
