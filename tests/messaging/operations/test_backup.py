"""The rehearsal of docs/operations.md: the table is lost, comes back, and everybody finds everything as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from messaging.domain.entities import pair_group_uuid
from messaging.dynamodb import connection
from messaging.dynamodb.client import ServiceError, error_code
from messaging.dynamodb.schema import describe, stream_arn
from messaging.dynamodb.table import MessageTable
from messaging.dynamodb.tables import delete
from messaging.stream.checkpoints import PostgresCheckpoints
from messaging.stream.consumer import StreamConsumer
from messaging.stream.dead_letters import PostgresDeadLetters
from tests.cookies import COOKIES
from tests.messaging.command_runs import run, run_json
from tests.messaging.management.test_ddb_export import items
from tests.messaging.talk import drain, send, start
from users.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def talks(table: MessageTable, andrew: User, bayko: User, londo: User) -> None:
    """Create two conversations of a few days, with lists and read positions as people left them."""
    began = timezone.now() - timedelta(days=3)
    for other in (bayko, londo):
        first = start(by=andrew.uuid, to=other.uuid, text="Are you there?", now=began)
        for hour in range(1, 24):
            by = (andrew, other)[hour % 2]
            send(by=by.uuid, group=first.group_uuid, text=f"Hour {hour}", now=began + timedelta(hours=hour))
    drain(table)


@pytest.fixture(autouse=True)
def as_it_was_found(table: MessageTable, settings: Settings) -> Iterator[None]:
    """Drop the restored table and create the original one again afterwards."""
    yield
    delete(table.client, restored_name(table))
    use(table.name, settings)
    run("ddb_schema_load")


def restored_name(table: MessageTable) -> str:
    return f"{table.name}-restored"


def pages(person: User, others: list[User]) -> list[str]:
    """Return the pages a person reads, the list and each conversation, without what changes with each response."""
    client = Client()
    client.force_login(person)
    client.cookies[COOKIES.timezone] = "UTC"
    paths = ["/messages/rows", *(f"/messages/{pair_group_uuid(person.uuid, each.uuid)}/messages" for each in others)]
    return [client.get(path).content.decode() for path in paths]


def use(name: str, settings: Settings) -> MessageTable:
    settings.DDB_MESSAGE_TABLE = name
    connection.forget()
    return connection.message_table()


def move_lists(table: MessageTable) -> None:
    """Run the worker to the end of the stream."""
    arn = stream_arn(table)
    StreamConsumer(table, connection.streams_client(), arn, PostgresCheckpoints(arn), PostgresDeadLetters(arn)).drain(
        Event()
    )


@contextmanager
def skipped_on_dynamodb_local() -> Iterator[None]:
    """Skip the test on DynamoDB Local, which has no backups."""
    try:
        yield
    except ServiceError as error:
        if error_code(error) != "UnknownOperationException":
            raise
        pytest.skip("DynamoDB Local has no backups")


def export_and_restore(table: MessageTable, directory: Path, settings: Settings) -> MessageTable:
    """Export the table and restore it under the same name with our own commands."""
    file = directory / "table.json.gz"
    run("ddb_export", str(file))
    run("ddb_drop", table.name, "--yes")
    run("ddb_schema_load")
    run("ddb_restore", str(file))
    return table


def restore_beside_and_copy(table: MessageTable, directory: Path, settings: Settings) -> MessageTable:
    """Restore DynamoDB's backup under another name and copy it to a table of the old name."""
    with skipped_on_dynamodb_local():
        backup = table.client.create_backup(TableName=table.name, BackupName="rehearsal")["BackupDetails"]["BackupArn"]
    run("ddb_drop", table.name, "--yes")
    table.client.restore_table_from_backup(TargetTableName=restored_name(table), BackupArn=backup)
    run("ddb_schema_load")
    run("ddb_restore", "--from-table", restored_name(table))
    return table


def go_back_in_time(table: MessageTable, directory: Path, settings: Settings) -> MessageTable:
    """Restore by point-in-time recovery under another name, which is used from now on.

    The stream does not come with it.
    """
    with skipped_on_dynamodb_local():
        table.client.update_continuous_backups(
            TableName=table.name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
    table.client.restore_table_to_point_in_time(
        SourceTableName=table.name, TargetTableName=restored_name(table), UseLatestRestorableTime=True
    )
    restored = use(restored_name(table), settings)
    run("ddb_schema_load")
    run("ddb_drop", table.name, "--yes")
    return restored


@pytest.mark.slow
@pytest.mark.parametrize("way", [export_and_restore, restore_beside_and_copy, go_back_in_time])
def test_a_table_that_was_lost_comes_back_as_it_was(
    way: Callable[[MessageTable, Path, Settings], MessageTable],
    table: MessageTable,
    talks: None,
    andrew: User,
    bayko: User,
    londo: User,
    tmp_path: Path,
    settings: Settings,
) -> None:
    before, seen = items(table), pages(andrew, [bayko, londo])

    restored = way(table, tmp_path, settings)
    (summary,) = [line for line in run_json("ddb_reconcile") if line["kind"] == "summary"]

    assert (summary["found"], summary["conversations"], summary["messages"]) == ({}, 2, 48)
    assert items(restored) == before
    assert pages(andrew, [bayko, londo]) == seen
    assert_people_go_on(restored, andrew, bayko)


def assert_people_go_on(table: MessageTable, andrew: User, bayko: User) -> None:
    """Assert that a stream exists without a valid checkpoint and that a new message moves the lists."""
    described: Any = describe(table)
    assert described["StreamSpecification"]["StreamEnabled"]
    group = pair_group_uuid(andrew.uuid, bayko.uuid)
    send(by=bayko.uuid, group=group, text="After the restore", uuid=uuid4(), now=timezone.now())

    move_lists(table)

    _, entry = table.conversation_and_entry(group, andrew.uuid)
    assert entry
    assert (entry.message, entry.last_seq) == ("After the restore", 25)
