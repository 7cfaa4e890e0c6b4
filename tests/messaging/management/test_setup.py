"""setup: everything, in order, however often it was begun."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection
from psycopg.sql import SQL, Identifier
from pytest_django.fixtures import Settings

from messaging.dynamodb.schema import describe, load_schema
from messaging.dynamodb.table import MessageTable
from messaging.operations.seeding import seed_conversations
from users.models import MOCK, User

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).parents[3]
NAMES = ["database", "tables", "table", "people", "cognito", "conversations"]


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("setup", *arguments, stdout=out, stderr=StringIO(), no_color=True, skip_checks=True)
    return out.getvalue()


def steps(*arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run(*arguments, "--json").splitlines()]


def outcomes(*arguments: str) -> dict[str, str]:
    return {step["step"]: step["outcome"] for step in steps(*arguments)}


def test_setup_runs_all_steps_in_order(table: MessageTable) -> None:
    table.client.delete_table(TableName=table.name)

    assert outcomes() == dict.fromkeys(NAMES, "done")

    assert describe(table) is not None
    assert User.objects.exclude(cognito_user_id=MOCK).count() == 34
    assert len(list(table.conversations())) == len(seed_conversations())


def test_repeated_setup_finds_everything_done(table: MessageTable) -> None:
    run()
    before = list(table.conversations())

    sentences = {step["step"]: step["sentence"] for step in steps()}

    assert sentences["database"] == f"Database {connection.settings_dict['NAME']} exists."
    assert sentences["tables"].startswith("0 migrations applied")
    assert sentences["people"] == "0 people created, 34 were there already."
    assert sentences["cognito"].startswith("0 people tied")
    assert sentences["conversations"].startswith("0 conversations")
    assert sorted(each.group_uuid for each in table.conversations()) == sorted(each.group_uuid for each in before)


def test_its_first_line_names_endpoint_table_and_database(table: MessageTable) -> None:
    first = run("--only", "database").splitlines()[0]

    assert str(django_settings.DYNAMODB_ENDPOINT_URL) in first
    assert table.name in first
    assert f"database {connection.settings_dict['NAME']} on 127.0.0.1" in first
    assert connection.settings_dict["PASSWORD"] not in first


def test_it_shows_what_each_step_did_and_how_long_it_took(table: MessageTable) -> None:
    lines = run("--only", "people", "--only", "table").splitlines()[1:]

    assert [line.split()[0] for line in lines] == ["table", "people", "Done:"]
    assert lines[0].split(" s  ")[1] == f"Table {table.name} is as it should be."
    assert lines[1].split(" s  ")[1] == "34 people created, 0 were there already."
    assert lines[2] == "Done: table, people."


def test_output_lines_stay_short(table: MessageTable) -> None:
    assert all(len(line) <= 96 for line in run().splitlines()[1:])


def test_told_to_say_more_it_shows_every_line_of_the_steps(table: MessageTable) -> None:
    assert f"      Table {table.name} exists\n" in run("--only", "table", "-v2")


def test_quiet_says_nothing(table: MessageTable) -> None:
    assert run("-v0") == ""
    assert User.objects.count() == 34


def test_seed_can_be_skipped(table: MessageTable) -> None:
    assert outcomes("--no-seed") == {
        **dict.fromkeys(NAMES[:3], "done"),
        **dict.fromkeys(NAMES[3:], "left out"),
    }
    assert not User.objects.exists()
    assert run("--no-seed").splitlines()[-1].startswith("Set up, without people, cognito, conversations.")


def test_seed_is_skipped_in_production(table: MessageTable, settings: Settings) -> None:
    settings.PRODUCTION = True

    left_out = {step["step"]: step["sentence"] for step in steps() if step["outcome"] == "left out"}

    assert left_out == dict.fromkeys(NAMES[3:], "Left out, this is production.")
    assert not User.objects.exists()


def test_seed_is_skipped_with_a_remote_database(table: MessageTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        connection.settings_dict, "HOST", "127.1"
    )  # the same server by a name that is not this machine's

    left_out = {step["step"]: step["sentence"] for step in steps() if step["outcome"] == "left out"}

    assert left_out == dict.fromkeys(NAMES[3:], "Left out, the database is not on this machine.")


def test_seed_is_skipped_with_a_remote_table(moto_table: MessageTable) -> None:
    left_out = {step["step"]: step["sentence"] for step in steps() if step["outcome"] == "left out"}

    assert left_out == dict.fromkeys(NAMES[3:], "Left out, the table is not on this machine.")


def test_remote_user_pool_is_left_alone(table: MessageTable, settings: Settings) -> None:
    settings.COGNITO_ENDPOINT_URL = None

    assert outcomes() == {**dict.fromkeys(NAMES, "done"), "cognito": "left out"}


@pytest.mark.parametrize(("step", "command"), [("people", "db_seed"), ("conversations", "ddb_seed")])
def test_a_step_that_is_asked_for_meets_the_command_s_own_guard(
    table: MessageTable, settings: Settings, step: str, command: str
) -> None:
    settings.PRODUCTION = True

    with pytest.raises(CommandError, match=f"The step {step} failed .*{command}.* This is production.* --confirm"):
        run("--only", step)
    assert not User.objects.exists()
    assert not list(table.conversations())


def test_failed_step_is_named_and_ends_setup(table: MessageTable) -> None:
    User.objects.create_user(handle="bayk0", display_name="B")
    out = StringIO()

    with pytest.raises(CommandError) as caught:
        call_command("setup", "--json", stdout=out, stderr=StringIO())

    assert caught.value.returncode == 1
    assert str(caught.value).startswith("The step people failed (`manage.py db_seed`). Nobody was seeded")
    assert str(caught.value).endswith("Then run setup again, or `manage.py setup --only people`.")
    assert [json.loads(line)["outcome"] for line in out.getvalue().splitlines()] == ["done", "done", "done", "failed"]


@pytest.mark.parametrize("arguments", [["--only", "everything"], ["--only", "people", "--no-seed"]])
def test_nonsense_options_are_a_usage_error(arguments: list[str]) -> None:
    with pytest.raises(CommandError, match=r"invalid choice|leave --no-seed out"):
        run(*arguments)


# --- From nothing, in processes of their own --------------------------------------------------------------------------


@pytest.fixture
def fresh(table: MessageTable) -> Iterator[dict[str, str]]:
    """Return the environment of a stack whose database and table do not exist."""
    table.client.delete_table(TableName=table.name)
    values = connection.settings_dict
    name = f"cruddur_test_{uuid4().hex[:12]}"
    server = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/".format(**values)
    yield {**os.environ, "DATABASE_URL": server + name, "DDB_MESSAGE_TABLE": table.name}
    with psycopg.connect(f"{server}postgres", autocommit=True) as maintenance:
        maintenance.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name)))
    if describe(table) is None:  # the fixture deletes it
        list(load_schema(table, sleep=lambda _: None))


Begin = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def begin(fresh: dict[str, str]) -> Iterator[Begin]:
    begun = []

    def begin() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-u", "manage.py", "setup"],
            cwd=ROOT, env=fresh, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        begun.append(process)
        return process

    yield begin
    for process in begun:
        process.kill()
        process.communicate()


def wait_for(process: subprocess.Popen[str], step: str) -> None:
    """Return once it has told of this step."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(f"  {step} "):
            return
    pytest.fail(f"never came to {step}")


@pytest.mark.slow
@pytest.mark.parametrize("step", ["database", "table", "cognito"])
def test_killed_after_any_step_it_is_completed_by_running_it_again(
    begin: Begin, fresh: dict[str, str], table: MessageTable, step: str
) -> None:
    killed = begin()
    wait_for(killed, step)
    killed.send_signal(signal.SIGKILL)
    killed.wait()

    again = begin()
    output, errors = again.communicate(timeout=120)

    assert again.returncode == 0, errors
    assert output.endswith("Set up.\n")
    with psycopg.connect(fresh["DATABASE_URL"]) as database:
        assert database.execute("SELECT count(*) FROM users_user WHERE cognito_user_id <> 'MOCK'").fetchone() == (34,)
    assert len(list(table.conversations())) == len(seed_conversations())


@pytest.mark.slow
def test_ctrl_c_ends_it_with_a_sentence(begin: Begin) -> None:
    process = begin()
    wait_for(process, "database")

    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)

    assert process.returncode == 130
    assert "Stopped." in errors
    assert "Traceback" not in errors
