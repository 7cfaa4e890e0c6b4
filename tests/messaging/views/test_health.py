"""Health checks for load balancers and operators: liveness, readiness and unavailable parts."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connections
from django.test import Client
from pytest_django.fixtures import Settings

from cruddur import __version__
from messaging.dynamodb import connection as messaging_connection
from messaging.dynamodb.table import MessageTable
from messaging.operations import readiness
from messaging.realtime.bus import BusUnavailable, bus
from messaging.views import health
from tests.messaging.faults import answer, fault
from tests.messaging.redis_server import RedisServer
from tools.local_stack.ports import free_port

AS_A_LOAD_BALANCER = {"Host": "10.0.1.17:8000", "User-Agent": "ELB-HealthChecker/2.0"}
THROTTLING = answer("ProvisionedThroughputExceededException")


SITES_SECONDS = readiness.SECONDS


@pytest.fixture(autouse=True)
def never_asked_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(health, "readiness", readiness.new_readiness())
    yield
    messaging_connection.forget()


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """Open a port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        yield deaf.getsockname()[1]


@pytest.fixture(autouse=True)
def parts_may_take_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow for slow answers on a loaded machine."""
    monkeypatch.setattr(readiness, "SECONDS", 60)


def use_dynamodb_at(port: int, settings: Settings) -> None:
    settings.DYNAMODB_ENDPOINT_URL = f"http://127.0.0.1:{port}"
    messaging_connection.forget()


def ready() -> tuple[int, dict[str, Any]]:
    response = Client().get("/readyz")
    return response.status_code, response.json()


def states() -> dict[str, str]:
    return {name: part["state"] for name, part in ready()[1]["parts"].items()}


def test_healthz_checks_nothing_else(settings: Settings) -> None:
    settings.VERSION = "4c1d2e9"

    # No test without a database of its own may touch Postgres.
    response = Client().get("/healthz")

    assert (response.status_code, response.json()) == (200, {"status": "ok", "version": "4c1d2e9"})


def test_version_defaults_to_the_release() -> None:
    release = django_settings.VERSION

    assert release == __version__


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_load_balancer_may_use_an_address_over_http(
    path: str, settings: Settings, db: None, moto_table: MessageTable
) -> None:
    settings.SECURE_SSL_REDIRECT = True

    response = Client().get(path, headers=AS_A_LOAD_BALANCER)

    assert (response.status_code, response["Content-Type"]) == (200, "application/json")
    assert "no-store" in response["Cache-Control"]


def test_other_pages_reject_an_unknown_host(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["messages.example.com"]

    assert Client().get("/account-deleted", headers=AS_A_LOAD_BALANCER).status_code == 400


def test_readyz_reports_state_and_time_of_each_part(db: None, moto_table: MessageTable) -> None:
    status, told = ready()

    assert (status, told["status"], told["version"]) == (200, "ready", __version__)
    assert {name: part["state"] for name, part in told["parts"].items()} == {
        "postgres": "ok",
        "dynamodb": "ok",
        "bus": "ok",
    }
    assert all(part["ms"] > 0 for part in told["parts"].values())


def test_dynamodb_that_is_away_is_reported(db: None, settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    use_dynamodb_at(free_port(), settings)

    with caplog.at_level(logging.WARNING, "messaging.operations.readiness"):
        status, told = ready()

    assert (status, told["status"]) == (503, "not ready")
    assert told["parts"]["dynamodb"]["state"] == "away"
    assert told["parts"]["dynamodb"]["reason"] == "EndpointConnectionError"
    assert told["parts"]["postgres"]["state"] == told["parts"]["bus"]["state"] == "ok"
    assert "dynamodb: away EndpointConnectionError" in caplog.messages


def test_slow_dynamodb_is_not_waited_for(
    db: None, settings: Settings, deaf_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert SITES_SECONDS < 2
    monkeypatch.setattr(readiness, "SECONDS", 0.4)
    use_dynamodb_at(deaf_port, settings)

    status, told = ready()

    assert (status, told["parts"]["dynamodb"]["state"]) == (503, "no answer")
    assert told["parts"]["dynamodb"]["ms"] >= 300


def test_missing_table_is_reported(db: None, settings: Settings) -> None:
    settings.DDB_MESSAGE_TABLE = "nothing"
    messaging_connection.forget()

    status, told = ready()

    assert (status, told["parts"]["dynamodb"]["state"]) == (503, "refused")
    assert told["parts"]["dynamodb"]["reason"] == "ResourceNotFoundException"


def test_throttled_table_stays_ready(db: None, moto_table: MessageTable) -> None:
    with fault(moto_table, "GetItem", THROTTLING, THROTTLING):
        status, told = ready()

    assert (status, told["parts"]["dynamodb"]["state"]) == (200, "throttled")


def test_postgres_that_is_away_is_reported_with_the_bus(
    db: None, moto_table: MessageTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connections.databases["default"], "PORT", free_port())

    status, told = ready()

    assert status == 503
    assert (told["parts"]["postgres"]["state"], told["parts"]["bus"]["state"]) == ("away", "away")
    assert told["parts"]["dynamodb"]["state"] == "ok"


def test_readyz_hides_addresses(db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    use_dynamodb_at(free_port(), settings)
    monkeypatch.setitem(connections.databases["default"], "PORT", free_port())

    told = Client().get("/readyz").content.decode()

    for secret in ("127.0.0.1", "localhost", settings.DATABASES["default"]["NAME"], settings.SECRET_KEY):
        assert secret not in told


def test_bus_receives_its_own_ping(db: None, each_bus: str) -> None:
    bus().hear_itself(seconds=60)


def test_redis_that_is_away_is_reported(db: None, moto_table: MessageTable, redis_server: RedisServer) -> None:
    redis_server.stop()

    with pytest.raises(BusUnavailable):
        bus().hear_itself(seconds=60)
    assert states() == {"postgres": "ok", "dynamodb": "ok", "bus": "away"}


def test_simultaneous_requests_cost_one_check() -> None:
    asked = list[None]()
    looks = readiness.Readiness((readiness.Part("part", lambda: asked.append(None)),))

    for _ in range(10):
        looks.look()

    assert len(asked) == 1


def test_recovered_part_is_checked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "FRESH_SECONDS", 0.0)
    outcomes: list[Any] = [OSError, None]

    def ask() -> None:
        if error := outcomes.pop(0):
            raise error

    looks = readiness.Readiness((readiness.Part("part", ask),))

    assert [looks.look()["part"].state for _ in range(2)] == ["away", "ok"]


def test_pending_check_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(readiness, "SECONDS", 0.02)
    asked = list[None]()

    def ask() -> None:
        asked.append(None)
        time.sleep(0.5)

    looks = readiness.Readiness((readiness.Part("part", ask),))

    assert [looks.look()["part"].state for _ in range(3)] == ["no answer"] * 3
    assert len(asked) == 1
