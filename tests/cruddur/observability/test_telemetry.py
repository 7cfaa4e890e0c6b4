"""Metrics and traces, as a collector receives them from the real processes; and nothing at all without one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests
from django.conf import settings
from django.db import connection
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

from cruddur.observability import telemetry
from cruddur.observability.telemetry import ListedAttributes
from messaging.dynamodb.table import MessageTable
from tests.messaging.live_site import EventStream, session_of
from tests.messaging.realtime.test_hub import database_url
from tests.messaging.realtime.test_sse import wait_until
from tests.messaging.talk import send, start
from tools.local_stack.ports import free_port
from users.models import User

from .otlp_receiver import Received, otlp_receiver

ROOT = Path(__file__).parents[3]
WRITTEN = "Meet me at the lighthouse"
SEARCHED = "somebody-searched-for"
HOST = {"Host": "localhost"}


def environment(table: MessageTable, **more: str) -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": database_url(),
        "DDB_MESSAGE_TABLE": table.name,
        **more,
    }


def answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=60).ok
    except requests.ConnectionError:
        return False


@contextmanager
def served(table: MessageTable, received: Received) -> Iterator[int]:
    """Serve the site with telemetry in a separate process; stop it at the end."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "cruddur.asgi:application", "--no-proxy-headers",
               "--port", str(port), "--lifespan", "on"]  # fmt: skip
    variables = environment(table, OTEL_EXPORTER_OTLP_ENDPOINT=received.url)
    with subprocess.Popen(command, env=variables, stderr=subprocess.PIPE, text=True, cwd=ROOT) as server:
        try:
            wait_until(lambda: answers(port), seconds=20)
            yield port
            server.send_signal(signal.SIGTERM)
            server.wait(60)
        finally:
            server.kill()
        assert server.stderr is not None
        assert "Traceback" not in server.stderr.read()


class Visitor(requests.Session):
    """A person's browser, signed in."""

    def __init__(self, person: User, port: int) -> None:
        super().__init__()
        self.base = f"http://127.0.0.1:{port}"
        self.session_key = session_of(person)
        self.headers.update(HOST, Accept="text/html", **{"X-CSRFToken": "k" * 32})
        self.cookies.update({settings.SESSION_COOKIE_NAME: self.session_key, settings.CSRF_COOKIE_NAME: "k" * 32})

    def visit(self, path: str) -> int:
        return self.get(self.base + path, timeout=60).status_code

    def write(self, path: str, text: str) -> int:
        form = {"message": text, "message_uuid": str(uuid4()), "after": ""}
        return self.post(self.base + path, form, timeout=60, allow_redirects=False).status_code


@pytest.mark.slow
def test_a_web_process_tells_what_it_does_and_nothing_that_anybody_wrote(
    table: MessageTable, transactional_db: None, andrew: User, bayko: User
) -> None:
    with otlp_receiver() as received:
        with served(table, received) as port:
            visitor = Visitor(andrew, port)
            with EventStream.open(port, session_of(bayko), headers=HOST) as stream:
                assert stream.next()[0] == "ready"
                assert visitor.write("/messages/new/bayko", WRITTEN) == 303
                assert stream.next()[1]["html"]
                assert visitor.visit("/messages") == 200
                assert visitor.visit(f"/messages/people?q={SEARCHED}") == 200
                assert visitor.visit(f"/nowhere?q={SEARCHED}") == 404
        assert_metrics(received, table)
        assert_traces(received)
        everything = b"".join(received.raw)
        for private in (
            WRITTEN, SEARCHED, "lighthouse", andrew.email, bayko.email, andrew.handle, str(bayko.uuid),
            visitor.session_key, "k" * 32, settings.SECRET_KEY, connection.settings_dict["PASSWORD"] or "postgres://",
        ):  # fmt: skip
            assert private.encode() not in everything, private


