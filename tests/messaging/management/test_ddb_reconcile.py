"""ddb_reconcile: what it says, to people and to programs, with which exit code, and how it goes on when stopped."""

from __future__ import annotations

import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from messaging.domain.entities import pair_group_uuid
from messaging.dynamodb import connection
from messaging.dynamodb.codec import number
from messaging.dynamodb.keys import conversation_key, entry_key
from messaging.dynamodb.table import MessageTable
from messaging.operations.consistency.snapshot_reader import parse_cursor
from tests.messaging.command_runs import run, run_json
from tests.messaging.talk import drain, send, start
from users.models import User

COMMAND = "ddb_reconcile"
ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messaging.operations.consistency.reconcile.SETTLE_SECONDS", 0.0)


@pytest.fixture
def group(table: MessageTable, andrew: User, bayko: User) -> UUID:
    """Create a consistent conversation of two messages."""
    start(by=andrew.uuid, to=bayko.uuid)
    group = pair_group_uuid(andrew.uuid, bayko.uuid)
    send(by=bayko.uuid, group=group)
    drain(table)
    return group


def put(table: MessageTable, key: dict[str, dict[str, str]], **attributes: dict[str, str]) -> None:
    item = table.client.get_item(TableName=table.name, Key=key, ConsistentRead=True).get("Item", {})
    table.client.put_item(TableName=table.name, Item={**key, **item, **attributes})


def spoil(table: MessageTable, group: UUID, bayko: User) -> None:
    """Break two items in ways that can be repaired."""
    put(table, conversation_key(group), seq=number(7))
    put(table, entry_key(bayko.uuid, group), version=number(40))


def malform(table: MessageTable) -> None:
    put(table, {"pk": {"S": "CONFIG\x1b[2J"}, "sk": {"S": "v1"}})


# --- What it says -----------------------------------------------------------------------------------------------------


def test_consistent_table_is_reported(group: UUID) -> None:
    out, err = run(COMMAND)

    assert out.splitlines()[-1].startswith("Compared 1 conversation, 2 messages and 2 entries for ")
    assert out.splitlines()[-1].endswith(": all is well.")
    assert err == ""


def test_repairs_are_reported(table: MessageTable, group: UUID, bayko: User) -> None:
    spoil(table, group, bayko)

    out, _ = run(COMMAND)

    lines = out.splitlines()[1:]
    assert lines[0].startswith(f"MSG#{group} #CONVERSATION: it does not agree with its 2 messages in seq")
    assert lines[0].endswith("Rebuilt from its messages.")
    assert lines[-1].endswith(": 1 thing was wrong and repaired.")
    assert "all is well" in run(COMMAND)[0]


def test_a_dry_run_repairs_nothing_and_is_exit_code_1(table: MessageTable, group: UUID, bayko: User) -> None:
    spoil(table, group, bayko)

    for _ in range(2):
        with pytest.raises(CommandError, match=r"1 thing is wrong; nothing was changed\.") as caught:
            run(COMMAND, "--dry-run")
        assert caught.value.returncode == 1


def test_unrepairable_finding_is_exit_code_1_and_printable(table: MessageTable, group: UUID) -> None:
    malform(table)
    out = StringIO()

    with pytest.raises(CommandError, match=r"1 thing was wrong, 0 repaired and 1 not\.") as caught:
        run(COMMAND, out=out)

    assert caught.value.returncode == 1
    assert "CONFIG\\x1b[2J v1: its keys are those of no item. Not repaired: put it right by hand" in out.getvalue()
    assert "\x1b" not in out.getvalue()


def test_programs_get_an_object_for_each_thing_and_a_summary(table: MessageTable, group: UUID, bayko: User) -> None:
    spoil(table, group, bayko)

    found, summary = run_json(COMMAND)

    assert found["kind"] == "conversation-differs"
    assert (found["pk"], found["sk"]) == (f"MSG#{group}", "#CONVERSATION")
    assert (found["repaired"], found["obstacle"]) == (True, "")
    assert summary["kind"] == "summary"
    assert summary["found"] == {"conversation-differs": 1}
    assert (summary["repaired"], summary["not_repaired"], summary["dry_run"]) == (1, 0, False)
    assert (summary["conversations"], summary["messages"], summary["entries"]) == (1, 2, 2)


def test_programs_get_the_summary_also_when_something_is_left(table: MessageTable, group: UUID) -> None:
    malform(table)
    out = StringIO()

    with pytest.raises(CommandError):
        call_command(COMMAND, "--json", stdout=out, stderr=StringIO(), skip_checks=True)

    assert [line[:22] for line in out.getvalue().splitlines()] == ['{"kind": "malformed", ', '{"kind": "summary", "d']


