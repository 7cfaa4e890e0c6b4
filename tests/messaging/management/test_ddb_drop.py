"""ddb_drop on the emulator: what it deletes, what it refuses, and what stays."""

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

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from messaging.dynamodb import connection
from messaging.dynamodb.client import patient
from messaging.dynamodb.schema import describe, load_schema, stream_arn
from messaging.dynamodb.table import MessageTable
from messaging.dynamodb.tables import NotGone, delete, table_to_drop, wait_until_gone
from messaging.models import StreamCheckpoint
from messaging.stream.checkpoints import PostgresCheckpoints
from tests.messaging.command_runs import run, run_json
from tests.messaging.faults import answer, fault
from tests.messaging.talk import start

COMMAND = "ddb_drop"
ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.django_db


def exists(table: MessageTable) -> bool:
    return describe(MessageTable(patient(table.client), table.name)) is not None


@pytest.fixture
def doomed(table: MessageTable) -> Any:
    """Create a second table of the model; drop it at the end if it still exists."""
    doomed = MessageTable(table.client, f"{table.name}-2")
    list(load_schema(doomed, sleep=lambda _: None))
    yield doomed
    delete(table.client, doomed.name)


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> MessageTable:
    """Return the application's table, whose client the command shares, so that injected faults reach it."""
    monkeypatch.setattr("messaging.management.commands.ddb_drop.patient", lambda client: client)
    return connection.message_table()


def manage(*arguments: str, stdin: int | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", COMMAND, *arguments], cwd=ROOT, capture_output=True, text=True, check=False,
        timeout=60, stdin=subprocess.DEVNULL if stdin is None else stdin, env=os.environ | environment,
    )  # fmt: skip


# --- What it does -----------------------------------------------------------------------------------------------------


def test_it_drops_the_table_and_says_what_it_was(doomed: MessageTable) -> None:
    start()

    out, _ = run(COMMAND, doomed.name, "--yes")

    first, last = out.splitlines()
    assert first.startswith("DynamoDB http://127.0.0.1")
    assert last == (
        f"Dropped {doomed.name}: about 0 items (0 B), the indexes inbox-index, message-group-sk-index, "
        "a stream of new and old images."
    )
    assert not exists(doomed)


def test_programs_get_one_object(doomed: MessageTable) -> None:
    doomed.client.put_item(TableName=doomed.name, Item={"pk": {"S": "x"}, "sk": {"S": "y"}})

    (facts,) = run_json(COMMAND, doomed.name, "--yes")

    assert facts.pop("size_bytes") > 0
    assert facts == {
        "table": doomed.name, "items": 1, "indexes": ["inbox-index", "message-group-sk-index"],
        "stream": "NEW_AND_OLD_IMAGES", "checkpoints": 0,
    }  # fmt: skip


def test_quiet_says_nothing(doomed: MessageTable) -> None:
    assert run(COMMAND, doomed.name, "--yes", "-v0") == ("", "")
    assert not exists(doomed)


def test_drop_spares_tables_with_similar_names(table: MessageTable, doomed: MessageTable) -> None:
    assert table.name in doomed.name

    with pytest.raises(CommandError, match="There is no table"):
        run(COMMAND, table.name[:-1], "--yes")
    run(COMMAND, doomed.name, "--yes")

    assert exists(table)
    assert not exists(doomed)


def test_checkpoints_are_deleted_with_the_table(table: MessageTable, doomed: MessageTable) -> None:
    kept, earlier = stream_arn(table), stream_arn(doomed).rpartition("/")[0] + "/2023-01-01T00:00:00.000"
    for arn in (kept, earlier, stream_arn(doomed)):
        PostgresCheckpoints(arn).save("shard-1", "7")

    (facts,) = run_json(COMMAND, doomed.name, "--yes")

    assert facts["checkpoints"] == 2
    assert [each.stream_arn for each in StreamCheckpoint.objects.all()] == [kept]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_it_drops_the_table_without_postgres_and_says_what_stays(doomed: MessageTable) -> None:
    dropped = manage(doomed.name, "--yes", "--json", DATABASE_URL="postgres://nobody:secret@127.0.0.1:9/none")

    assert dropped.returncode == 0, dropped.stderr
    assert json.loads(dropped.stdout)["checkpoints"] is None
    assert "The checkpoints of its stream stay in Postgres" in dropped.stderr
    assert "The database does not answer" in dropped.stderr
    assert "secret" not in dropped.stderr
    assert not exists(doomed)


# --- Confirmation -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_name_is_needed() -> None:
    refused = manage("--yes")

    assert refused.returncode == 2
    assert "the following arguments are required: TABLE" in refused.stderr


def test_nothing_is_dropped_unasked(doomed: MessageTable) -> None:
    with pytest.raises(CommandError, match="Programs add --yes") as caught:
        run(COMMAND, doomed.name)

    assert caught.value.returncode == 1
    assert exists(doomed)


@pytest.mark.slow
@pytest.mark.parametrize(("typed", "code"), [("{}", 0), ("yes", 1)])
def test_a_person_types_the_name(doomed: MessageTable, typed: str, code: int) -> None:
    ours, theirs = pty.openpty()
    os.write(ours, f"{typed.format(doomed.name)}\n".encode())

    dropped = manage(doomed.name, stdin=theirs)
    os.close(ours)
    os.close(theirs)

    assert dropped.returncode == code, dropped.stderr
    assert f"the table {doomed.name} and everything in it, about 0 items (0 B), for ever" in dropped.stderr
    assert exists(doomed) is bool(code)


