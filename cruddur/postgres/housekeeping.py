"""Delete expired rows about once an hour: sessions that have ended and rate buckets that are full.

It runs in the web processes, which every deployment has, whatever consumes the stream. They need no leader: whoever
comes first deletes a batch, and the others skip the rows that it holds.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Model
from django.utils import timezone

from cruddur.asgi_types import Application, Scope
from cruddur.models import RateBucket

logger = logging.getLogger(__name__)


SECONDS_TO_THE_FIRST = (60.0, 600.0)
SECONDS_BETWEEN = (3000.0, 4200.0)
"""Seconds, drawn at random each time, so that processes started together do not sweep together."""
ROWS_A_STATEMENT = 500
BATCH = """
DELETE FROM {table} WHERE {key} IN (
    SELECT {key} FROM {table} WHERE {until} < %s ORDER BY {until} LIMIT %s FOR UPDATE SKIP LOCKED
)
"""
EXPIRING: list[tuple[type[Model], str, str]] = [(RateBucket, "key", "full_at")]
"""Models, their keys, and the column, which has an index, that says when a row expires."""


def delete_expired(model: type[Model], *, key: str, until: str) -> None:
    """Sweep a model, too: its primary key, and the indexed column that says when a row expires."""
    EXPIRING.append((model, key, until))


def sweep(now: datetime) -> Iterator[tuple[str, int]]:
    """Delete expired rows in batches; yield table and number of rows of each batch. Skips rows that are locked."""
    for model, key, until in EXPIRING:
        table = model._meta.db_table  # noqa: SLF001 - Django's documented API
        statement = BATCH.format(table=table, key=key, until=until)
        while True:
            with connection.cursor() as cursor:
                cursor.execute(statement, [now, ROWS_A_STATEMENT])
                deleted = cursor.rowcount
            yield table, deleted
            if deleted < ROWS_A_STATEMENT:
                break


def sweep_in_thread() -> None:
    """Sweep, log the number of rows and close the connection. A failure is logged; the next sweep tries again."""
    counts: dict[str, int] = {}
    try:
        for table, deleted in sweep(timezone.now()):
            counts[table] = counts.get(table, 0) + deleted
    except (DatabaseError, InterfaceError) as error:
        logger.warning("expired rows were not all deleted: %s", type(error).__name__)
    finally:
        connection.close()
    for table, deleted in counts.items():
        if deleted:
            logger.info("%d expired rows deleted from %s", deleted, table)


class Housekeeping:
    """Sweeps for as long as the server lives; passes everything on to the application."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await self._application(scope, receive, send)
            return
        sweeping = asyncio.create_task(sweep_now_and_then())
        try:
            await self._application(scope, receive, send)
        finally:
            sweeping.cancel()
            with suppress(asyncio.CancelledError):
                await sweeping


async def sweep_now_and_then() -> None:
    """Sweep for ever."""
    await asyncio.sleep(random.uniform(*SECONDS_TO_THE_FIRST))  # noqa: S311 - spreads load
    while True:
        await asyncio.to_thread(sweep_in_thread)
        await asyncio.sleep(random.uniform(*SECONDS_BETWEEN))  # noqa: S311