def test_quiet_says_nothing(table: MessageTable, group: UUID, bayko: User) -> None:
    spoil(table, group, bayko)

    assert run(COMMAND, "-v0") == ("", "")


def test_no_text_of_a_message_is_said(table: MessageTable, group: UUID, bayko: User) -> None:
    put(table, conversation_key(group), message={"S": "secret-1"})
    put(table, entry_key(bayko.uuid, group), message={"S": "secret-2"}, version=number(1))

    out, err = run(COMMAND, "-v2")

    assert "repaired" in out
    assert "secret" not in out + err


# --- What it is told --------------------------------------------------------------------------------------------------


def test_strays_are_deleted_only_if_told(table: MessageTable, group: UUID, londo: User, bayko: User) -> None:
    entry = table.client.get_item(TableName=table.name, Key=entry_key(bayko.uuid, group))["Item"]
    stray = entry_key(londo.uuid, group)
    table.client.put_item(TableName=table.name, Item={**entry, **stray})

    with pytest.raises(CommandError):
        run(COMMAND)
    assert "Item" in table.client.get_item(TableName=table.name, Key=stray)

    assert "Deleted." in run(COMMAND, "--delete-strays")[0]
    assert "Item" not in table.client.get_item(TableName=table.name, Key=stray)


def test_one_user_can_be_selected(table: MessageTable, group: UUID, bayko: User, londo: User) -> None:
    start(by=londo.uuid, to=bayko.uuid)
    spoil(table, group, bayko)

    assert "1 conversation, 1 message and 1 entry for" in run(COMMAND, "--user", "@LONDO")[0]
    assert "repaired" in run(COMMAND, "--user", "andrewbrown")[0]


def test_unknown_handle_is_reported(table: MessageTable) -> None:
    with pytest.raises(CommandError, match="Nobody is called @nobody"):
        run(COMMAND, "--user", "nobody")


def test_one_conversation_can_be_selected(table: MessageTable, group: UUID, bayko: User) -> None:
    spoil(table, group, bayko)

    assert "repaired" in run(COMMAND, "--group", str(group))[0]
    assert "1 conversation, 2 messages and 2 entries" in run(COMMAND, "--group", str(group))[0]


def test_missing_conversation_is_reported(table: MessageTable) -> None:
    with pytest.raises(CommandError, match="There is no conversation") as caught:
        run(COMMAND, "--group", str(uuid4()))
    assert caught.value.returncode == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ("--group", "no uuid"),
        ("--user", "londo", "--group", str(uuid4())),
        ("--group", str(uuid4()), "--from", "0/1"),
        ("--from", "MSG#1"),
    ],
)
def test_invalid_argument_is_exit_code_2(table: MessageTable, arguments: tuple[str, ...]) -> None:
    command = subprocess.run(
        [sys.executable, "manage.py", COMMAND, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert command.returncode == 2
    assert "Traceback" not in command.stderr


def test_without_a_table_it_says_what_to_do(table: MessageTable, settings: Settings) -> None:
    settings.DDB_MESSAGE_TABLE = "no-such-table"
    connection.forget()

    with pytest.raises(CommandError, match="ddb_schema_load"):
        run(COMMAND)


# --- Interruption -----------------------------------------------------------------------------------------------------


def test_when_it_ends_early_it_says_where_to_go_on(
    table: MessageTable, group: UUID, bayko: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages of two items; Ctrl-C in the third one."""
    put(table, entry_key(bayko.uuid, group), message={"S": "?"})
    monkeypatch.setattr("messaging.management.commands.ddb_reconcile.patient", lambda client, **_: client)
    pages = 0

    def limit(params: dict[str, Any], **_: Any) -> None:
        nonlocal pages
        pages += 1
        params["Limit"] = 2
        if pages == 3:
            raise KeyboardInterrupt

    table.client.meta.events.register("provide-client-params.dynamodb.Scan", limit)
    out, err = StringIO(), StringIO()

    with pytest.raises(SystemExit) as caught:
        call_command(COMMAND, stdout=out, stderr=err, skip_checks=True, no_color=True)

    assert caught.value.code == 130
    said = err.getvalue()
    assert "Stopped. What was repaired stays repaired" in said
    cursor = said.partition("--from '")[2].partition("'")[0]
    assert parse_cursor(cursor).pk
    assert run(COMMAND, "--from", cursor)[0].splitlines()[-1].endswith(("all is well.", "wrong and repaired."))
    assert "all is well" in run(COMMAND)[0]
