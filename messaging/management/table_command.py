"""Shared parts of the DynamoDB commands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.core.management.base import CommandError

from cruddur.cli.base_command import StackCommand
from messaging.dynamodb.client import explained_errors
from messaging.dynamodb.malformed import MalformedItem

NAMED_AT_MOST = 10


def refuse_incomplete(left_out: Sequence[MalformedItem]) -> None:
    """Raise CommandError, exit code 1, naming each item that could not be read and was left out."""
    if not left_out:
        return
    were = "item was" if len(left_out) == 1 else "items were"
    which = "; ".join(each.reason for each in left_out[:NAMED_AT_MOST])
    more = "; …" if len(left_out) > NAMED_AT_MOST else ""
    raise CommandError(
        f"{len(left_out):,} malformed {were} left out: {which}{more}. `manage.py ddb_reconcile` repairs them, or says "
        "what to do."
    )


class TableCommand(StackCommand):
    """A command that acts on the table; it turns AWS errors into sentences that say what to do."""

    @contextmanager
    def foreseen(self) -> Iterator[None]:
        with super().foreseen(), explained_errors():
            yield
