"""The projection as a Lambda function: the events it gets, the failures it reports, and what it does not log."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aws_lambda_powertools import Logger

from deploy.lambda_zip import build
from messaging.domain.entities import Conversation
from messaging.dynamodb import connection
from messaging.dynamodb.codec import conversation_item, message_item
from messaging.dynamodb.table import MessageTable
from messaging.stream import lambda_handler
from tests.messaging.faults import answer, fault
from tests.messaging.talk import ANDREW, BAYKO, GROUP, LONDO, entry_of, send, start
from tools.local_stack.key import key_from

SECRET = "nobody's business"
MEGABYTE = 1_000_000


@pytest.fixture(autouse=True)
def function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lambda_handler, "message_table", connection.message_table)


def as_json(value: Any) -> Any:
    """Convert items as Lambda passes them to functions: JSON with binary values in base64."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Mapping):
        return {name: as_json(each) for name, each in value.items()}
    return [as_json(each) for each in value] if isinstance(value, list) else value


def event(*images: dict[str, Any], begin: int = 100) -> dict[str, Any]:
    records = [
        {
            "eventName": "MODIFY",
            "eventSource": "aws:dynamodb",
            "dynamodb": {"Keys": {}, "NewImage": as_json(image), "SequenceNumber": str(number)},
        }
        for number, image in enumerate(images, start=begin)
    ]
    return dict(json.loads(json.dumps({"Records": records})))


def only(table: MessageTable, group: UUID = GROUP) -> Conversation:
    found = table.conversation(group)
    assert found is not None
    return found


def test_it_moves_the_entries_of_what_changed(either_table: MessageTable) -> None:
    start()
    first = conversation_item(only(either_table))
    message = send(text="The newest")

    answered = lambda_handler.handler(
        event(first, message_item(message), conversation_item(only(either_table))), context=None
    )

    assert answered == {"batchItemFailures": []}
    assert entry_of(either_table, BAYKO).message == "The newest"
    assert entry_of(either_table, BAYKO).unread == 2


def test_a_burst_costs_one_update_a_member(moto_table: MessageTable, calls: Any) -> None:
    start()
    images = []
    for _ in range(100):
        send()
        images.append(conversation_item(only(moto_table)))

    with calls.counted(moto_table.client):
        lambda_handler.handler(event(*images), context=None)

    assert calls.operations == ["UpdateItem", "UpdateItem"]


def test_it_reports_the_lowest_record_that_failed_and_does_the_rest(moto_table: MessageTable) -> None:
    start()
    other = start(to=LONDO, text="Held up by nobody")
    damaged = {"pk": {"S": "MSG#1"}, "sk": {"S": "#CONVERSATION"}, "version": {"N": "1"}}
    send()

    images = [
        conversation_item(only(moto_table)), damaged, {**damaged, "pk": {"S": "MSG#2"}},
        conversation_item(only(moto_table, other.group_uuid)),
    ]  # fmt: skip
    answered = lambda_handler.handler(event(*images, begin=9), context=None)

    assert answered == {"batchItemFailures": [{"itemIdentifier": "10"}]}
    assert entry_of(moto_table, BAYKO).last_seq == 2
    assert entry_of(moto_table, LONDO, other.group_uuid).message == "Held up by nobody"


def test_numbers_are_compared_as_numbers(moto_table: MessageTable) -> None:
    damaged = {"pk": {"S": "MSG#1"}, "sk": {"S": "#CONVERSATION"}, "version": {"N": "1"}}
    later = {**damaged, "pk": {"S": "MSG#2"}}

    answered = lambda_handler.handler(event(damaged, later, begin=99), context=None)

    assert answered["batchItemFailures"] == [{"itemIdentifier": "99"}]


def test_throttled_it_asks_for_the_record_again(moto_table: MessageTable) -> None:
    start()
    send()
    throttled = answer("ThrottlingException")

    with fault(moto_table, "UpdateItem", throttled, throttled):
        answered = lambda_handler.handler(event(conversation_item(only(moto_table))), context=None)
    assert answered == {"batchItemFailures": [{"itemIdentifier": "100"}]}

    assert lambda_handler.handler(event(conversation_item(only(moto_table))), context=None) == {"batchItemFailures": []}
    assert entry_of(moto_table, BAYKO).last_seq == 2


def test_its_log_is_json_without_what_people_wrote(
    moto_table: MessageTable, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    start(text=SECRET)
    image = conversation_item(only(moto_table))
    damaged = {**image, "pk": {"S": "MSG#1"}, "seq": {"S": SECRET}}
    monkeypatch.setattr(lambda_handler, "logger", Logger(service="test", stream=sys.stdout))

    lambda_handler.handler(event(image, damaged), context=None)

    written = capsys.readouterr().out
    lines = [json.loads(line) for line in written.splitlines()]
    assert SECRET not in written
    assert lines[0]["key"] == "MSG#1"
    assert lines[0]["error"] == "MalformedItem"
    assert (lines[0]["item"], lines[0]["attribute"]) == ("MSG#1 #CONVERSATION", "pk")
    assert {name: lines[1][name] for name in ("records", "conversations", "entries_moved", "failed")} == {
        "records": 2, "conversations": 2, "entries_moved": 0, "failed": 1,
    }  # fmt: skip


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("lambda") / "stream-lambda.zip"
    build(target)
    return target


def test_its_zip_is_small_and_has_no_django(built: Path) -> None:
    names = zipfile.ZipFile(built).namelist()

    assert built.stat().st_size < MEGABYTE
    assert {"messaging/stream/lambda_handler.py", "messaging/stream/projection.py", "cruddur/problem.py"} <= set(names)
    assert not [name for name in names if "django" in name or "boto" in name or "views" in name]


def test_the_same_sources_give_the_same_zip(built: Path, tmp_path: Path) -> None:
    build(tmp_path / "again.zip")

    assert (tmp_path / "again.zip").read_bytes() == built.read_bytes()


@pytest.mark.slow
def test_it_runs_from_its_zip_with_nothing_but_the_runtime_s_boto3(
    built: Path, table: MessageTable, tmp_path: Path
) -> None:
    start()
    send(text="From the zip")
    (tmp_path / "event.json").write_text(json.dumps(event(conversation_item(only(table)))))
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    packages = Path(sys.modules["boto3"].__path__[0]).parent
    for name in ("boto3", "botocore", "s3transfer", "urllib3", "dateutil", "six.py"):
        (runtime / name).symlink_to(packages / name)
    script = (
        "import json, sys; from messaging.stream.lambda_handler import handler;"
        "answer = handler(json.load(open('event.json')), None);"
        "assert 'django' not in sys.modules; print(json.dumps(answer))"
    )

    answered = subprocess.run(
        [sys.executable, "-S", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True,
        env={
            "PYTHONPATH": f"{built}:{runtime}", "DDB_MESSAGE_TABLE": table.name, "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_DYNAMODB": os.environ["AWS_ENDPOINT_URL_DYNAMODB"], **key_from(os.environ).environment(),
        },
    )  # fmt: skip

    assert json.loads(answered.stdout.splitlines()[-1]) == {"batchItemFailures": []}
    assert entry_of(table, ANDREW).message == entry_of(table, BAYKO).message == "From the zip"