def assert_metrics(received: Received, table: MessageTable) -> None:
    assert received.resource()["service.name"] == "cruddur-web"
    assert received.numbers("cruddur.messages.sent") == {(): 1}
    assert received.numbers("cruddur.delivery.time") == {(): 1}
    assert received.metrics()["cruddur.delivery.time"][0]["sum"] > 0
    assert received.numbers("cruddur.streams.open") == {(): 0}
    units = received.numbers("cruddur.dynamodb.units", "operation", "kind", "table", "index")
    assert units["TransactWriteItems", "write", table.name, ""] >= 4
    assert any(operation == "Query" and index == "inbox-index" for operation, _, _, index in units)
    times = received.numbers("cruddur.dynamodb.time", "operation")
    assert {("TransactWriteItems",), ("Query",)} <= times.keys()
    pages = received.numbers("http.server.request.duration", "http.route", "http.response.status_code")
    assert pages["messages", "200"] == 1
    assert pages[None, "404"] == 1


def assert_traces(received: Received) -> None:
    spans = received.spans()
    assert not [span for span in spans if "healthz" in span["name"]]
    (page,) = [span for span in spans if span["name"] == "GET messages"]
    below = [span for span in spans if span["parent"] == page["spanId"]]
    assert "DynamoDB.Query" in {span["name"] for span in below}
    statements = [span["attributes"].get("db.query.text", "") for span in below]
    assert any('FROM "users_user"' in statement and "%s" in statement for statement in statements)


@pytest.mark.slow
def test_the_worker_tells_what_it_consumed_and_how_far_it_is_behind(
    table: MessageTable, transactional_db: None, andrew: User, bayko: User
) -> None:
    first = start(by=andrew.uuid, to=bayko.uuid)
    send(by=bayko.uuid, group=first.group_uuid)
    with otlp_receiver() as received:
        subprocess.run(
            [sys.executable, "manage.py", "ddb_stream", "--once"],
            env=environment(table, OTEL_EXPORTER_OTLP_ENDPOINT=received.url),
            cwd=ROOT, check=True, capture_output=True,
        )  # fmt: skip

    assert received.resource()["service.name"] == "cruddur-worker"
    assert received.numbers("cruddur.stream.lag") == {(): 0}
    assert received.numbers("cruddur.stream.records")[()] >= 1
    units = received.numbers("cruddur.dynamodb.units", "operation", "table")
    assert units["Scan", table.name] > 0
    assert units["UpdateItem", table.name] > 0
    names = {span["name"] for span in received.spans()}
    assert "DynamoDB.UpdateItem" in names
    assert "DynamoDB Streams.GetRecords" not in names


class Slow:
    """A provider whose collector is away: it tries for longer than it is told."""

    def __init__(self, collector_is_back: threading.Event) -> None:
        self.collector_is_back = collector_is_back

    def force_flush(self, timeout_millis: int) -> None:
        self.collector_is_back.wait(60)


def test_a_collector_that_is_away_holds_up_nobody_who_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    back = threading.Event()
    monkeypatch.setattr(telemetry, "_providers", [Slow(back), Slow(back)])
    monkeypatch.setattr(telemetry, "STOP_SECONDS", 0.1)

    telemetry.stop()

    flushing = [thread for thread in threading.enumerate() if "force_flush" in thread.name]
    back.set()
    assert len(flushing) == 2  # Both were still waiting when it returned.


@pytest.mark.slow
def test_without_a_place_to_send_to_no_part_of_it_is_even_imported() -> None:
    script = (
        "import sys, cruddur.asgi, messaging.management.commands.ddb_stream, messaging.stream.lambda_handler\n"
        "sys.exit(any(name.split('.')[0] == 'opentelemetry' for name in sys.modules))"
    )

    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0


class Kept(SpanExporter):
    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def export(self, spans: Any) -> SpanExportResult:
        self.spans.extend(spans)
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Close nothing."""


def test_telemetry_sends_type_of_error_without_its_text() -> None:
    kept, provider = Kept(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(ListedAttributes(kept)))
    tracer = provider.get_tracer("test")

    @tracer.start_as_current_span("INSERT")
    def fail() -> None:
        span = trace.get_current_span()
        span.set_attribute("url.query", "q=lighthouse")
        span.set_attribute("db.query.text", "INSERT INTO users_user VALUES (%s)")
        raise ValueError(WRITTEN)

    with pytest.raises(ValueError, match="lighthouse"):
        fail()

    (sent,) = kept.spans
    assert sent.attributes == {"db.query.text": "INSERT INTO users_user VALUES (%s)", "error.type": "ValueError"}
    assert not sent.events
    assert sent.status.is_ok is False
    assert sent.status.description is None
