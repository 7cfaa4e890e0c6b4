"""What all tests share: people, a table of their own on the emulator or on moto, and a count of the calls made."""

from __future__ import annotations

import copy
import fcntl
import os
import pickle
import resource
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore.session  # noqa: TID251 - see below
import moto.dynamodb.models
import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.core.management.color import Style
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.operations import DatabaseOperations
from django.db.backends.signals import connection_created
from django.test import override_settings
from moto import mock_aws
from pytest_django import DjangoDbBlocker
from pytest_django.fixtures import Settings

from cruddur.postgres import roles
from cruddur.templatetags import fragments
from cruddur.web import cached_urls, rate_limits
from messaging.dynamodb import connection as dynamodb_connection
from messaging.dynamodb.client import connect
from messaging.dynamodb.schema import load_schema
from messaging.dynamodb.table import MessageTable
from messaging.dynamodb.table_definition import table_definition
from messaging.presenters import dates
from messaging.templatetags import components
from users.models import User

from . import dynamodb_fake, run_summary
from .deploy import calls as aws_calls

OPEN_FILES = 8192
"""A thousand streams have two ends each in this process; many machines allow 1,024 files unless more are asked for."""

PRODUCTION_STORAGES = {
    **django_settings.STORAGES,
    "staticfiles": {"BACKEND": "cruddur.assets.storage.JoinedStaticFilesStorage"},
}
# Nearly every test makes a client, for its own table, and most of the 70 ms that this takes goes into reading the same
# descriptions of DynamoDB again.
botocore.session.create_loader = cache(botocore.session.create_loader)
# Before a transaction moto copies all it holds, to be able to take it back: pickle does that five times as fast.
moto.dynamodb.models.copy = SimpleNamespace(  # type: ignore[assignment,attr-defined]
    copy=copy.copy,
    deepcopy=lambda whole: pickle.loads(pickle.dumps(whole, pickle.HIGHEST_PROTOCOL)),  # noqa: S301
)


ORDER = {"kills": 0, "histories": 1, "messaging": 2, "browser": 4}
OTHERS = 3
SLOW_FOLDERS = {"browser", "histories", "installing", "kills", "local_stack", "upgrade"}
"""Left out by --fast, as are tests with the marker `slow`."""
TESTS = Path(__file__).parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fast", action="store_true", help="leave out slow tests, and keep the table in memory")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even import the slow folders with --fast."""
    is_slow = collection_path.is_dir() and collection_path.name in SLOW_FOLDERS
    return True if is_slow and config.getoption("fast") else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the folders that take longest, so that no worker of pytest-xdist has to wait for another at the end.

    Browsers come last: Playwright keeps an event loop in the thread of the tests, in which others could not run theirs.
    Mark the tests whose table is on the emulator, so that those alone can be run against another one.
    """
    items.sort(key=lambda item: ORDER.get(item.path.relative_to(TESTS).parts[0], OTHERS))
    for item in items:
        if "table" in getattr(item, "fixturenames", ()) or _kind_of_table(item) == "emulated_table":
            item.add_marker("dynamodb")
    if config.getoption("fast"):
        left_out = [item for item in items if _is_slow(item)]
        items[:] = [item for item in items if not _is_slow(item)]
        config.hook.pytest_deselected(items=left_out)


def _kind_of_table(item: pytest.Item) -> str | None:
    return item.callspec.params.get("either_table") if hasattr(item, "callspec") else None


def _is_slow(item: pytest.Item) -> bool:
    return item.get_closest_marker("slow") is not None or _kind_of_table(item) in ("moto_table", "emulated_table")


aws_calls.listen()
dynamodb_fake.listen()

NEVER_EMPTIED = ("moderation_auditentry", "moderation_decision", "moderation_report")


def pytest_configure() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < OPEN_FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(OPEN_FILES, hard), hard))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [
        each for found in terminalreporter.stats.values() for each in found if isinstance(each, pytest.TestReport)
    ]
    for line in (
        *run_summary.slowest(reports),
        *run_summary.lines(terminalreporter.getreports("skipped"), terminalreporter.getreports("passed")),
    ):
        terminalreporter.write_line(line)


APPLICATION_ROLE = "cruddur_tests_app"
_runs_as_migration_role = [True]
"""Whether new connections keep the tests' own role: until the tables are there, and in tests that ask for it."""


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Give tests the application's role, which only uses tables; `with_migration_role` gives a test their owner's.

    The statements of tests then fail wherever they would fail in production. Where the tests' own server does not let
    its role make others they run as that one.
    """
    with django_db_blocker.unblock():
        try:
            roles.ensure_application_role(connection, roles.Login(APPLICATION_ROLE, ""))
        except roles.WrongRole:
            yield
            return
        roles.grant(APPLICATION_ROLE)
        connection.close()
    _runs_as_migration_role.clear()
    connection_created.connect(become_the_application)
    yield
    connection_created.disconnect(become_the_application)


def become_the_application(sender: type[Any], connection: BaseDatabaseWrapper, **how: Any) -> None:
    """Begin each connection to the tests' database as the application's role; others make and drop databases."""
    if connection.alias == DEFAULT_DB_ALIAS and not _runs_as_migration_role:
        with connection.cursor() as cursor:
            cursor.execute(f"SET ROLE {APPLICATION_ROLE}")


@pytest.fixture
def with_migration_role(db: None) -> Iterator[None]:
    """Run this test's statements as the owner of the tables, also on connections that it opens."""
    if _runs_as_migration_role:
        yield
        return
    _runs_as_migration_role.append(True)
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
    yield
    _runs_as_migration_role.clear()
    if connection.in_atomic_block and not connection.needs_rollback:
        with connection.cursor() as cursor:
            cursor.execute(f"SET ROLE {APPLICATION_ROLE}")
    elif not connection.in_atomic_block:
        connection.close()


