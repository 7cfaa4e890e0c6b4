"""The Postgres server of DATABASE_URL and its databases, seen from outside of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.db import DatabaseError, Error, OperationalError, connection
from django.db.backends.base.base import NO_DB_ALIAS, BaseDatabaseWrapper
from psycopg import Error as PostgresError
from psycopg import errors
from psycopg.pq import Conninfo
from psycopg.sql import SQL, Composable, Identifier

from cruddur.cli.terminal import printable
from cruddur.net import LOOPBACK_HOSTS
from cruddur.problem import Problem

MAINTENANCE = ("postgres", "template1")
"""Databases that servers come with, to be connected to while another is made or dropped."""
NEVER_DROPPED = frozenset(("postgres", "template0", "template1"))
SECONDS_TO_CONNECT = 5
MILLISECONDS_TO_COUNT = 1000


class ServerProblem(Problem):
    """What the server refuses, or what should not be asked of it."""


@dataclass(frozen=True, slots=True)
class Database:
    """A database of the server."""

    name: str
    owner: str
    is_template: bool
    may_be_dropped: bool
    """By the role of DATABASE_URL: it is the owner, or has the owner's rights."""
    size_bytes: int | None
    """None where the role may not know."""


def database_name() -> str:
    """Return the name in DATABASE_URL. Raises ServerProblem where it has none."""
    name: str = connection.settings_dict["NAME"] or ""
    if not name:
        raise ServerProblem("DATABASE_URL names no database: set it, or run `make run` for a local one.")
    return name


def describe_server() -> str:
    """Return the server and the role, never its password."""
    values = connection.settings_dict
    port = f":{values['PORT']}" if values["PORT"] else ""
    role = f", role {values['USER']}" if values["USER"] else ""
    return f"Postgres on {values['HOST'] or 'a local socket'}{port}{role}"


def is_on_this_machine() -> bool:
    """Return whether the server is on this machine, as far as its address tells; nobody is asked."""
    defaults = {each.keyword.decode(): each.val.decode() for each in Conninfo.get_defaults() if each.val}
    parameters = {**defaults, **connection.get_connection_params()}
    host = parameters.get("hostaddr") or parameters.get("host") or ""
    return not host or host.startswith("/") or host in LOOPBACK_HOSTS


@contextmanager
def connected(*names: str) -> Iterator[BaseDatabaseWrapper]:
    """Open a connection, in autocommit, to the first of these databases that lets the role of DATABASE_URL in.

    Raises what the last one said, an OperationalError, if none does.
    """
    found = connect(names)
    try:
        yield found
    finally:
        found.close()


def connect(names: Sequence[str]) -> BaseDatabaseWrapper:
    *others, last = names
    for name in others:
        try:
            return connect([name])
        except OperationalError:
            continue
    found = connection.copy(NO_DB_ALIAS)  # under this alias no pool hands out the settings' own database
    found.settings_dict["NAME"] = last
    found.settings_dict["OPTIONS"].setdefault("connect_timeout", SECONDS_TO_CONNECT)
    found.ensure_connection()
    return found


def execute(server: BaseDatabaseWrapper, statement: Composable) -> None:
    with server.cursor() as cursor:
        cursor.execute(statement.as_string(server.connection))


def database_names(server: BaseDatabaseWrapper) -> list[str]:
    """Return all databases but the templates."""
    with server.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY datname")
        return [name for (name,) in cursor.fetchall()]


def find_database(server: BaseDatabaseWrapper, name: str) -> Database:
    """Return the database. Raises ServerProblem, which names those there are, if there is none of this name."""
    with server.cursor() as cursor:
        cursor.execute(
            """
            SELECT datname, pg_get_userbyid(datdba), datistemplate, pg_has_role(datdba, 'USAGE'),
                   CASE WHEN has_database_privilege(oid, 'CONNECT') THEN pg_database_size(oid) END
            FROM pg_database WHERE datname = %s
            """,
            [name],
        )
        row = cursor.fetchone()
    if row is None:
        raise ServerProblem(f"There is no database {name}, only: {printable(', '.join(database_names(server)))}.")
    return Database(*row)


def create_database(name: str) -> bool:
    """Create it, in UTF8, unless it is there. Returns whether it was created.

    Raises ServerProblem where the server refuses, OperationalError where it does not let the role in.
    """
    try:
        with connected(name):
            return False
    except OperationalError as error:
        refused = error
    with connected(*MAINTENANCE) as server:
        if name in database_names(server):
            raise refused
        # From template0: it alone takes any encoding, and nobody can be connected to it, which would forbid the copy.
        statement = SQL("CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0").format(Identifier(name))
        try:
            execute(server, statement)
        except DatabaseError as error:
            match error.__cause__:
                case errors.DuplicateDatabase() | errors.UniqueViolation():  # another was quicker
                    return False
                case errors.InsufficientPrivilege():
                    raise ServerProblem(may_not_create(server, name)) from error
            raise refusal(error) from error
    return True


def lacks_tables(name: str) -> bool:
    """Return whether nothing was ever made in it. Raises OperationalError where it does not let the role in."""
    with connected(name) as inside:
        return not inside.introspection.table_names()


def may_not_create(server: BaseDatabaseWrapper, name: str) -> str:
    role = server.connection.info.user
    statement = SQL("CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0")
    whole = statement.format(Identifier(name), Identifier(role)).as_string(server.connection)
    return f"The role {role} may not create databases: let an administrator of the server run `{whole}`."


def refusal(error: DatabaseError) -> Exception:
    """Return what the server said about the statement; the error itself where the server did not say anything."""
    cause = error.__cause__
    if not isinstance(cause, PostgresError) or cause.diag.message_primary is None:
        return error
    detail = f" ({cause.diag.message_detail})" if cause.diag.message_detail else ""
    return ServerProblem(f"Postgres refuses: {cause.diag.message_primary}{detail}.")


def count_people(name: str) -> int | None:
    """Count the people in that database; None if it is not of this project or counting takes too long."""
    table = get_user_model()._meta.db_table  # noqa: SLF001 - Django's documented name
    try:
        with connected(name) as inside, inside.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, false)", [str(MILLISECONDS_TO_COUNT)])
            cursor.execute(SQL("SELECT count(*) FROM {}").format(Identifier(table)).as_string(inside.connection))
            return int(cursor.fetchone()[0])
    except Error:
        return None


def drop_database(server: BaseDatabaseWrapper, database: Database, *, force: bool) -> None:
    """Drop it; `force` ends the sessions in it. Raises ServerProblem where the server refuses."""
    option = SQL(" WITH (FORCE)") if force else SQL("")
    try:
        execute(server, SQL("DROP DATABASE {}{}").format(Identifier(database.name), option))
    except DatabaseError as error:
        raise refusal(error) from error
