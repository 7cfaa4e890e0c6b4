"""The first line of a command names its stack; a part that is down is named before anything is done."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from cruddur.cli import target
from cruddur.cli.command_line import own_commands
from cruddur.cli.target import PartDown, describe_cognito_stack, describe_target
from messaging.dynamodb.connection import forget

NOBODY = "http://127.0.0.1:9"
ENDPOINTS = {"DynamoDB": "DYNAMODB_ENDPOINT_URL", "Cognito": "COGNITO_ENDPOINT_URL"}


@contextmanager
def listening(*, answer: bytes = b"", closes: bool = False) -> Iterator[str]:
    """Listen on a port that answers this, closes each connection, or stays silent; yield its address."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held = []

        def serve() -> None:
            while True:
                try:
                    caller, _ = server.accept()
                except OSError:
                    return
                held.append(caller)
                if answer:
                    caller.recv(1000)
                    caller.sendall(answer)
                if closes or answer:
                    caller.close()

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        for caller in held:
            caller.close()


class WebSite(BaseHTTPRequestHandler):
    """Answers whatever is asked with a page."""

    def do_GET(self) -> None:
        self.send_response(404)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<html>\n" * 94)

    do_POST = do_GET  # noqa: N815 - as above

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@pytest.fixture
def web_site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), WebSite) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(autouse=True)
def _own_connections() -> Iterator[None]:
    forget()
    yield
    forget()


def refusal(part: target.PartOf) -> str:
    with pytest.raises(PartDown) as caught:
        part().require()
    return str(caught.value)


def test_it_names_endpoint_table_and_database(settings: Settings) -> None:
    line = describe_target()

    assert settings.DYNAMODB_ENDPOINT_URL in line
    assert "table cruddur-messages" in line
    assert "database " in line
    assert "not running" not in line


def test_it_names_awss_own_endpoint_where_none_is_set(settings: Settings) -> None:
    settings.DYNAMODB_ENDPOINT_URL = settings.COGNITO_ENDPOINT_URL = None
    settings.AWS_REGION = "eu-central-1"

    assert "https://dynamodb.eu-central-1.amazonaws.com" in describe_target()
    assert "https://cognito-idp.eu-central-1.amazonaws.com" in describe_cognito_stack()


def test_it_never_names_the_password() -> None:
    assert connection.settings_dict["PASSWORD"] not in describe_target() + describe_cognito_stack()


@pytest.mark.parametrize("name", ENDPOINTS)
def test_part_that_is_down_is_marked_not_running(settings: Settings, name: str) -> None:
    setattr(settings, ENDPOINTS[name], NOBODY)
    describe = describe_target if name == "DynamoDB" else describe_cognito_stack

    first, second = describe().split("; ")
    assert f"{name} {NOBODY} (not running)" in first
    assert "not running" not in second


def test_a_database_that_is_down_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
    monkeypatch.setitem(connection.settings_dict, "PORT", "9")

    first, second = describe_target().split("; ")
    assert "not running" not in first
    assert second.endswith(" on 127.0.0.1:9 (not running)")


@pytest.mark.parametrize(("name", "part"), [("DynamoDB", target.dynamodb), ("Cognito", target.cognito)])
def test_a_part_that_cannot_be_used_is_named_with_its_address_and_variable(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str, part: target.PartOf
) -> None:
    monkeypatch.setattr(target, "SECONDS_TO_ANSWER", 0.2)
    setattr(settings, ENDPOINTS[name], NOBODY)
    assert f"{name} does not answer at {NOBODY}: start the local stack with `make run`" in refusal(part)

    setattr(settings, ENDPOINTS[name], "http://no-such-host.invalid:8000")
    assert f"{name}: there is no host no-such-host.invalid. Put AWS_ENDPOINT_URL_" in refusal(part)

    for answers, words in (
        ({"closes": True}, f"is not {name}"),
        ({"answer": b"220 mail.example ESMTP\r\n"}, f"is not {name}"),
        ({}, "says nothing"),
    ):
        with listening(**answers) as url:
            setattr(settings, ENDPOINTS[name], url)
            sentence = refusal(part)
        assert words in sentence
        assert url in sentence
        assert "AWS_ENDPOINT_URL_" in sentence


def test_a_database_that_is_down_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
    monkeypatch.setitem(connection.settings_dict, "PORT", "9")

    assert "Postgres does not answer at 127.0.0.1:9: start" in refusal(target.postgres)
    assert "DATABASE_URL" in refusal(target.postgres)


def test_parts_that_run_or_cannot_be_asked_are_taken_for_running(settings: Settings) -> None:
    for part in (target.dynamodb, target.cognito, target.postgres):
        part().require()
    for url in (None, "https://dynamodb.us-east-1.amazonaws.com"):
        settings.DYNAMODB_ENDPOINT_URL = url
        target.dynamodb().require()


@pytest.mark.parametrize(
    ("command", "words"), [("ddb_list_tables", "is not DynamoDB"), ("cognito_list_users", "is not Cognito")]
)
def test_web_site_at_address_of_part_is_reported(settings: Settings, web_site: str, command: str, words: str) -> None:
    settings.DYNAMODB_ENDPOINT_URL = settings.COGNITO_ENDPOINT_URL = web_site

    with pytest.raises(CommandError) as caught:
        call_command(command, stdout=StringIO(), stderr=StringIO(), skip_checks=True)

    assert words in str(caught.value)
    assert "<html>" not in str(caught.value)


def test_every_command_prints_its_target() -> None:
    lacking = {name for name, command in own_commands().items() if not command.needs}

    assert lacking == {"ddb_capacity", "setup"}, "a calculation; and the commands that it runs say it themselves"