@pytest.fixture(scope="session", autouse=True)
def tables_that_are_never_emptied_are_between_tests() -> Iterator[None]:
    """Disable the triggers that refuse TRUNCATE, which follows each test with transactions of its own."""
    sql_flush = DatabaseOperations.sql_flush

    def flush(self: DatabaseOperations, style: Style, tables: Sequence[str], **how: Any) -> list[str]:
        there = [table for table in NEVER_EMPTIED if table in tables]
        return [
            "RESET ROLE",
            *(f"ALTER TABLE {table} DISABLE TRIGGER never_emptied" for table in there),
            *sql_flush(self, style, tables, **how),
            *(f"ALTER TABLE {table} ENABLE TRIGGER never_emptied" for table in there),
            *([] if _runs_as_migration_role else [f"SET ROLE {APPLICATION_ROLE}"]),
        ]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", flush)
        yield


@pytest.fixture(autouse=True)
def what_is_called_is_allowed(request: pytest.FixtureRequest) -> Iterator[None]:
    """Check that the roles of deploy/ allow every AWS call of a request, worker, Lambda or command in any test."""
    with aws_calls.noted() as found:
        yield
    if request.node.get_closest_marker("refused_on_aws") is None:
        assert found.refused() == [], "deploy/templates/roles.yaml does not allow it"


@pytest.fixture(autouse=True)
def nothing_is_kept_of_pages() -> None:
    """Clear cached fragments, addresses and rate limits: a test may have other catalogues or static files."""
    rate_limits._here.clear()
    for kept in (
        fragments.rendered,
        dates.clock_time_in,
        dates.list_time_in,
        cached_urls.cached_reverse,
        components.icon,
    ):
        kept.cache_clear()


