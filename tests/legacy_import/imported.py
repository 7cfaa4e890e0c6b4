"""Imports from the old system in tests, in few words: who was there, and what a run says and leaves."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any, NamedTuple
from uuid import UUID

from django.core.management import CommandError, call_command
from django.test import Client

from messaging.domain.entities import Message, pair_group_uuid
from messaging.dynamodb.table import MessageTable
from tests import html
from tests.messaging.command_runs import run
from tests.messaging.pages import messages_of
from users.models import MovedIn, User

from .legacy_items import OldSystem, OldUser

COMMAND = "ddb_import_reference"
EVE = datetime(2022, 12, 31, 23, 58, 30, 250_000, tzinfo=UTC)
"""A New Year lies in the middle of what was written."""

ANDREW = OldUser("andrewbrown", "Andrew Brown", "andrew@cruddur.example", "sub-andrew")
BAYKO = OldUser("bayko", "Bayko", "bayko@cruddur.example")
LONDO = OldUser("londo", "Londo Mollari", "londo@cruddur.example", "sub-londo")
GHOST = OldUser("ghost", "A Ghost")
"""Has no row in the users table."""


def later(seconds: float) -> datetime:
    return EVE + timedelta(seconds=seconds)


def summary(old: OldSystem, *arguments: str) -> dict[str, Any]:
    """Return the final summary that a run writes for programs, whether or not it leaves anything out."""
    return import_all(old, *arguments, "--json").lines[-1]


def remarks(old: OldSystem, *arguments: str) -> list[dict[str, Any]]:
    """Return a run's remarks, whether or not it leaves anything out."""
    return import_all(old, *arguments, "--json").lines[:-1]


class Run(NamedTuple):
    """The output and exit code of a run."""

    out: str
    err: str
    failure: str
    """The sentence it failed with; "" for none."""
    exit_code: int

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The objects that a run with --json wrote."""
        return [json.loads(line) for line in self.out.splitlines()]


def import_all(old: OldSystem, *arguments: str) -> Run:
    out, err = StringIO(), StringIO()
    try:
        call_command(COMMAND, old.name, *arguments, "--no-color", stdout=out, stderr=err, skip_checks=True)
    except CommandError as error:
        return Run(out.getvalue(), err.getvalue(), str(error), error.returncode)
    return Run(out.getvalue(), err.getvalue(), "", 0)


def person(old: OldUser) -> User:
    return MovedIn.objects.get(old_uuid=old.uuid).person


def group_of(one: OldUser, other: OldUser) -> UUID:
    return pair_group_uuid(person(one).uuid, person(other).uuid)


def stored(table: MessageTable, one: OldUser, other: OldUser) -> list[Message]:
    return table.messages_after(group_of(one, other), "", limit=1000)


def texts(table: MessageTable, one: OldUser, other: OldUser) -> list[str]:
    return [message.message for message in stored(table, one, other)]


def all_is_well() -> bool:
    """Return whether `ddb_reconcile` has nothing to repair."""
    return "all is well" in run("ddb_reconcile", "--dry-run")[0]


def walked(client: Client, group: UUID) -> list[str]:
    """Return the texts on all pages of a conversation, following links from the newest page to the oldest."""
    page = client.get(f"/messages/{group}?newest")
    seen = messages_of(page)
    while older := html.attributes(html.parse(page.text), ".//a[@data-earlier]", "href"):
        page = client.get(older[0])
        seen = messages_of(page) + seen
    return seen
