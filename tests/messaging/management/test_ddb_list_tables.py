"""ddb_list_tables: every table there is, on every page, and which is the application's."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError
from pytest_django.fixtures import Settings

from messaging.dynamodb import connection
from messaging.dynamodb.client import Unavailable
from messaging.dynamodb.table import MessageTable
from messaging.dynamodb.tables import list_tables, table_names
from tests.messaging.command_runs import Terminal, run, run_json
from tests.messaging.faults import answer, fault
from tests.messaging.talk import start

COMMAND = "ddb_list_tables"
INDEXES = ["inbox-index", "message-group-sk-index"]


def create(table: MessageTable, name: str, **how: Any) -> None:
    table.client.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        **({"BillingMode": "PAY_PER_REQUEST"} | how),
    )


@pytest.fixture
def other(table: MessageTable) -> Iterator[str]:
    """Create another table on the emulator: on demand, without index or stream, protected from deletion."""
    name = f"another-{uuid.uuid4().hex[:8]}"
    create(table, name, DeletionProtectionEnabled=True)
    yield name
    table.client.update_table(TableName=name, DeletionProtectionEnabled=False)
    table.client.delete_table(TableName=name)


def row_of(name: str) -> dict[str, Any]:
    (row,) = [row for row in run_json(COMMAND) if row["name"] == name]
    return row


def test_programs_get_everything_of_each(table: MessageTable, other: str) -> None:
    start()

    own = row_of(table.name)

    assert own.pop("arn").endswith(f":table/{table.name}")
    assert own.pop("size_bytes") > 0
    assert own == {
        "application": True, "name": table.name, "status": "ACTIVE", "items": 4, "provisioned": {"read": 5, "write": 5},
        "indexes": INDEXES, "stream": "NEW_AND_OLD_IMAGES", "deletion_protection": False,
    }  # fmt: skip
    another = row_of(other)
    assert (another["application"], another["provisioned"], another["indexes"]) == (False, None, [])
    assert (another["stream"], another["deletion_protection"]) == (None, True)


def test_in_a_pipe_each_is_one_line(table: MessageTable, other: str) -> None:
    out, _ = run(COMMAND)

    first, heading, *rows, last = out.splitlines()
    assert table.name in first
    assert heading.split() == ["table", "status", "items", "size", "billing", "indexes", "stream", "protected"]
    (own,) = [row for row in rows if table.name in row]
    assert re.split(r"\s{2,}", own) == [
        "*", table.name, "active", "0", "0 B", "5 read, 5 write", ", ".join(INDEXES), "new and old images", "no",
    ]  # fmt: skip
    (another,) = [row for row in rows if other in row]
    assert re.split(r"\s{2,}", another) == ["", other, "active", "0", "0 B", "per request", "yes"]
    assert last == f"{len(rows)} tables; * is the application's."


@pytest.mark.parametrize("columns", ["60", "80", "140"])
def test_on_a_terminal_it_keeps_to_the_width(
    moto_table: MessageTable, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)

    out, _ = run(COMMAND, "-v0", out=Terminal())

    assert max(map(len, out.splitlines())) <= int(columns)
    assert moto_table.name in out
    assert "message-group-sk-index" in out
    assert "protected" in out


def test_on_a_narrow_terminal_it_still_says_what_is_protected(
    moto_table: MessageTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Where no other test has tables, whose names would change the widths.
    create(moto_table, "another", DeletionProtectionEnabled=True)
    monkeypatch.setenv("COLUMNS", "100")

    assert "protected" in run(COMMAND, "-v0", out=Terminal())[0]


def test_quiet_leaves_the_table(moto_table: MessageTable) -> None:
    out, err = run(COMMAND, "-v0")

    assert len(out.splitlines()) == 2
    assert err == ""


def test_tables_of_all_pages_are_listed(moto_table: MessageTable) -> None:
    # A page of ListTables is 100 tables.
    names = [f"table-{number:03}" for number in range(230)]
    for name in names:
        create(moto_table, name)

    listed = [row["name"] for row in run_json(COMMAND)]

    assert listed == [moto_table.name, *names]


def test_a_table_that_vanishes_meanwhile_is_left_out(moto_table: MessageTable) -> None:
    create(moto_table, "another")
    first, second = table_names(moto_table.client)

    with fault(moto_table, "DescribeTable", answer("ResourceNotFoundException")):
        listed = [table.name for table in list_tables(moto_table.client)]

    assert first not in listed
    assert listed == [second]


def test_without_the_applications_table_it_says_how_to_make_it(moto_table: MessageTable, settings: Settings) -> None:
    settings.DDB_MESSAGE_TABLE = "not-yet"
    connection.forget()

    out, _ = run(COMMAND)

    assert "1 table; the application's, not-yet, is not there: run `manage.py ddb_schema_load`." in out
    assert "*" not in out


def test_part_of_the_name_does_not_make_it_the_applications(moto_table: MessageTable, settings: Settings) -> None:
    settings.DDB_MESSAGE_TABLE = "prod"
    connection.forget()
    create(moto_table, "prod")
    create(moto_table, "nonprod")

    assert [row["name"] for row in run_json(COMMAND) if row["application"]] == ["prod"]


def test_where_there_is_no_table_it_says_so(moto_table: MessageTable) -> None:
    moto_table.client.delete_table(TableName=moto_table.name)

    out, _ = run(COMMAND)

    assert out.splitlines()[-1].startswith("0 tables; ")


def test_a_page_that_does_not_come_is_unavailable(moto_table: MessageTable) -> None:
    throttled = answer("ThrottlingException")

    with fault(moto_table, "ListTables", throttled, throttled), pytest.raises(Unavailable):
        list(table_names(moto_table.client))


def test_refusal_of_aws_is_one_sentence(moto_table: MessageTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messaging.management.commands.ddb_list_tables.patient", lambda client: client)

    with (
        fault(moto_table, "ListTables", answer("AccessDeniedException")),
        pytest.raises(CommandError, match="the credentials lack the permission") as caught,
    ):
        run(COMMAND)
    assert caught.value.returncode == 1