def test_off_this_machine_the_name_is_needed_twice(moto_table: MessageTable) -> None:
    with pytest.raises(CommandError, match=f"add --confirm {moto_table.name}"):
        run(COMMAND, moto_table.name, "--yes")
    with pytest.raises(CommandError, match="nothing was dropped"):
        run(COMMAND, moto_table.name, "--yes", "--confirm", moto_table.name[:-1])
    assert exists(moto_table)

    run(COMMAND, moto_table.name, "--yes", "--confirm", moto_table.name)

    assert not exists(moto_table)


@pytest.mark.parametrize("ending", ["prod", "nonprod", "production"])
def test_production_is_a_matter_of_the_settings_and_of_no_part_of_a_name(
    doomed: MessageTable, settings: Settings, ending: str
) -> None:
    name = f"{doomed.name}-{ending}"
    list(load_schema(MessageTable(doomed.client, name), sleep=lambda _: None))
    run(COMMAND, name, "--yes")

    settings.PRODUCTION = True

    with pytest.raises(CommandError, match=f"add --confirm {doomed.name}"):
        run(COMMAND, doomed.name, "--yes")
    assert exists(doomed)


@pytest.mark.parametrize("production", [True, False])
def test_deletion_protection_cannot_be_overridden(doomed: MessageTable, settings: Settings, production: bool) -> None:
    settings.PRODUCTION = production
    doomed.client.update_table(TableName=doomed.name, DeletionProtectionEnabled=True)

    try:
        with pytest.raises(CommandError, match="has deletion protection: nothing was dropped") as caught:
            run(COMMAND, doomed.name, "--yes", "--confirm", doomed.name)
        assert exists(doomed)
    finally:
        doomed.client.update_table(TableName=doomed.name, DeletionProtectionEnabled=False)

    assert caught.value.returncode == 1
    assert f"aws dynamodb update-table --no-deletion-protection-enabled --table-name {doomed.name}" in str(caught.value)
    assert "console" in str(caught.value)


# --- What can go wrong ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["nothing-here", "no such name", "x", "arn:aws:dynamodb:us-east-1:1:table/x", "*"])
def test_unknown_name_lists_existing_tables(table: MessageTable, name: str) -> None:
    with pytest.raises(CommandError) as caught:
        run(COMMAND, name, "--yes")

    assert caught.value.returncode == 1
    assert str(caught.value).startswith(f"There is no table {name}. There are: ")
    assert table.name in str(caught.value)


def test_without_any_table_it_says_so(moto_table: MessageTable) -> None:
    moto_table.client.delete_table(TableName=moto_table.name)

    with pytest.raises(CommandError, match=r"There is no table x-1\. There is none at all\."):
        run(COMMAND, "x-1", "--yes")


def interrupt() -> Any:
    raise KeyboardInterrupt


def described(table: MessageTable, status: str) -> Callable[[], Any]:
    """Return an answer of DescribeTable."""
    facts = {"TableName": table.name, "TableArn": f"arn:aws:dynamodb:x:0:table/{table.name}", "TableStatus": status}
    return answer("", 200, Table=facts)


def test_ctrl_c_while_it_waits_says_that_the_table_goes_all_the_same(
    doomed: MessageTable, reached: MessageTable
) -> None:
    err = StringIO()

    with (
        fault(reached, "DescribeTable", described(doomed, "ACTIVE"), interrupt),
        pytest.raises(SystemExit) as caught,
    ):
        call_command(COMMAND, doomed.name, "--yes", stdout=StringIO(), stderr=err, skip_checks=True)

    assert caught.value.code == 130
    assert f"DynamoDB deletes {doomed.name} all the same" in err.getvalue()
    assert not exists(doomed)


def test_a_table_that_is_being_deleted_is_waited_for_unasked(doomed: MessageTable, reached: MessageTable) -> None:
    with fault(reached, "DescribeTable", described(doomed, "DELETING")):
        delete(doomed.client, doomed.name)
        out, _ = run(COMMAND, doomed.name)

    assert f"Table {doomed.name} is being deleted already." in out
    assert "Dropped" in out


def test_it_waits_until_the_table_is_gone_though_dynamodb_fails_meanwhile(moto_table: MessageTable) -> None:
    waits: list[float] = []
    deleting, failing = described(moto_table, "DELETING"), answer("InternalServerError", 500)
    delete(moto_table.client, moto_table.name)

    with fault(moto_table, "DescribeTable", deleting, failing, failing, deleting) as sent:
        wait_until_gone(moto_table.client, moto_table.name, sleep=waits.append)

    assert len(waits) == 3
    assert len(sent) == 5


def test_waiting_has_a_time_limit(moto_table: MessageTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messaging.dynamodb.tables.WAIT_SECONDS", 5)
    waits: list[float] = []

    with pytest.raises(NotGone, match="still there after 5 seconds"):
        wait_until_gone(moto_table.client, moto_table.name, sleep=waits.append)

    assert sum(waits) == 5


def test_a_table_that_somebody_else_has_deleted_meanwhile_is_deleted(moto_table: MessageTable) -> None:
    table_to_drop(moto_table.client, moto_table.name)
    delete(moto_table.client, moto_table.name)

    delete(moto_table.client, moto_table.name)


def test_a_table_that_is_being_changed_is_left_alone(doomed: MessageTable, reached: MessageTable) -> None:
    with (
        fault(reached, "DeleteTable", answer("ResourceInUseException")),
        pytest.raises(CommandError, match="being changed at this moment: run this again"),
    ):
        run(COMMAND, doomed.name, "--yes")

    assert exists(doomed)
