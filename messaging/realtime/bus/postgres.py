"""The default bus: Postgres LISTEN and NOTIFY on the database in Django's settings."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from django.db import DatabaseError, InterfaceError, connection

from .protocol import BusUnavailable

CHANNEL = "cruddur_live"
CONNECT_SECONDS = 5
QUIET_SECONDS = 20
"""How long without a notification before the connection is checked."""
# A lost server is noticed within 10 + 3 * 5 s.
KEEPALIVES = {"keepalives": 1, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}


class PostgresBus:
    """Sends notifications alone, in autocommit: inside a transaction they would hold a lock until the commit."""

    def publish(self, payloads: Sequence[str]) -> None:
        """Publish with one SQL statement on this thread's connection."""
        try:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_notify(%s, payload) FROM unnest(%s::text[]) AS payload", [CHANNEL, list(payloads)]
                )
        except (DatabaseError, InterfaceError) as error:
            raise BusUnavailable(type(error).__name__) from error

    def hear_itself(self, *, seconds: float) -> None:
        """Check the round trip on a connection of its own: a pooler in between may pass NOTIFY and swallow
        notifications.
        """
        channel = f"{CHANNEL}_{secrets.token_hex(8)}"
        try:
            with psycopg.Connection.connect(**_connection_parameters()) as listener:
                listener.execute(f"LISTEN {channel}")
                listener.execute("SELECT pg_notify(%s, '')", [channel])
                heard = any(True for _ in listener.notifies(timeout=seconds, stop_after=1))
        except (psycopg.Error, OSError) as error:
            raise BusUnavailable(type(error).__name__) from error
        if not heard:
            raise BusUnavailable("not heard")

    async def listen(self, *, up: Callable[[], None], hear: Callable[[str], None]) -> None:
        try:
            async with await psycopg.AsyncConnection.connect(**_connection_parameters()) as listener:
                await listener.execute(f"LISTEN {CHANNEL}")
                up()
                while True:
                    async for notification in listener.notifies(timeout=QUIET_SECONDS):
                        hear(notification.payload)
                    await listener.execute("SELECT 1")
        except (psycopg.Error, OSError) as error:
            raise BusUnavailable(type(error).__name__) from error


def _connection_parameters() -> dict[str, Any]:
    """Return Django's connection parameters without its cursor options, so that tests listen to the test database."""
    parameters = connection.get_connection_params()
    for name in ("context", "cursor_factory"):
        parameters.pop(name, None)
    return {
        **parameters,
        **KEEPALIVES,
        "autocommit": True,
        "connect_timeout": CONNECT_SECONDS,
        "application_name": "cruddur live",
    }
