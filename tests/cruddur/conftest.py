"""Databases, roles and connections of a test's own on the server of the tests."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest
from django.db import connection
from psycopg.sql import SQL, Identifier, Literal

PASSWORD = "password-of-a-test"

Connect = Callable[..., psycopg.Connection[Any]]


@pytest.fixture
def connect(db: None) -> Iterator[Connect]:
    """Open further connections in autocommit.

    By default they go to the test database, with the tests' role.
    """
    values = connection.settings_dict
    own = {
        "host": values["HOST"], "port": values["PORT"], "dbname": values["NAME"],
        "user": values["USER"], "password": values["PASSWORD"],
    }  # fmt: skip
    with ExitStack() as opened:
        yield lambda **changes: opened.enter_context(psycopg.connect(**{**own, **changes}, autocommit=True))


@pytest.fixture
def server(connect: Connect) -> psycopg.Connection[Any]:
    """Return a connection to the server's maintenance database."""
    return connect(dbname="postgres", application_name="a test")


@pytest.fixture
def new_name(server: psycopg.Connection[Any]) -> Iterator[Callable[..., str]]:
    """Generate unused names; drop the databases that get them after the test."""
    names = []

    def new_name(ending: str = "") -> str:
        names.append(f"cruddur_test_{uuid.uuid4().hex[:12]}{ending}")
        return names[-1]

    yield new_name
    for name in names:
        server.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name)))


@pytest.fixture
def new_database(server: psycopg.Connection[Any], new_name: Callable[..., str]) -> Callable[..., str]:
    """Create empty databases."""

    def new_database(ending: str = "") -> str:
        name = new_name(ending)
        server.execute(SQL("CREATE DATABASE {} TEMPLATE template0").format(Identifier(name)))
        return name

    return new_database


@pytest.fixture
def weak_role(server: psycopg.Connection[Any]) -> Iterator[str]:
    """Create a role that may sign in, with PASSWORD, and nothing else."""
    name = f"weak_{uuid.uuid4().hex[:12]}"
    server.execute(SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(Identifier(name), Literal(PASSWORD)))
    yield name
    server.execute(SQL("DROP OWNED BY {}").format(Identifier(name)))
    server.execute(SQL("DROP ROLE {}").format(Identifier(name)))


@pytest.fixture
def settings_database(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Change what DATABASE_URL says, as in `settings_database(NAME=…)`; the test's own connection stays."""

    def settings_database(**changes: str | int) -> None:
        for key, value in changes.items():
            monkeypatch.setitem(connection.settings_dict, key, value)

    return settings_database