@dataclass
class Calls:
    """Calls to DynamoDB by operation, with their parameters, in order."""

    made: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def operations(self) -> list[str]:
        return [operation for operation, _ in self.made]

    @contextmanager
    def counted(self, client: Any) -> Iterator[Calls]:
        """Count the calls of this client in the block."""
        self.made.clear()

        def note(params: dict[str, Any], model: Any, **_: Any) -> None:
            self.made.append((model.name, params))

        client.meta.events.register("provide-client-params.dynamodb.*", note)
        try:
            yield self
        finally:
            client.meta.events.unregister("provide-client-params.dynamodb.*", note)


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture(scope="session")
def collected_static_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run `collectstatic` for production once for all workers of pytest-xdist; return the directory."""
    base = tmp_path_factory.getbasetemp()
    root = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "static"
    with root.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (root / "staticfiles.json").exists():
            with override_settings(STATIC_ROOT=root, STORAGES=PRODUCTION_STORAGES):
                call_command("collectstatic", interactive=False, verbosity=0)
    return root


@pytest.fixture
def production_static_files(collected_static_files: Path, settings: Settings) -> Path:
    """Use production's static files in this test; return their directory."""
    settings.STATIC_ROOT = collected_static_files
    settings.STORAGES = PRODUCTION_STORAGES
    return collected_static_files


AWS = "https://dynamodb.us-east-1.amazonaws.com"
connect_once = dynamodb_fake.made_once(connect)


def _new_name(settings: Settings) -> str:
    name = settings.DDB_MESSAGE_TABLE = f"cruddur-messages-{uuid.uuid4().hex[:8]}"
    dynamodb_connection.forget()
    return name


def _new_table(settings: Settings) -> MessageTable:
    _new_name(settings)
    table = dynamodb_connection.message_table()
    list(load_schema(table, sleep=lambda _: None))
    return table


@pytest.fixture
def emulated_table(settings: Settings) -> Iterator[MessageTable]:
    """Create an empty table on the AWS emulator and have the application use it in this test."""
    table = _new_table(settings)
    yield table
    table.client.delete_table(TableName=table.name)
    dynamodb_connection.forget()


@pytest.fixture
def fake_table(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[MessageTable]:
    """Create an empty table in memory (`dynamodb_fake`) and have the application use it in this test."""
    settings.DYNAMODB_ENDPOINT_URL = settings.DYNAMODB_STREAMS_ENDPOINT_URL = AWS
    yield from _faked(settings, monkeypatch)


def _faked(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[MessageTable]:
    monkeypatch.setattr(dynamodb_connection, "connect", connect_once)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "fake")
    fake = dynamodb_fake.FakeDynamoDb()
    fake.call("CreateTable", table_definition(_new_name(settings), on_demand=False))
    with dynamodb_fake.served(fake, settings.DYNAMODB_ENDPOINT_URL):
        yield dynamodb_connection.message_table()
    dynamodb_connection.forget()


@pytest.fixture
def table(
    request: pytest.FixtureRequest, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MessageTable]:
    """Create an empty table on the AWS emulator or, with --fast, in memory."""
    if request.config.getoption("fast"):
        yield from _faked(settings, monkeypatch)
    else:
        yield request.getfixturevalue("emulated_table")


@pytest.fixture
def moto_table(
    request: pytest.FixtureRequest, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MessageTable]:
    """Create an empty table on moto, in this process, or, with --fast, in memory."""
    settings.DYNAMODB_ENDPOINT_URL = AWS
    settings.DYNAMODB_STREAMS_ENDPOINT_URL = None
    if request.config.getoption("fast"):
        yield from _faked(settings, monkeypatch)
        return
    with mock_aws():
        yield _new_table(settings)
    dynamodb_connection.forget()


@pytest.fixture(params=["moto_table", "emulated_table", "fake_table"], ids=["moto", "emulator", "memory"])
def either_table(request: pytest.FixtureRequest) -> MessageTable:
    """Run the test on moto, on the emulator and on the table in memory."""
    table: MessageTable = request.getfixturevalue(request.param)
    return table


def _person(handle: str, display_name: str) -> User:
    return User.objects.create_user(
        handle=handle, display_name=display_name, email=f"{handle}@cruddur.example", cognito_user_id=f"sub-{handle}"
    )


@pytest.fixture
def andrew(db: None) -> User:
    return _person("andrewbrown", "Andrew Brown")


@pytest.fixture
def bayko(db: None) -> User:
    return _person("bayko", "Bayko")


@pytest.fixture
def londo(db: None) -> User:
    return _person("londo", "Londo")
