"""The name of a request goes with what it writes: through the item and the stream to the lines of who projects it."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from aws_lambda_powertools import Logger

from cruddur.observability.log import JsonLines, WithRequestId
from cruddur.observability.request_context import current_request_id, working_for
from messaging.actions import block, edit_message, leave_conversations, message_requests
from messaging.domain.timestamps import format_created_at
from messaging.dynamodb import connection
from messaging.dynamodb.keys import conversation_key
from messaging.dynamodb.repairs import Repairs
from messaging.dynamodb.table import MessageTable
from messaging.stream import lambda_handler
from messaging.stream.apply import apply
from messaging.stream.projection import changes
from tests.cookies import COOKIES
from tests.messaging.actions.test_message_requests import ask
from tests.messaging.faults import answer, fault
from tests.messaging.live_site import session_of, web_process
from tests.messaging.stream.test_consumer import PutAside, Remembered, consumer, drained
from tests.messaging.stream.test_lambda_handler import event
from tests.messaging.talk import ANDREW, BAYKO, GROUP, NOW, send, start
from users.models import User

NAME = "b1946ac92492d234"
CSRF = "c" * 32


def stored(table: MessageTable) -> str:
    """Return the request id that the conversation's item names."""
    item = table.client.get_item(TableName=table.name, Key=conversation_key(GROUP), ConsistentRead=True)["Item"]
    return item["request_id"]["S"]


def blocked() -> None:
    block.shut(user_uuid=BAYKO, other_uuid=ANDREW, now=NOW)


def edit() -> None:
    edit_message.edit(user_uuid=ANDREW, group_uuid=GROUP, created_at=format_created_at(NOW), text="Anew", now=NOW)


WRITES: dict[str, tuple[list[Callable[[], object]], Callable[[], object]]] = {
    "start": ([], start),
    "send": ([start], send),
    "edit": ([start], edit),
    "block": ([start], blocked),
    "block before any message": ([], blocked),
    "unblock": ([start, blocked], lambda: block.reopen(user_uuid=BAYKO, other_uuid=ANDREW)),
}


@pytest.mark.parametrize(("before", "write"), WRITES.values(), ids=WRITES)
def test_a_conversation_names_the_request_that_wrote_it_last(
    either_table: MessageTable, before: list[Callable[[], object]], write: Callable[[], object]
) -> None:
    for each in before:
        each()
    with working_for(NAME):
        write()

    assert stored(either_table) == NAME


def test_each_write_stores_its_own_request_id(either_table: MessageTable) -> None:
    with working_for(NAME):
        start()
    send()
    assert stored(either_table) == "-"

    with working_for(NAME):
        list(leave_conversations.leave_one(either_table, GROUP, BAYKO, now=NOW))
    assert stored(either_table) == NAME


def test_accepting_stores_its_own_request_id(either_table: MessageTable) -> None:
    ask()
    with working_for(NAME):
        message_requests.accept(user_uuid=BAYKO, group_uuid=GROUP)

    assert stored(either_table) == NAME


def test_writes_of_a_reconciliation_have_no_request_id(either_table: MessageTable) -> None:
    with working_for(NAME):
        start()
    item = either_table.client.get_item(TableName=either_table.name, Key=conversation_key(GROUP))["Item"]
    conversation = either_table.conversation(GROUP)
    assert conversation

    assert Repairs(either_table).rewrite_conversation(item, conversation)
    written = either_table.client.get_item(TableName=either_table.name, Key=conversation_key(GROUP))["Item"]
    assert "request_id" not in written


class Lines(logging.Handler):
    """What is logged, as the fields of its line."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[dict[str, str]] = []
        self.addFilter(WithRequestId())

    def emit(self, record: logging.LogRecord) -> None:
        self.written.append(json.loads(JsonLines().format(record)))


@pytest.fixture
def log() -> Iterator[list[dict[str, str]]]:
    """Capture the worker's own log."""
    lines, worker = Lines(), logging.getLogger("messaging.stream")
    worker.addHandler(lines)
    yield lines.written
    worker.removeHandler(lines)


@pytest.mark.django_db
def test_worker_logs_the_id_of_the_writing_request(table: MessageTable, log: list[dict[str, str]]) -> None:
    reader = consumer(table)
    reader.begin()
    with working_for("first-request"):
        start()
    with working_for(NAME):
        send()
    send()

    drained(reader)

    told = [line for line in log if f"MSG#{GROUP}" in line["message"]]
    assert [line["request_id"] for line in told][-1] == NAME
    assert "first-request" in " ".join(line["message"] for line in told)
    assert current_request_id() == "-"


@pytest.mark.django_db
def test_a_whole_table_is_projected_without_a_line_for_each(table: MessageTable, log: list[dict[str, str]]) -> None:
    with working_for(NAME):
        start()

    reader = consumer(table, Remembered({"shardId-gone": "1"}))
    reader.begin()

    told = [line["message"] for line in log]
    assert "projected every conversation; 0 entries moved" in told
    assert NAME not in " ".join(told)


@pytest.mark.django_db
def test_a_dead_letter_s_line_has_the_name(moto_table: MessageTable, log: list[dict[str, str]]) -> None:
    with working_for(NAME):
        start()
    item = moto_table.client.get_item(TableName=moto_table.name, Key=conversation_key(GROUP))["Item"]
    damaged = {**item, "seq": {"S": "none"}}
    (change,) = changes([{"dynamodb": {"NewImage": damaged, "SequenceNumber": "7"}}])

    apply(moto_table, change, shard_id="s", dead_letters=PutAside(), sleep=lambda seconds: None)

    (line,) = log
    assert (line["request_id"], line["level"]) == (NAME, "ERROR")


def test_the_function_s_lines_name_the_requests(
    moto_table: MessageTable, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lambda_handler, "message_table", connection.message_table)
    monkeypatch.setattr(lambda_handler, "logger", Logger(service="request-ids", stream=sys.stdout))
    with working_for(NAME):
        start()
    item = moto_table.client.get_item(TableName=moto_table.name, Key=conversation_key(GROUP))["Item"]

    with fault(moto_table, "UpdateItem", *[answer("ThrottlingException")] * 2):
        lambda_handler.handler(event(item), context=None)
    lambda_handler.handler(event(item), context=None)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["message"], line["request_ids"]) for line in lines] == [
        ("DynamoDB does not answer", [NAME]),
        ("batch projected", [NAME]),
        ("batch projected", [NAME]),
    ]


@pytest.mark.django_db(transaction=True)
def test_request_id_appears_in_the_log_of_the_worker(table: MessageTable, log: list[dict[str, str]]) -> None:
    andrew = User.objects.create_user(handle="andrew", display_name="Andrew")
    bayko = User.objects.create_user(handle="bayko", display_name="Bayko")
    reader = consumer(table)
    reader.begin()
    with web_process() as web:
        asked = HTTPConnection("127.0.0.1", web.port, timeout=20)
        asked.request(
            "POST", f"/messages/new/{bayko.handle}",
            urlencode({"message": "Hello", "message_uuid": str(uuid4()), "after": ""}),
            {"Cookie": f"{COOKIES.session}={session_of(andrew)}; {COOKIES.csrf}={CSRF}", "X-CSRFToken": CSRF,
             "Host": "localhost", "Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"},
        )  # fmt: skip
        answered = asked.getresponse()
        answered.read()
        asked.close()
    assert answered.status == 201

    drained(reader)

    assert answered.headers["X-Request-ID"] in [line["request_id"] for line in log]
