"""db_create, on a real server."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from psycopg.sql import SQL, Identifier

from cruddur.postgres.server import create_database
from tests.cruddur.conftest import PASSWORD, Connect

pytestmark = pytest.mark.django_db

NewName = Callable[..., str]
SettingsDatabase = Callable[..., None]


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("db_create", *arguments, stdout=out, stderr=StringIO(), no_color=True, skip_checks=True)
    return out.getvalue()


def test_it_creates_the_database_in_utf8_and_says_what_comes_next(
    new_name: NewName, settings_database: SettingsDatabase, connect: Connect
) -> None:
    name = new_name()
    settings_database(NAME=name)

    lines = run().splitlines()

    assert lines[0].startswith(f"database {name} on 127.0.0.1")
    assert lines[1] == f"Database {name} created, its tables are made by `manage.py migrate`."
    row = connect(dbname=name).execute("SHOW server_encoding").fetchone()
    assert row == ("UTF8",)


def test_repeated_creation_leaves_database_unchanged(
    new_database: NewName, settings_database: SettingsDatabase, connect: Connect
) -> None:
    name = new_database()
    settings_database(NAME=name)
    inside = connect(dbname=name)
    inside.execute("CREATE TABLE mine (a int)")

    assert run().endswith(f"Database {name} exists.\n")
    assert inside.execute("SELECT count(*) FROM mine").fetchone() == (0,)


def test_it_says_that_tables_are_lacking(new_database: NewName, settings_database: SettingsDatabase) -> None:
    settings_database(NAME=new_database())

    assert run().endswith("exists, its tables are made by `manage.py migrate`.\n")


def test_programs_get_one_object(new_name: NewName, settings_database: SettingsDatabase) -> None:
    name = new_name()
    settings_database(NAME=name)

    assert json.loads(run("--json")) == {"database": name, "created": True, "has_tables": False}
    assert json.loads(run("--json")) == {"database": name, "created": False, "has_tables": False}


def test_quiet_says_nothing(new_name: NewName, settings_database: SettingsDatabase) -> None:
    settings_database(NAME=new_name())

    assert run("-v0") == ""


@pytest.mark.parametrize("ending", ["-UPPER", ' "; DROP', "%s", "é", "'"])
def test_name_with_special_characters_is_quoted(
    new_name: NewName, settings_database: SettingsDatabase, server: psycopg.Connection[Any], ending: str
) -> None:
    name = new_name(ending)
    settings_database(NAME=name)

    run()

    assert server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()


def test_concurrent_creation_succeeds_for_both(new_name: NewName) -> None:
    name = new_name()

    with ThreadPoolExecutor(4) as threads:
        created = list(threads.map(create_database, [name] * 4))

    assert sorted(created) == [False, False, False, True]


def test_it_works_where_the_role_may_not_connect_to_the_database_postgres(
    new_name: NewName, settings_database: SettingsDatabase, server: psycopg.Connection[Any], weak_role: str
) -> None:
    server.execute(SQL("ALTER ROLE {} CREATEDB").format(Identifier(weak_role)))
    server.execute("REVOKE CONNECT ON DATABASE postgres FROM PUBLIC")
    name = new_name()
    settings_database(NAME=name, USER=weak_role, PASSWORD=PASSWORD)
    try:
        assert "created" in run()
    finally:
        server.execute("GRANT CONNECT ON DATABASE postgres TO PUBLIC")
        server.execute(SQL("DROP DATABASE {}").format(Identifier(name)))  # before its owner


def test_role_without_createdb_is_told_what_to_ask_for(
    new_name: NewName, settings_database: SettingsDatabase, weak_role: str
) -> None:
    name = new_name()
    settings_database(NAME=name, USER=weak_role, PASSWORD=PASSWORD)

    with pytest.raises(CommandError) as caught:
        run()

    assert caught.value.returncode == 1
    assert str(caught.value) == (
        f"The role {weak_role} may not create databases: let an administrator of the server run "
        f"""`CREATE DATABASE "{name}" OWNER "{weak_role}" ENCODING 'UTF8' TEMPLATE template0`."""
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"PASSWORD": "wrong"}, "the role or the password of DATABASE_URL"),
        ({"PORT": 9}, "does not answer"),
        ({"NAME": ""}, "DATABASE_URL names no database"),
        ({"NAME": "template0"}, "not currently accepting connections"),
    ],
)
def test_it_says_in_a_sentence_what_is_wrong(
    settings_database: SettingsDatabase, changes: dict[str, Any], sentence: str
) -> None:
    settings_database(**changes)

    with pytest.raises(CommandError, match=sentence):
        run()
