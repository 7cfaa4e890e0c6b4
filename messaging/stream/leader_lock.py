"""One stream worker among many is active: the one whose session in Postgres holds the table's advisory lock.

The lock goes with its session, so a worker that is killed gives it up at once, and one whose machine is gone within
half a minute. It saves work, not correctness: what two workers project is the same.
"""

from __future__ import annotations

import hashlib

from django.db import connection

NAMESPACE = 0x43525544
"""The first key of the lock, so that it is no other application's."""
# Seconds until Postgres notices that a worker's machine is gone: 10 + 3 * 5.
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
    """Return the lock's key: a signed integer of 32 bits, as Postgres wants it."""
    return int.from_bytes(hashlib.sha256(table_name.encode()).digest()[:4], signed=True)
