"""db_sessions, with real second connections."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from threading import Thread
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from cruddur.postgres.connection_table import lasting
from cruddur.postgres.connections import end_session
from cruddur.postgres.server import connected
from cruddur.problem import Problem
from tests.cruddur.conftest import PASSWORD, Connect

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).parents[3]
NewName = Callable[..., str]
Server = psycopg.Connection[Any]
SettingsDatabase = Callable[..., None]


@pytest.fixture
def name(new_database: NewName, settings_database: SettingsDatabase) -> str:
    """Create an empty database for this test and point DATABASE_URL at it; return its name."""
    name = new_database()
    settings_database(NAME=name)
    return name


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("db_sessions", *arguments, stdout=out, stderr=StringIO(), no_color=True, skip_checks=True)
    return out.getvalue()


def listed(*arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run(*arguments, "--json").splitlines()]


def waiting_session(server: Server) -> None:
    """Return once some session waits for a lock."""
    until = time.monotonic() + 60
    query = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname LIKE 'cruddur_test_%'"
    while server.execute(query).fetchone() is None:
        assert time.monotonic() < until


def test_session_shows_user_client_time_application_state_and_statement(name: str, connect: Connect) -> None:
    before = datetime.now(UTC)
    other = connect(dbname=name, application_name="cruddur web")
    other.execute("SELECT 'a secret', 42")

    (session,) = listed()

    connected_at = datetime.fromisoformat(session.pop("connected_at"))
    state_since = datetime.fromisoformat(session.pop("state_since"))
    assert before - timedelta(seconds=1) < connected_at <= state_since <= datetime.now(UTC)
    assert session == {
        "pid": other.info.backend_pid,
        "database": name,
        "role": connection.settings_dict["USER"],
        "program": "cruddur web",
        "address": "127.0.0.1",
        "state": "idle",
        "query": "SELECT '…', 42",
        "waits_for": [],
    }


def test_people_get_a_table(name: str, connect: Connect) -> None:
    other = connect(dbname=name, application_name="cruddur web")
    other.execute("SELECT 'a secret', 42")

    first, heading, row, last = run().splitlines()

    assert first.startswith("Postgres on 127.0.0.1")
    assert heading.endswith("  statement, or the last one")
    assert row.split()[0] == str(other.info.backend_pid)
    assert "cruddur web" in row
    assert f"{connection.settings_dict['USER']} from 127.0.0.1" in row
    assert re.search(r"idle for \d+ s", row)
    assert row.endswith("SELECT '…', 42")
    assert last == f"1 connected to the database {name}, beside this command."


def test_own_session_is_not_listed(name: str) -> None:
    assert run().splitlines()[1:] == [f"Nobody is connected to the database {name}, beside this command."]


def test_quiet_leaves_the_table(name: str, connect: Connect) -> None:
    connect(dbname=name)

    assert len(run("-v0").splitlines()) == 2


def test_no_text_of_a_statement_shows_anywhere(name: str, connect: Connect) -> None:
    other = connect(dbname=name)
    with psycopg.ClientCursor(other) as cursor:
        cursor.execute("SELECT %s, %s, %s", ["session-key", r"back\slash ' secret", "session-key" * 300])

    for output in (run(), run("-v2"), run("--json")):
        assert "session-key" not in output
        assert "secret" not in output
        assert "SELECT '…'" in output


def test_blocking_sessions_are_shown(name: str, connect: Connect, server: Server) -> None:
    first, second = connect(dbname=name), connect(dbname=name)
    first.execute("CREATE TABLE mine (a int)")
    first.execute("BEGIN; LOCK TABLE mine")
    waits = Thread(target=second.execute, args=["SELECT * FROM mine"])
    waits.start()
    try:
        waiting_session(server)

        sessions = {each["pid"]: each for each in listed()}
        table = run()
    finally:
        first.execute("ROLLBACK")
        waits.join()

    assert sessions[first.info.backend_pid]["state"] == "idle in transaction"
    assert sessions[second.info.backend_pid]["state"] == "active"
    assert sessions[second.info.backend_pid]["query"] == "SELECT * FROM mine"
    assert sessions[second.info.backend_pid]["waits_for"] == [first.info.backend_pid]
    assert "waits for" in table


def test_another_database_can_be_asked_for(name: str, new_database: NewName, connect: Connect) -> None:
    other = new_database()
    pid = connect(dbname=other).info.backend_pid
    connect(dbname=name)

    assert [each["pid"] for each in listed("--database", other)] == [pid]


def test_all_databases_can_be_asked_for(name: str, new_database: NewName, connect: Connect) -> None:
    other = new_database()
    pids = {connect(dbname=each).info.backend_pid for each in (name, other)}

    assert pids <= {each["pid"] for each in listed("--all")}
    assert {name, other} <= {each["database"] for each in listed("--all")}
    assert other in run("--all")


def test_background_processes_of_postgres_are_not_listed(name: str) -> None:
    assert {each["role"] for each in listed("--all")} == {connection.settings_dict["USER"]}


def test_missing_database_lists_existing_ones(name: str, new_name: NewName) -> None:
    with pytest.raises(CommandError, match=f"only: .*{name}"):
        run("--database", new_name())


@pytest.mark.parametrize("arguments", [["--all", "--kill", "1"], ["--all", "--database", "x"], ["--kill", "x"]])
def test_mutually_exclusive_options_are_a_usage_error(arguments: list[str]) -> None:
    with pytest.raises(CommandError, match=r"not allowed with|invalid int value"):
        run(*arguments)


def test_it_ends_a_session_and_says_whose_it_was(name: str, connect: Connect) -> None:
    other = connect(dbname=name, application_name="cruddur ddb_stream")
    stays = connect(dbname=name)
    pid, role = other.info.backend_pid, connection.settings_dict["USER"]

    last = run("--kill", str(pid)).splitlines()[-1]

    assert last.startswith(f"Ended session {pid} in the database {name}: cruddur ddb_stream as {role} from 127.0.0.1")
    assert stays.execute("SELECT 1").fetchone() == (1,)
    with pytest.raises(psycopg.errors.AdminShutdown):
        other.execute("SELECT 1")


def test_programs_learn_what_was_ended(name: str, connect: Connect) -> None:
    other = connect(dbname=name)

    ended = json.loads(run("--kill", str(other.info.backend_pid), "--json"))

    assert (ended["pid"], ended["database"]) == (other.info.backend_pid, name)


def test_a_pid_that_no_session_has_is_refused(name: str, connect: Connect, server: Server) -> None:
    gone = connect(dbname=name)
    pid = gone.info.backend_pid
    run("--kill", str(pid))
    row = server.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'").fetchone()
    assert row

    for each in (pid, *row):
        with pytest.raises(CommandError, match=f"There is no session {each}") as caught:
            run("--kill", str(each))
        assert caught.value.returncode == 1


def test_own_session_cannot_be_ended(name: str) -> None:
    with connected(name) as server, pytest.raises(Problem, match="own session"):
        end_session(server, server.connection.info.backend_pid)


def test_a_role_sees_that_others_are_there_and_may_not_end_them(
    name: str, connect: Connect, settings_database: SettingsDatabase, weak_role: str
) -> None:
    other = connect(dbname=name, application_name="cruddur web")
    other.execute("SELECT 42")
    settings_database(USER=weak_role, PASSWORD=PASSWORD)

    (session,) = listed()

    assert (session["pid"], session["program"]) == (other.info.backend_pid, "cruddur web")
    assert (session["query"], session["state"], session["address"]) == (None, None, None)
    assert "hidden from this role" in run()
    with pytest.raises(CommandError, match="only that role, a superuser or a member of pg_signal_backend"):
        run("--kill", str(other.info.backend_pid))
    assert other.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.slow
def test_commands_and_the_web_server_can_be_told_apart(name: str) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "PGAPPNAME"}
    show = (
        "from django.db import connection as c; u = c.cursor(); u.execute('SHOW application_name'); print(u.fetchone())"
    )
    web = "import cruddur.asgi; " + show

    answers = [
        subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env=each, capture_output=True, text=True, check=True, timeout=60
        ).stdout.splitlines()[-1]
        for arguments, each in (
            (["manage.py", "shell", "-v0", "-c", show], environment),
            (["-c", web], environment),
            (["-c", web], {**environment, "PGAPPNAME": "mine"}),
        )
    ]

    assert answers == ["('cruddur shell',)", "('cruddur web',)", "('mine',)"]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.2, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "59 min"), (7200, "2 h"), (90_000, "1 d"), (-5, "0 s")],
)
def test_a_time_is_told_in_its_largest_unit(seconds: float, shown: str) -> None:
    now = datetime(2026, 11, 21, tzinfo=UTC)

    assert lasting(now - timedelta(seconds=seconds), now) == shown
