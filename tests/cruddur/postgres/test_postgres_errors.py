"""What Postgres refuses becomes a sentence that says what to do; each refusal here is a real server's."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import closing
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection
from django.db.backends.base.base import NO_DB_ALIAS
from django.db.migrations.exceptions import MigrationSchemaMissing
from psycopg.sql import SQL, Identifier

from cruddur.postgres.postgres_errors import explain, refused_connection
from tests.cruddur.conftest import PASSWORD, Connect

pytestmark = pytest.mark.django_db


def refused(statement: str, **changes: Any) -> DatabaseError:
    """Return the error of this statement with these changes to DATABASE_URL."""
    other = connection.copy(NO_DB_ALIAS)
    other.settings_dict.update(changes)
    try:
        with closing(other), other.cursor() as cursor:
            cursor.execute(statement)
    except DatabaseError as error:
        return error
    pytest.fail("not refused")


def refusal(statement: str = "SELECT 1", **changes: Any) -> str | None:
    """Return the sentence that describes that error."""
    return explain(refused(statement, **changes))


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])


@pytest.mark.parametrize("changes", [{"PASSWORD": "wrong"}, {"PASSWORD": ""}, {"USER": "nobody-at-all"}])
def test_it_says_that_role_or_password_are_wrong(changes: dict[str, str]) -> None:
    assert "the role or the password of DATABASE_URL" in str(refusal(**changes))


def test_it_says_that_there_is_no_such_database() -> None:
    sentence = str(refusal(NAME="no such-one"))

    assert sentence == "There is no database no such-one: run `manage.py db_create`, then `manage.py migrate`."


def test_it_says_that_nothing_answers() -> None:
    assert "does not answer: start the local stack with `make run`" in str(refusal(PORT=free_port()))


def test_it_says_that_the_server_has_no_address() -> None:
    assert "has no address" in str(refusal(HOST="nowhere.invalid"))


@pytest.mark.parametrize("statement", ["SELECT * FROM nothing_here", "SELECT nothing_here FROM users_user"])
def test_it_says_that_tables_or_columns_are_missing(statement: str) -> None:
    assert "manage.py migrate" in str(refusal(statement))


def test_missing_permission_of_role_is_explained(weak_role: str) -> None:
    sentence = str(refusal("SELECT * FROM users_user", USER=weak_role, PASSWORD=PASSWORD))

    assert "may not do this (permission denied for table users_user)" in sentence


def test_missing_permission_is_explained_when_migrate_wraps_it(weak_role: str) -> None:
    error = MigrationSchemaMissing("Unable to create the django_migrations table")
    error.__context__ = refused("CREATE TABLE public.mine (a int)", USER=weak_role, PASSWORD=PASSWORD)

    assert "may not do this (permission denied for schema public)" in str(explain(error))


def test_exhausted_connections_of_role_are_explained(
    server: psycopg.Connection[Any], connect: Connect, weak_role: str, new_database: Callable[..., str]
) -> None:
    name = new_database()
    server.execute(SQL("ALTER ROLE {} CONNECTION LIMIT 1").format(Identifier(weak_role)))
    connect(user=weak_role, password=PASSWORD, dbname=name)

    assert "no connection left" in str(refusal(USER=weak_role, PASSWORD=PASSWORD, NAME=name))


@pytest.mark.parametrize(
    "words",
    [
        "FATAL:  sorry, too many clients already",
        "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
    ],
)
def test_exhausted_connections_of_server_are_explained(words: str) -> None:
    assert "no connection left" in refused_connection(words)


def test_it_says_that_the_session_was_ended(server: psycopg.Connection[Any]) -> None:
    other = connection.copy(NO_DB_ALIAS)
    other.ensure_connection()
    server.execute("SELECT pg_terminate_backend(%s, 5000)", [other.connection.info.backend_pid])

    with closing(other), pytest.raises(DatabaseError) as caught, other.cursor() as cursor:
        cursor.execute("SELECT 1")

    assert "ended from outside" in str(explain(caught.value))


def test_it_says_that_the_server_can_only_be_read() -> None:
    read_only = {"options": "-c default_transaction_read_only=on"}
    sentence = str(refusal("CREATE TABLE mine (a int)", OPTIONS=read_only))

    assert "can only be read" in sentence


def test_other_server_errors_are_passed_on() -> None:
    assert refusal(NAME="template0") == (
        'Postgres refuses the connection: database "template0" is not currently accepting connections.'
    )
    assert refusal("SET statement_timeout = 1; SELECT pg_sleep(9)") == (
        "Postgres refuses: canceling statement due to statement timeout."
    )


def test_invalid_sql_keeps_its_traceback() -> None:
    assert refusal("SELEKT 1") is None
