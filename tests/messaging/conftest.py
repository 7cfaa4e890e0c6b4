"""What the tests of live updates share, both buses and a web process; and the old system to move in from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from pytest_django.fixtures import Settings

from messaging.dynamodb.table import MessageTable
from messaging.realtime import typing as live_typing
from messaging.realtime.bus import redis
from tests.legacy_import.imported import ANDREW, BAYKO, LONDO
from tests.legacy_import.legacy_items import OldSystem

from .live_site import WebProcess, web_process
from .redis_server import RedisServer


@pytest.fixture
def redis_server(tmp_path: Path, settings: Settings) -> Iterator[RedisServer]:
    """A server that the settings name: the bus is on it."""
    server = RedisServer(tmp_path)
    server.start()
    settings.REDIS_URL = server.url
    yield server
    server.stop()
    redis.redis_bus.cache_clear()


@pytest.fixture(params=["postgres", "redis"])
def each_bus(request: pytest.FixtureRequest) -> str:
    """First Postgres, then Redis."""
    if request.param == "redis":
        request.getfixturevalue("redis_server")
    return str(request.param)


@pytest.fixture
def site(transactional_db: None) -> Iterator[WebProcess]:
    """A web process on the test database, after the fixtures that a test names before it."""
    live_typing.forget()
    with web_process() as process:
        yield process


@pytest.fixture
def old(table: MessageTable) -> Iterator[OldSystem]:
    """The old system, with an empty table beside this one's."""
    system = OldSystem(table, f"old-messages-{uuid4().hex[:8]}")
    system.create()
    yield system
    system.drop()


@pytest.fixture
def users(tmp_path: Path) -> str:
    """The old users table, as a file."""
    path = tmp_path / "users.json"
    path.write_text(json.dumps([user.row for user in (ANDREW, BAYKO, LONDO)]))
    return str(path)
