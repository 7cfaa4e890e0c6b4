"""Who is connected to the server's databases, as Postgres tells it (pg_stat_activity), and ending one of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import ProgrammingError
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import errors

from cruddur.observability.redact_sql import redact_literals

from .server import ServerProblem

HIDDEN = "<insufficient privilege>"
"""Postgres' words for a statement that the role may not see."""
MILLISECONDS_TO_END = 5000
SECONDS_TO_LEAVE = 1.0
SECONDS_BETWEEN_LOOKS = 0.05
# Postgres' own processes have no role; what may not be seen has no backend_type.
SELECT = """
SELECT pid, datname, usename, application_name, host(client_addr), backend_start, state, state_change, query,
       pg_blocking_pids(pid)
FROM pg_stat_activity
WHERE datname IS NOT NULL AND usename IS NOT NULL AND pid <> pg_backend_pid()
  AND coalesce(backend_type, 'client backend') IN ('client backend', 'walsender')
  AND (%(database)s::text IS NULL OR datname = %(database)s) AND (%(pid)s::int IS NULL OR pid = %(pid)s)
ORDER BY datname, backend_start, pid
"""


@dataclass(frozen=True, slots=True)
class Session:
    """A connection as the server sees it. None is what the role may not see."""

    pid: int
    database: str
    role: str
    program: str
    address: str | None
    """None for a local socket too."""
    connected_at: datetime | None
    state: str | None
    """active, idle, idle in transaction, …"""
    state_since: datetime | None
    query: str | None
    """The statement that runs, or the last one, without its texts."""
    waits_for: Sequence[int]
    """Pids of the sessions whose locks it waits for; 0 is a prepared transaction."""


def sessions(server: BaseDatabaseWrapper, *, database: str | None = None, pid: int | None = None) -> Sequence[Session]:
    """Return all but this connection's own, by database and age; of one database or with one pid if asked for."""
    with server.cursor() as cursor:
        cursor.execute(SELECT, {"database": database, "pid": pid})
        return [without_texts(Session(*row)) for row in cursor.fetchall()]


def without_texts(session: Session) -> Session:
    """Redact the session's statement: Django puts parameters into it, session keys and messages among them."""
    return replace(session, query=None if session.query == HIDDEN else redact_literals(session.query or ""))


def staying_sessions(server: BaseDatabaseWrapper, *, database: str) -> Sequence[Session]:
    """Return the sessions that do not end within a second: the server notices late that a client has left."""
    until = time.monotonic() + SECONDS_TO_LEAVE
    while found := sessions(server, database=database):
        if time.monotonic() > until:
            break
        time.sleep(SECONDS_BETWEEN_LOOKS)
    return found


def end_session(server: BaseDatabaseWrapper, pid: int) -> Session:
    """End the session with this pid and wait until it is gone. Returns what it was.

    Raises ServerProblem for this connection's own, one that is not there, and one of which the role may not dispose.
    """
    if pid == server.connection.info.backend_pid:
        raise ServerProblem(f"{pid} is this command's own session.")
    found = sessions(server, pid=pid)
    if not found:
        raise ServerProblem(f"There is no session {pid}: `manage.py db_sessions --all` shows those there are.")
    session = found[0]
    try:
        with server.cursor() as cursor:
            # With the time of its start: the pid may by now be another's.
            cursor.execute(
                "SELECT pg_terminate_backend(pid, %s) FROM pg_stat_activity"
                " WHERE pid = %s AND backend_start IS NOT DISTINCT FROM %s",
                [MILLISECONDS_TO_END, pid, session.connected_at],
            )
            row = cursor.fetchone()
    except ProgrammingError as error:
        if not isinstance(error.__cause__, errors.InsufficientPrivilege):
            raise
        raise ServerProblem(
            f"Session {pid} is of the role {session.role}: only that role, a superuser or a member of "
            "pg_signal_backend may end it."
        ) from error
    if row == (False,):
        raise ServerProblem(f"Session {pid} was told to end and is still there: look again in a minute.")
    return session
