"""What Postgres says no with, in one sentence that says what to do."""

from __future__ import annotations

from django.conf import settings
from django.db import Error, InterfaceError, OperationalError
from psycopg import errors

MIGRATE = "The database lacks its tables: run `manage.py migrate`."
DENIED = "The role of DATABASE_URL may not do this: use one with the right, or let its administrator grant it."
PASSWORD = "Postgres refuses the role or the password of DATABASE_URL: put it right."  # noqa: S105 - a sentence
UNREACHABLE = "The database does not answer: start the local stack with `make run`, or check DATABASE_URL."
BUSY = "Postgres has no connection left: end one that `manage.py db_sessions` shows, or try again in a minute."
WORDS = {
    "authentication failed": PASSWORD,
    "no password supplied": PASSWORD,
    "too many clients": BUSY,
    "remaining connection slots": BUSY,
}


def explained(error: Error) -> str | None:
    """The sentence, or None for what nobody at the keyboard can put right, such as wrong SQL."""
    cause = error.__cause__
    if isinstance(cause, errors.UndefinedTable | errors.UndefinedColumn):
        return MIGRATE
    if isinstance(cause, errors.InsufficientPrivilege):
        return DENIED
    if not isinstance(error, OperationalError | InterfaceError):
        return None
    # A refused connection has no SQLSTATE in libpq, only words.
    words = str(error)
    name = settings.DATABASES["default"].get("NAME")
    if f'database "{name}" does not exist' in words:
        return f"There is no database {name}: run `manage.py db_create`, then `manage.py migrate`."
    for part, sentence in WORDS.items():
        if part in words:
            return sentence
    return f"Postgres refuses: {words.splitlines()[0]}." if getattr(cause, "sqlstate", None) else UNREACHABLE
