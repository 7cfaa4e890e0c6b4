import json
import logging
from typing import Any

import pytest
from django.test import RequestFactory
from pytest_django import Settings

from cruddur.observability.log import JsonLines, WithoutHealthChecks, WithoutQuery, WithRequestId
from cruddur.observability.request_id import RequestId
from tests import own_thread


def test_the_access_log_shows_no_query(caplog: pytest.LogCaptureFixture) -> None:
    line = logging.LogRecord(
        "uvicorn.access", logging.INFO, "", 0, '%s - "%s %s HTTP/%s" %d',
        ("127.0.0.1:5", "GET", "/oidc/callback/?code=secret&state=secret", "1.1", 302), None,
    )  # fmt: skip

    assert WithoutQuery().filter(line)
    assert line.getMessage() == '127.0.0.1:5 - "GET /oidc/callback/ HTTP/1.1" 302'


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [("/healthz", 200, False), ("/readyz?x", 200, False), ("/readyz", 503, True), ("/messages", 200, True)],
)
def test_the_access_log_leaves_out_load_balancers_that_found_all_well(path: str, status: int, told: bool) -> None:
    arguments = ("127.0.0.1:5", "GET", path, "1.1", status)
    line = logging.LogRecord("uvicorn.access", logging.INFO, "", 0, '%s - "%s %s HTTP/%s" %d', arguments, None)

    assert WithoutHealthChecks().filter(line) is told


def test_uvicorn_s_access_log_has_the_filters() -> None:
    filters = {type(each) for each in logging.getLogger("uvicorn.access").filters}

    assert filters == {WithoutHealthChecks, WithoutQuery}


@pytest.mark.parametrize(
    "name", ["botocore.endpoint", "botocore.parsers", "urllib3.connectionpool", "django.db.backends"]
)
def test_loggers_of_bodies_are_silent_at_every_level(name: str) -> None:
    assert not logging.getLogger(name).isEnabledFor(logging.INFO)


def record(message: str, *args: object, error: Exception | None = None) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("messaging", logging.ERROR, "", 0, message, args, info)


def test_production_writes_one_json_object_a_line_whatever_is_in_it() -> None:
    line = JsonLines().format(record("Not Found: %s", '/a"\n{"level": "INFO"}'))

    assert "\n" not in line
    assert json.loads(line)["message"] == 'Not Found: /a"\n{"level": "INFO"}'


def test_a_line_holds_no_field_that_it_does_not_know() -> None:
    told = record("Not Found")
    told.request = RequestFactory().get("/oidc/callback/?code=secret")

    assert "secret" not in JsonLines().format(told)


def test_an_error_is_told_by_its_type_and_place_not_by_its_text() -> None:
    try:
        raise KeyError("secret") from ValueError("secret, too")
    except KeyError as error:
        line = JsonLines().format(record("Incident", error=error))

    assert "secret" not in line
    assert json.loads(line)["error"] == ["KeyError", "ValueError"]
    assert "test_log.py" in json.loads(line)["trace"][0]


def answer_of(headers: list[tuple[bytes, bytes]]) -> tuple[str, str]:
    """Return the request id in the answer and the one of a line logged during the request."""
    sent: list[Any] = []
    logged: list[str] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        line = record("Hello")
        WithRequestId().filter(line)
        logged.append(json.loads(JsonLines().format(line))["request_id"])
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Any) -> None:
        sent.append(message)

    own_thread.run(RequestId(application)({"type": "http", "headers": headers}, None, send))
    return dict(sent[0]["headers"])[b"x-request-id"].decode(), logged[0]


def test_an_answer_has_the_name_that_its_log_lines_have() -> None:
    (first, logged), (second, _) = answer_of([]), answer_of([])

    assert first == logged != second
    assert len(first) == 16


def test_a_name_that_comes_along_counts_only_behind_a_proxy_and_if_it_is_one(settings: Settings) -> None:
    name = [(b"x-request-id", b"from-the-proxy.1")]
    assert answer_of(name)[0] != "from-the-proxy.1"

    settings.BEHIND_PROXY = True
    assert answer_of(name) == ("from-the-proxy.1", "from-the-proxy.1")
    for bad in (b"short", b"x" * 65, b"line\nbreak", "ümläut-ümläut".encode()):
        assert len(answer_of([(b"x-request-id", bad)])[0]) == 16
