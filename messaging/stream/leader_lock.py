"""Elect one active stream worker: the one whose Postgres session holds the table's advisory lock.

Postgres releases the lock with its session: at once when a worker is killed, within half a minute when its machine is
lost. The lock saves work and is not needed for correctness: two workers project the same.
"""

from __future__ import annotations

import hashlib

from django.db import connection

NAMESPACE = 0x43525544
"""The first key of the lock, which keeps it apart from other applications' locks."""
# Postgres notices a lost machine after 10 + 3 * 5 seconds.
KEEPALIVES = {"tcp_keepalives_idle": 10, "tcp_keepalives_interval": 5, "tcp_keepalives_count": 3}


def try_lock(table_name: str) -> bool:
    """Return whether this process's Postgres session now holds the lock of the table's stream."""
    with connection.cursor() as cursor:
        for name, value in KEEPALIVES.items():
            cursor.execute("SELECT set_config(%s, %s, false)", [name, str(value)])
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [NAMESPACE, _key(table_name)])
        row: tuple[bool] = cursor.fetchone()
        return row[0]


def leader_session(table_name: str) -> int | None:
    """Return the Postgres process id of the session that holds the lock, or None."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid::bigint = %s"
            " AND objid::bigint = %s AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            [NAMESPACE, _key(table_name) % 2**32],
        )
        row: tuple[int] | None = cursor.fetchone()
        return row[0] if row else None


def _key(table_name: str) -> int:
    """Return the lock's key: a signed 32-bit integer, as Postgres requires."""
    return int.from_bytes(hashlib.sha256(table_name.encode()).digest()[:4], signed=True)
