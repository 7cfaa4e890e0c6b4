"""The roles of the templates against what web, worker, Lambda and operators' commands call.

`tests/conftest.py` holds every test against the roles: whatever a request, the worker, the function or a command calls
there must be allowed. Here each part goes through all that it does, so that what is allowed and never called is found.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.test import Client, override_settings
from django.utils import timezone
from pytest_django import Settings

from messaging.actions import delete_account
from messaging.domain.entities import pair_group_uuid
from messaging.dynamodb import connection, schema
from messaging.dynamodb.codec import conversation_item
from messaging.dynamodb.connection import streams_client
from messaging.dynamodb.keys import conversation_key, entry_key
from messaging.dynamodb.schema import stream_arn
from messaging.dynamodb.table import MessageTable
from messaging.dynamodb.table_definition import table_definition
from messaging.models import DeadLetter
from messaging.stream import lambda_handler
from messaging.stream.account_deletion_job import AccountDeletionJob
from messaging.stream.checkpoints import PostgresCheckpoints
from messaging.stream.consumer import StreamConsumer
from messaging.stream.dead_letters import PostgresDeadLetters
from tests.messaging import talk
from tests.messaging.command_runs import run
from tests.messaging.stream.test_lambda_handler import event
from tests.test_every_address import FORMS, ROWS, visited
from tests.users.pools import add_user, new_pool
from users.cognito.client import UserPool
from users.models import User

from .calls import HANDLER, ROLES_BY_PATH, ROOT, Noted, noted, row_of
from .policies import PREFIX, ROLES, TABLE, allows, commented_actions, statements

pytestmark = pytest.mark.django_db
NEVER = "Never called by the code: "


def test_every_file_and_every_row_of_the_roles_is_known() -> None:
    files = {
        file.relative_to(ROOT).as_posix()
        for package in ("cruddur", "legacy_import", "messaging", "moderation", "users")
        for file in (ROOT / package).rglob("*.py")
    }
    rows = {file: row_of(file) for file in files}

    assert [file for file, row in rows.items() if row is None] == []
    assert ROLES_BY_PATH.keys() - {HANDLER} == set(rows.values())


@pytest.fixture
def heard() -> Iterator[Noted]:
    with noted() as found:
        yield found


@pytest.fixture
def pool(settings: Settings) -> UserPool:
    return new_pool(settings)


@pytest.fixture
def people(pool: UserPool, andrew: User, bayko: User, londo: User) -> tuple[User, User, User]:
    """Create Andrew, Bayko and Londo in the pool; Londo is an administrator."""
    for person in (andrew, bayko, londo):
        person.cognito_user_id = add_user(pool, person.handle)
        person.is_staff = person.is_superuser = person is londo
        person.save()
    return andrew, bayko, londo


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def check_called(role: str, heard: Noted) -> None:
    """Assert that every call was allowed, and that every permission was used or explains why it was not."""
    comments = commented_actions(role)
    called = heard.actions(role)
    assert heard.refused() == []
    assert called, role
    assert {action for action in comments if NEVER not in comments[action]} - called == set(), "allowed, never called"
    assert {action for action in called if NEVER in comments[action]} == set(), "said never to be called"


def test_web_server_may_do_exactly_what_it_calls(
    heard: Noted, table: MessageTable, people: tuple[User, User, User], settings: Settings
) -> None:
    andrew, bayko, londo = people
    settings.MESSAGE_REQUESTS = True
    message = talk.start(by=andrew.uuid, to=bayko.uuid, now=timezone.now())
    places: dict[str, Any] = {
        "people": {"somebody": bayko}, "member": (pair_group_uuid(andrew.uuid, bayko.uuid), message.created_at)
    }  # fmt: skip
    for person in (andrew, londo):
        for route in [each for each in ROWS if each.startswith("admin/") is (person is londo)]:
            address = visited(route, "member", places)
            signed_in(person).get(address)
            if "logout" not in route and "authenticate" not in route:
                form = {**FORMS.get(route, {}), "created_at": message.created_at}
                signed_in(person).post(address, form)
    for act in ("synchronise", "sign_out", "disable", "enable"):
        chosen = {"action": act, "_selected_action": [str(bayko.pk)], "confirmed": "yes"}
        assert signed_in(londo).post("/admin/users/user/", chosen).status_code == 302
    DeadLetter.objects.create(
        stream_arn="arn", shard_id="shard", sequence_number="1", key=f"MSG#{message.group_uuid}", reason="x", tries=5
    )
    table.client.delete_item(TableName=table.name, Key=entry_key(bayko.uuid, message.group_uuid))
    signed_in(londo).post("/admin/stream/replay/")

    check_called("web", heard)


def test_worker_may_do_exactly_what_it_calls(
    heard: Noted, table: MessageTable, people: tuple[User, User, User]
) -> None:
    andrew, bayko, _ = people
    arn = stream_arn(table)
    consumer = StreamConsumer(table, streams_client(), arn, PostgresCheckpoints(arn), PostgresDeadLetters(arn))
    group = talk.start(by=andrew.uuid, to=bayko.uuid, now=timezone.now()).group_uuid
    consumer.drain(threading.Event())
    table.client.delete_item(TableName=table.name, Key=entry_key(bayko.uuid, group))  # lost, as in no life of the site
    talk.send(by=andrew.uuid, group=group, now=timezone.now())
    consumer.drain(threading.Event())
    delete_account.ask(user_uuid=andrew.uuid, now=timezone.now() - timedelta(minutes=5))
    deletions = AccountDeletionJob()
    while User.objects.filter(pk=andrew.pk, deleted_at=None).exists():
        deletions()
    run_worker()

    check_called("worker", heard)


def run_worker() -> None:
    """Run the container's command as often as needed, each time stopped as ECS stops it."""
    ended = threading.Event()

    def stop() -> None:
        while not ended.wait(0.2):
            os.kill(os.getpid(), signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, lambda *_: None)
    stopping = threading.Thread(target=stop)
    stopping.start()
    try:
        run("ddb_stream")
    finally:
        ended.set()
        stopping.join()
        signal.signal(signal.SIGTERM, before)


