"""db_drop, on a real server."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from psycopg.sql import SQL, Identifier
from pytest_django import Settings

from tests.cruddur.conftest import PASSWORD, Connect

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).parents[3]
NewName = Callable[..., str]
Server = psycopg.Connection[Any]
SettingsDatabase = Callable[..., None]


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("db_drop", *arguments, stdout=out, stderr=StringIO(), no_color=True, skip_checks=True)
    return out.getvalue()


def exists(server: Server, name: str) -> bool:
    return server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def with_people(name: str, connect: Connect, number: int) -> None:
    with connect(dbname=name) as inside:
        inside.execute("CREATE TABLE users_user AS SELECT generate_series(1, %s)", [number])


def test_it_drops_the_database_and_says_what_it_was(server: Server, new_database: NewName, connect: Connect) -> None:
    name = new_database()
    with_people(name, connect, 1234)

    lines = run(name, "--yes").splitlines()

    assert lines[0].startswith("Postgres on 127.0.0.1")
    assert lines[-1].startswith(f"Dropped the database {name}, ")
    assert lines[-1].endswith(" MB, 1,234 people.")
    assert not exists(server, name)


def test_programs_get_one_object(new_database: NewName, connect: Connect) -> None:
    name = new_database()
    with_people(name, connect, 3)

    (line,) = run(name, "--yes", "--json").splitlines()

    facts = json.loads(line)
    assert facts.pop("size_bytes") > 1_000_000
    assert facts == {"database": name, "people": 3, "sessions_ended": 0}


def test_quiet_says_nothing(server: Server, new_database: NewName) -> None:
    name = new_database()

    assert run(name, "--yes", "-v0") == ""
    assert not exists(server, name)


def test_drop_spares_databases_with_similar_names(server: Server, new_database: NewName) -> None:
    name, more, before = new_database(), new_database("_more"), new_database("_bef")
    server.execute(SQL("ALTER DATABASE {} RENAME TO {}").format(Identifier(more), Identifier(f"{name}_more")))
    server.execute(SQL("ALTER DATABASE {} RENAME TO {}").format(Identifier(before), Identifier(f"not_{name}")))
    try:
        run(name, "--yes")

        assert not exists(server, name)
        with pytest.raises(CommandError, match=f"There is no database {name}"):
            run(name, "--yes")
        assert exists(server, f"{name}_more")
        assert exists(server, f"not_{name}")
    finally:
        for each in (f"{name}_more", f"not_{name}"):
            server.execute(SQL("DROP DATABASE IF EXISTS {}").format(Identifier(each)))


@pytest.mark.parametrize("ending", ["-UPPER", ' "; DROP', "%s", "é", "'"])
def test_name_with_special_characters_is_quoted(server: Server, new_database: NewName, ending: str) -> None:
    name, other = new_database(ending), new_database()

    run(name, "--yes")

    assert not exists(server, name)
    assert exists(server, other)


def test_unknown_name_lists_existing_databases(new_database: NewName, new_name: NewName) -> None:
    there, missing = new_database(), new_name()

    with pytest.raises(CommandError) as caught:
        run(missing, "--yes")

    assert caught.value.returncode == 1
    assert str(caught.value).startswith(f"There is no database {missing}, only: ")
    assert there in str(caught.value)


def test_the_name_is_needed() -> None:
    with pytest.raises(CommandError, match="DATABASE"):
        run("--yes")


@pytest.mark.parametrize("name", ["postgres", "template0", "template1"])
def test_it_never_drops_what_belongs_to_the_server(server: Server, name: str) -> None:
    with pytest.raises(CommandError, match="belongs to the server"):
        run(name, "--yes", "--force", "--confirm", name)

    assert exists(server, name)


def test_it_refuses_templates(server: Server, new_database: NewName) -> None:
    name = new_database()
    server.execute(SQL("ALTER DATABASE {} IS_TEMPLATE true").format(Identifier(name)))
    try:
        with pytest.raises(CommandError, match="is a template"):
            run(name, "--yes")
    finally:
        server.execute(SQL("ALTER DATABASE {} IS_TEMPLATE false").format(Identifier(name)))


def test_it_refuses_the_database_of_another_role(
    server: Server, new_database: NewName, settings_database: SettingsDatabase, weak_role: str
) -> None:
    name, owner = new_database(), connection.settings_dict["USER"]
    settings_database(USER=weak_role, PASSWORD=PASSWORD)

    with pytest.raises(CommandError, match=f"belongs to the role {owner}: nothing was dropped"):
        run(name, "--yes", "--force")

    assert exists(server, name)


def test_nothing_is_dropped_unasked(server: Server, new_database: NewName, monkeypatch: pytest.MonkeyPatch) -> None:
    name = new_database()
    monkeypatch.setattr(sys, "stdin", StringIO(f"{name}\n"))  # no terminal: it would not be a person's answer

    with pytest.raises(CommandError, match="--yes"):
        run(name)

    assert exists(server, name)


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "code"), [("its name", 0), ("yes", 1)])
def test_a_person_types_the_name(server: Server, new_database: NewName, answer: str, code: int) -> None:
    name = new_database()
    ours, theirs = pty.openpty()
    os.write(ours, f"{name if answer == 'its name' else answer}\n".encode())

    dropped = subprocess.run(
        [sys.executable, "manage.py", "db_drop", name],
        cwd=ROOT, stdin=theirs, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    os.close(ours)
    os.close(theirs)

    assert dropped.returncode == code, dropped.stderr
    assert exists(server, name) is bool(code)


@pytest.mark.parametrize("name", ["shop_nonprod", "prod"])
def test_production_is_a_matter_of_the_settings_and_of_no_part_of_a_name(
    server: Server, new_database: NewName, settings: Settings, name: str
) -> None:
    own = new_database(f"_{name}")
    other = new_database(f"_{name}")
    run(own, "--yes")
    assert not exists(server, own)

    settings.PRODUCTION = True

    with pytest.raises(CommandError, match=f"--confirm {other}"):
        run(other, "--yes")
    with pytest.raises(CommandError, match="nothing was dropped"):
        run(other, "--yes", "--confirm", other[:-1])
    assert exists(server, other)
    run(other, "--yes", "--confirm", other)
    assert not exists(server, other)


def test_off_this_machine_the_name_is_needed_twice(
    server: Server, new_database: NewName, settings_database: SettingsDatabase
) -> None:
    name = new_database()
    settings_database(HOST="127.1")  # leads to the same server, but by no name that this machine goes by

    with pytest.raises(CommandError, match=f"--confirm {name}"):
        run(name, "--yes")
    assert exists(server, name)


def test_while_others_are_connected_it_shows_who_and_refuses(
    server: Server, new_database: NewName, connect: Connect
) -> None:
    name = new_database()
    other = connect(dbname=name, application_name="somebody's psql")
    out = StringIO()

    with pytest.raises(CommandError, match=f"Others are connected.*pid {other.info.backend_pid}.*--force"):
        call_command("db_drop", name, "--yes", stdout=out)

    assert "somebody's psql" in out.getvalue()
    assert exists(server, name)
    assert other.execute("SELECT 1").fetchone() == (1,)


def test_forced_it_ends_the_sessions_of_others(server: Server, new_database: NewName, connect: Connect) -> None:
    name = new_database()
    other = connect(dbname=name)

    assert run(name, "--yes", "--force").endswith(", which ended 1 session.\n")

    assert not exists(server, name)
    with pytest.raises(psycopg.errors.AdminShutdown):
        other.execute("SELECT 1")


def test_sessions_in_other_databases_are_in_nobody_s_way(
    server: Server, new_database: NewName, connect: Connect
) -> None:
    name, other = new_database(), new_database()
    connect(dbname=other)

    run(name, "--yes")

    assert not exists(server, name)


def test_refusal_of_the_server_is_a_sentence(
    server: Server, new_database: NewName, monkeypatch: pytest.MonkeyPatch, connect: Connect
) -> None:
    name = new_database()

    def connects_meanwhile(*args: Any, **kwargs: Any) -> None:
        connect(dbname=name)

    monkeypatch.setattr("cruddur.management.commands.db_drop.require_confirmation", connects_meanwhile)

    with pytest.raises(CommandError, match=r"Postgres refuses: .* is being accessed by other users"):
        run(name, "--yes")
    assert exists(server, name)
