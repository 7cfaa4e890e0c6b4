"""What Postgres says no with, in one sentence that says what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from django.db import Error, InterfaceError, OperationalError
from psycopg import Error as PostgresError
from psycopg import errors

MIGRATE = "The database lacks its tables: run `manage.py migrate`."
CREATE = "There is no database {}: run `manage.py db_create`, then `manage.py migrate`."
DENIED = "The role of DATABASE_URL may not do this ({}): use one with the right, or let its administrator grant it."
PASSWORD = "Postgres refuses the role or the password of DATABASE_URL: put it right."  # noqa: S105 - a sentence
NO_SUCH_HOST = "The server in DATABASE_URL has no address: put its name right."
NOT_ADMITTED = "Postgres does not admit this role from this machine: let its administrator add it to pg_hba.conf."
UNREACHABLE = "The database does not answer: start the local stack with `make run`, or check DATABASE_URL."
BUSY = "Postgres has no connection left: stop a program that holds some (`manage.py db_sessions`), or try again later."
STARTING = "Postgres is starting or stopping: try again in a minute."
ENDED = "The session was ended from outside, or Postgres is stopping: run it again."
READ_ONLY = "This Postgres is a copy that can only be read: name the primary server in DATABASE_URL."

REFUSALS: Mapping[type[PostgresError], str] = {
    errors.UndefinedTable: MIGRATE,
    errors.UndefinedColumn: MIGRATE,
    errors.InsufficientPrivilege: DENIED,
    errors.ReadOnlySqlTransaction: READ_ONLY,
    errors.AdminShutdown: ENDED,
    errors.CrashShutdown: ENDED,
}
NO_DATABASE = re.compile(r'database "(.*)" does not exist')
# A refused connection has no SQLSTATE in libpq, only words.
WORDS = {
    "authentication failed": PASSWORD,
    "no password supplied": PASSWORD,
    "too many clients": BUSY,
    "too many connections": BUSY,
    "remaining connection slots": BUSY,
    "starting up": STARTING,
    "shutting down": STARTING,
    "in recovery": STARTING,
    'role "': PASSWORD,
    "pg_hba.conf": NOT_ADMITTED,
    "failed to resolve": NO_SUCH_HOST,
}
FATAL = re.compile(r"FATAL: +(.*)")


def explain(error: Error) -> str | None:
    """Return the sentence, or None for what nobody at the keyboard can put right, such as wrong SQL."""
    cause = next(causes(error), None)
    for refusal, sentence in REFUSALS.items():
        if isinstance(cause, refusal):
            return sentence.format(cause.diag.message_primary)
    if not isinstance(error, OperationalError | InterfaceError):
        return None
    if cause and cause.diag.message_primary:
        return f"Postgres refuses: {cause.diag.message_primary}."
    return refused_connection(str(error))


def causes(error: BaseException | None) -> Iterator[PostgresError]:
    """Return what the server said that led to this error: Django wraps it, `migrate` twice."""
    while error is not None:
        if isinstance(error, PostgresError):
            yield error
        error = error.__cause__ or error.__context__


def refused_connection(words: str) -> str:
    if found := NO_DATABASE.search(words):
        return CREATE.format(found[1])
    for part, sentence in WORDS.items():
        if part in words:
            return sentence
    if found := FATAL.search(words):
        return f"Postgres refuses the connection: {found[1]}."
    return UNREACHABLE