def test_function_may_do_exactly_what_it_calls(
    heard: Noted, table: MessageTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lambda_handler, "message_table", connection.message_table)
    talk.start()
    table.client.delete_item(TableName=table.name, Key=entry_key(talk.BAYKO, talk.GROUP))
    changed = table.conversation(talk.GROUP)
    assert changed is not None

    lambda_handler.handler(event(conversation_item(changed)), context=None)

    check_called("lambda", heard)


def test_operator_may_do_exactly_what_commands_call(
    heard: Noted, table: MessageTable, people: tuple[User, User, User], monkeypatch: pytest.MonkeyPatch
) -> None:
    andrew, bayko, _ = people
    monkeypatch.setattr(schema, "POLL_SECONDS", 0.05)
    group = talk.start(by=andrew.uuid, to=bayko.uuid, now=timezone.now()).group_uuid
    beside = f"{table.name}-rehearsal"
    with override_settings(DDB_MESSAGE_TABLE=beside):
        connection.forget()
        run("ddb_schema_load")
        run("ddb_drop", beside, "--yes")
        lacking = table_definition(beside, on_demand=False)
        lacking["GlobalSecondaryIndexes"].pop()
        lacking["AttributeDefinitions"] = [
            each for each in lacking["AttributeDefinitions"] if each["AttributeName"] != "message_group_uuid"
        ]
        connection.message_table().client.create_table(**lacking)
        run("ddb_schema_load")
        run("ddb_drop", beside, "--yes")
    connection.forget()
    run("ddb_list_tables")
    run("ddb_scan", "--count")
    run("ddb_list_conversations", bayko.handle)
    run("ddb_get_conversation", str(group))
    run("ddb_seed", "--users", "2", "--conversations", "1", "--messages", "2", "--append")
    table.client.delete_item(TableName=table.name, Key=entry_key(bayko.uuid, group))
    run("ddb_reconcile")
    table.client.delete_item(TableName=table.name, Key=conversation_key(group))
    run("ddb_reconcile")
    for how in ("--status", "--once", "--replay"):
        run("ddb_stream", how)
    monkeypatch.setattr("sys.stdin", StringIO("A long Password 1!\n"))
    run("cognito_create_user", "newcomer", "newcomer@cruddur.example", "--admin", "--set-password")
    run("cognito_list_users")
    run("update_cognito_user_ids")
    run("export_person", andrew.handle)
    delete_account.ask(user_uuid=andrew.uuid, now=timezone.now() - timedelta(minutes=5))
    run("delete_person", "--pending", "--yes")

    check_called("operator", heard)


# --- What must not be -------------------------------------------------------------------------------------------------


def test_the_web_server_may_neither_scan_nor_drop_nor_look_at_the_stream() -> None:
    allowed = {action.rpartition(":")[2] for statement in statements("web") for action in statement["Action"]}

    refused = {"Scan", "DeleteTable", "CreateTable", "UpdateTable", "DescribeStream", "GetRecords", "GetShardIterator"}
    assert not allowed & {*refused, "ListStreams", "DeleteItem", "BatchWriteItem", "CreateBackup", "DeleteBackup"}
    assert not any("*" in action for action in allowed)


@pytest.mark.parametrize("role", ROLES)
def test_every_action_says_why(role: str) -> None:
    actions = {action for statement in statements(role) for action in statement["Action"] if ":" in action}

    comments = commented_actions(role)
    assert comments.keys() == actions
    assert all(comments.values())


@pytest.mark.parametrize("role", ["web", "worker", "lambda"])
def test_no_role_reaches_another_table(role: str) -> None:
    for action in commented_actions(role).keys() - {"dynamodb:ListStreams"}:  # which names no table
        if action.startswith("dynamodb:"):
            assert not allows(role, action, f"{PREFIX}/somebody-elses")
            assert not allows(role, action, f"{PREFIX}/{TABLE}-somebody-elses")


@pytest.mark.refused_on_aws
def test_call_without_permission_is_found(heard: Noted, table: MessageTable) -> None:
    """A view that scans, so that this file would notice one."""
    with override_settings(ROOT_URLCONF="tests.deploy.scanning_site"):
        Client().get("/scan")

    assert heard.refused() == [f"web: dynamodb:Scan on {PREFIX}/{TABLE}"]
