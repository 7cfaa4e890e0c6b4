"""What the DynamoDB commands have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cruddur.commands import StackCommand
from messaging.aws import explained_errors


class TableCommand(StackCommand):
    """A command that acts on the table: what AWS refuses becomes a sentence that says what to do."""

    @contextmanager
    def foreseen(self) -> Iterator[None]:
        with super().foreseen(), explained_errors():
            yield
