"""Fixtures for live updates: both buses and a web process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from messaging.realtime import typing as live_typing
from messaging.realtime.bus import redis

from .live_site import WebProcess, web_process
from .redis_server import RedisServer


@pytest.fixture
def redis_server(tmp_path: Path, settings: Settings) -> Iterator[RedisServer]:
    """Start a Redis server and make it the bus of the settings."""
    server = RedisServer(tmp_path)
    server.start()
    settings.REDIS_URL = server.url
    yield server
    server.stop()
    redis.redis_bus.cache_clear()


@pytest.fixture(params=["postgres", "redis"])
def each_bus(request: pytest.FixtureRequest) -> str:
    """Run the test first with Postgres, then with Redis; return the bus's name."""
    if request.param == "redis":
        request.getfixturevalue("redis_server")
    return str(request.param)


@pytest.fixture
def site(transactional_db: None) -> Iterator[WebProcess]:
    """Start a web process on the test database, after the fixtures that a test names before it."""
    live_typing.forget()
    with web_process() as process:
        yield process
