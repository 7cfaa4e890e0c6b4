"""Count the moments between a process's calls and send SIGKILL at one of them.

A call goes to DynamoDB, to its stream or to Postgres. Between two calls nothing becomes visible to others, with one
exception: a transaction of Postgres is committed. Then there are two moments, after the statement and before the next
call; otherwise they are one.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from messaging.dynamodb.connection import message_table, streams_client

TABLE = re.compile(r'(?:FROM|INTO|UPDATE) "?(\w+)')


@dataclass(slots=True)
class Moments:
    """Tells each moment to a file, and dies at the one it is armed for."""

    told: int
    """Descriptor of the file."""
    die_at: int | None = None
    """Counted down; None to live."""
    of: Sequence[str] = ("",)
    """Only moments that begin with one of these are counted; by default all are."""
    _after_statement: bool = True

    def arm(self, die_at: int | None) -> None:
        """Die at this moment from now on: 0 is before the first call, None is never."""
        self.die_at = die_at
        self._after_statement = True

    def watch(self) -> None:
        """Count the calls of this process's clients and database sessions."""
        for client in (message_table().client, streams_client()):
            client.meta.events.register("before-call", self._before_call)
            client.meta.events.register("after-call", self._after_call)
        connection_created.connect(self._watch_session, weak=False)

    def is_now(self, moment: str) -> None:
        """Tell it, and die if it is the one."""
        os.write(self.told, f"{moment}\n".encode())
        if not moment.startswith(tuple(self.of)):
            return
        if self.die_at == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.die_at is not None:
            self.die_at -= 1

    def _before_call(self, model: Any, **_: Any) -> None:
        if self._after_statement:
            self.is_now(f"before {model.name}")

    def _after_call(self, model: Any, **_: Any) -> None:
        self.is_now(f"after {model.name}")
        self._after_statement = False

    def _watch_session(self, connection: BaseDatabaseWrapper, **_: Any) -> None:
        if self._statement not in connection.execute_wrappers:
            connection.execute_wrappers.append(self._statement)

    def _statement(self, execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        table = TABLE.search(sql)
        what = f"{sql.split(maxsplit=1)[0]} {table[1] if table else ''}".strip()
        if self._after_statement:
            self.is_now(f"before {what}")
        found = execute(sql, *arguments)
        self.is_now(f"after {what}")
        self._after_statement = True
        return found
