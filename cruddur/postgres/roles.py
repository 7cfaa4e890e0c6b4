"""Two roles in Postgres: the migration role owns the tables, and the application's role may only use them.

DATABASE_URL is the application's. MIGRATION_DATABASE_URL, if it is set, names the same database and the migration role:
what makes or drops databases and tables uses it. Without it one role does both, as suits a developer's own server; the
append-only tables are then guarded by triggers alone, which their owner can drop.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import errors
from psycopg.sql import SQL, Composable, Identifier, Literal

from cruddur.problem import Problem

SAME = ("HOST", "PORT", "NAME")
TABLES = SQL("SELECT, INSERT, UPDATE, DELETE")
"""What the application's role may do with a table that `restrict` does not name."""
SEQUENCES = SQL("SELECT, UPDATE, USAGE")
_restricted: dict[str, SQL] = {}


@dataclass(frozen=True, slots=True)
class Login:
    """How the application signs in to Postgres. An empty password is given elsewhere, or not needed."""

    role: str
    password: str


class WrongRole(Problem):
    """The roles of DATABASE_URL and MIGRATION_DATABASE_URL do not fit together. The message says what to do."""


def restrict(table: str, privileges: SQL) -> None:
    """Restrict the application's role to these privileges on a table, as GRANT writes them."""
    _restricted[table] = privileges


def restrictions() -> Mapping[str, SQL]:
    """Return the privileges of the application's role by restricted table."""
    return {"django_migrations": SQL("SELECT"), **_restricted}


def has_two_roles() -> bool:
    """Return whether another role than the application's is to own the tables."""
    migration = settings.MIGRATION_DATABASE
    return migration is not None and migration["USER"] != settings.DATABASES["default"]["USER"]


@contextmanager
def as_migration_role() -> Iterator[None]:
    """Connect as the role of MIGRATION_DATABASE_URL in the block; without one nothing changes.

    Raises WrongRole when it names another database than DATABASE_URL.
    """
    migration, application = settings.MIGRATION_DATABASE, settings.DATABASES["default"]
    if migration is None:
        yield
        return
    if any(str(migration[each]) != str(application[each]) for each in SAME):
        raise WrongRole(
            "MIGRATION_DATABASE_URL names another database than DATABASE_URL: set both alike, or only the last."
        )
    before = connection.settings_dict
    connection.close()
    connection.settings_dict = {**before, "USER": migration["USER"], "PASSWORD": migration["PASSWORD"]}
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = before


def ensure_application_role(server: BaseDatabaseWrapper, login: Login) -> bool:
    """Make the application's role, or give it the password of DATABASE_URL. Return whether it was made.

    The role may sign in and nothing else. Raises WrongRole where the server refuses, or where the role has more rights.
    """
    with server.cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication "
            "FROM pg_roles WHERE rolname = %s",
            [login.role],
        )
        found = cursor.fetchone()
    if found and found[0]:
        raise WrongRole(
            f"The role {login.role} of DATABASE_URL may more than use tables: name another one there, and keep "
            "this one for MIGRATION_DATABASE_URL."
        )
    if found and not login.password:
        return False
    statement = SQL("ALTER ROLE {} LOGIN").format(Identifier(login.role))
    if not found:
        statement = SQL("CREATE ROLE {} LOGIN").format(Identifier(login.role))
    if login.password:
        # Encrypted here, so that the password stands in no statement and no log.
        encrypted = server.connection.pgconn.encrypt_password(login.password.encode(), login.role.encode())
        statement += SQL(" PASSWORD {}").format(Literal(encrypted.decode()))
    try:
        _execute(server, statement)
    except DatabaseError as error:
        match error.__cause__:
            case errors.DuplicateObject() | errors.UniqueViolation() | errors.InternalError_():  # another was quicker
                return False
            case errors.InsufficientPrivilege():
                raise WrongRole(
                    f"The migration role may not make roles: let an administrator of the server make {login.role}, "
                    "with the password of DATABASE_URL."
                ) from error
        raise
    return not found


def grant(role: str) -> None:
    """Let the application's role use every table of the connected role, now and in future, within the restrictions.

    Safe to repeat. What was granted on a restricted table before is taken back, in the same transaction.
    """
    schema = SQL("IN SCHEMA public")
    to, name = Identifier(role), Identifier(connection.settings_dict["NAME"])
    owned = _owned_relations()
    statements: list[Composable] = [
        SQL("GRANT CONNECT ON DATABASE {} TO {}").format(name, to),
        SQL("REVOKE CREATE ON SCHEMA public FROM {}").format(to),
        SQL("GRANT USAGE ON SCHEMA public TO {}").format(to),
        SQL("ALTER DEFAULT PRIVILEGES {} GRANT {} ON TABLES TO {}").format(schema, TABLES, to),
        SQL("ALTER DEFAULT PRIVILEGES {} GRANT {} ON SEQUENCES TO {}").format(schema, SEQUENCES, to),
    ]
    for relation, kind in owned:
        table = Identifier("public", relation)
        if kind == "S":
            statements.append(SQL("GRANT {} ON SEQUENCE {} TO {}").format(SEQUENCES, table, to))
            continue
        privileges = restrictions().get(relation)
        if privileges is not None:
            statements.append(SQL("REVOKE ALL ON TABLE {} FROM {}").format(table, to))
        statements.append(SQL("GRANT {} ON TABLE {} TO {}").format(privileges or TABLES, table, to))
    with transaction.atomic():
        for statement in statements:
            _execute(connection, statement)


def owns_restricted_tables() -> list[str]:
    """Return the restricted tables that the connected role owns or could come to own. Empty if all is well."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relname = ANY(%s) AND relkind = 'r' "
            "AND relnamespace = 'public'::regnamespace AND pg_has_role(relowner, 'MEMBER') ORDER BY relname",
            [[*restrictions()]],
        )
        return [name for (name,) in cursor.fetchall()]


def _owned_relations() -> list[tuple[str, str]]:
    """Return name and kind (`S` for a sequence) of the connected role's tables, views and sequences."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, relkind::text FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'S') "
            "AND relnamespace = 'public'::regnamespace AND relowner = current_user::regrole ORDER BY relname"
        )
        return [(name, kind) for name, kind in cursor.fetchall()]


def _execute(server: BaseDatabaseWrapper, statement: Composable) -> None:
    server.ensure_connection()
    with server.cursor() as cursor:
        cursor.execute(statement.as_string(server.connection))
