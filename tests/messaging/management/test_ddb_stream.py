"""ddb_stream on the emulator: the worker that runs and stops, what it does once, and what it looks at."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from threading import Event, Timer

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import OperationalError
from pytest_django.fixtures import Settings

from messaging.dynamodb import connection
from messaging.dynamodb.client import Unavailable
from messaging.dynamodb.schema import stream_arn
from messaging.dynamodb.shards import StreamGone
from messaging.dynamodb.table import MessageTable
from messaging.stream.consumer import DRAIN_TRIES, DRAINED_PASSES, StreamConsumer
from tests.messaging.command_runs import run, run_json
from tests.messaging.scripted_watch import Watched
from tests.messaging.stream.scripted_stream import ScriptedStream, refused
from tests.messaging.talk import BAYKO, entry_of, send, start

pytestmark = pytest.mark.django_db

COMMAND = "ddb_stream"


# --- The worker -------------------------------------------------------------------------------------------------------


@contextmanager
def worker(table: MessageTable, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run the command in a separate process until it reads its stream; kill it if it takes far too long."""
    url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**django_settings.DATABASES["default"])
    process = subprocess.Popen(
        [sys.executable, "manage.py", COMMAND, *arguments],
        env={**os.environ, "DDB_MESSAGE_TABLE": table.name, "DATABASE_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    watchdog = Timer(60, process.kill)
    watchdog.start()
    try:
        assert process.stdout is not None
        while "reading" not in process.stdout.readline():
            assert process.poll() is None
        yield process
    finally:
        watchdog.cancel()
        process.kill()
        process.communicate()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_worker_stops_cleanly(table: MessageTable, end: signal.Signals) -> None:
    with worker(table) as process:
        process.send_signal(end)
        output, errors = process.communicate()

    assert process.returncode == 0
    assert output == "Stopped.\n"
    assert "Traceback" not in errors


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_programs_are_told_what_it_does_while_it_does_it(table: MessageTable) -> None:
    start()
    with worker(table, "--json", "-v2") as process:
        send(text="Live")
        assert process.stdout is not None
        moved = 0
        while moved < 2:
            event = json.loads(process.stdout.readline())
            assert event.keys() == {"event", "shard", "records", "entries"}
            assert event["event"] == "applied"
            moved += event["entries"]
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate()

    assert process.returncode == 0
    assert json.loads(output.splitlines()[-1]) == {"event": "stopped"}
    assert entry_of(table, BAYKO).message == "Live"


def stopping_at(monkeypatch: pytest.MonkeyPatch, *errors: Exception) -> list[str]:
    """Let the consumer fail so, time after time, and then have the command told to stop; gives the streams it read."""
    waiting = list(errors)
    read: list[str] = []

    def run_or_fail(self: StreamConsumer, stop: Event) -> None:
        read.append(self.stream_arn)
        if waiting:
            raise waiting.pop(0)
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(5)

    monkeypatch.setattr("messaging.management.commands.ddb_stream.PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(StreamConsumer, "run", run_or_fail)
    return read


@pytest.mark.parametrize("arguments", [(), ("--once",)])
def test_a_refused_permission_ends_it_with_a_sentence(
    table: MessageTable, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    stream = ScriptedStream(faults={"describe_stream": [refused("AccessDeniedException")]})
    monkeypatch.setattr("messaging.management.commands.ddb_stream.streams_client", lambda: stream)

    with pytest.raises(CommandError, match="the credentials lack the permission"):
        run(COMMAND, *arguments)


def test_output_for_people_names_the_stream(table: MessageTable, monkeypatch: pytest.MonkeyPatch) -> None:
    stopping_at(monkeypatch)

    out, err = run(COMMAND)

    assert out.splitlines()[0].startswith("DynamoDB ")
    assert out.splitlines()[1:] == [f"  reading {stream_arn(table)}", "Stopped."]
    assert err == ""
    assert run(COMMAND, "-v0") == ("", "")


@pytest.mark.django_db(transaction=True)
def test_worker_survives_an_outage_of_the_database(table: MessageTable, monkeypatch: pytest.MonkeyPatch) -> None:
    read = stopping_at(monkeypatch, OperationalError("away"))

    _, err = run(COMMAND)

    assert read == [stream_arn(table)] * 2
    assert err == "The database does not answer; trying again.\n"


def test_worker_switches_to_stream_of_recreated_table(table: MessageTable, monkeypatch: pytest.MonkeyPatch) -> None:
    read = stopping_at(monkeypatch, StreamGone())
    arns = iter(["old", "new"])
    monkeypatch.setattr("messaging.management.commands.ddb_stream.stream_arn", lambda _: next(arns))

    out, _ = run(COMMAND)

    assert read == ["old", "new"]
    assert "  reading old\n  reading new\nStopped.\n" in out


def test_signal_handlers_are_restored(table: MessageTable, monkeypatch: pytest.MonkeyPatch) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    stopping_at(monkeypatch)

    run(COMMAND)

    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before


@pytest.mark.parametrize("arguments", [[], ["--once"], ["--status"]])
def test_unreachable_dynamodb_is_explained(settings: Settings, arguments: list[str]) -> None:
    settings.DYNAMODB_ENDPOINT_URL = settings.DYNAMODB_STREAMS_ENDPOINT_URL = "http://127.0.0.1:9"
    connection.forget()

    with pytest.raises(CommandError, match="make run"):
        run(COMMAND, *arguments)
    connection.forget()


@pytest.mark.parametrize("arguments", [[], ["--once"], ["--status"]])
def test_missing_table_is_explained(settings: Settings, table: MessageTable, arguments: list[str]) -> None:
    settings.DDB_MESSAGE_TABLE = "no-such-table"
    connection.forget()

    with pytest.raises(CommandError, match=r"no-such-table does not exist: run `manage\.py ddb_schema_load`") as caught:
        run(COMMAND, *arguments)
    assert caught.value.returncode == 1


# --- Once -------------------------------------------------------------------------------------------------------------


def test_once_it_applies_what_is_there_and_says_how_much(table: MessageTable) -> None:
    run(COMMAND, "--once")
    start()
    send(text="Newest")

    first, last = run_json(COMMAND, "--once")

    assert first == {"event": "reading", "stream": stream_arn(table)}
    assert last["records"] >= 6
    assert last | {"records": 0} == {"event": "drained", "stream": stream_arn(table), "records": 0, "entries": 2}
    assert entry_of(table, BAYKO).message == "Newest"


def test_repeated_once_finds_nothing(table: MessageTable) -> None:
    start()
    send()
    run(COMMAND, "--once")

    assert run(COMMAND, "--once")[0].endswith("Drained: 0 records read, 0 entries moved.\n")
    assert run(COMMAND, "--once", "-v0") == ("", "")


def test_once_it_tells_each_batch_to_who_asks(table: MessageTable) -> None:
    start()
    send()

    out, _ = run(COMMAND, "--once", "-v2")

    assert "  every conversation projected, 2 entries moved\n" in out
    assert " records, 0 entries moved\n" in out


def test_once_ctrl_c_is_130_and_safe_to_repeat(table: MessageTable, monkeypatch: pytest.MonkeyPatch) -> None:
    run(COMMAND, "--once")
    start()
    send(text="Newest")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    err = StringIO()
    with monkeypatch.context() as patch:
        patch.setattr(MessageTable, "copy_to_entry", interrupt)
        with pytest.raises(SystemExit) as caught:
            call_command(COMMAND, "--once", stdout=StringIO(), stderr=err)
    assert caught.value.code == 130
    assert "run it again" in err.getvalue()

    run(COMMAND, "--once")
    assert entry_of(table, BAYKO).message == "Newest"


def test_once_it_reads_the_children_of_what_ends(moto_table: MessageTable) -> None:
    start()
    (conversation,) = moto_table.conversations()
    stream = ScriptedStream()
    stream.open_shard("parent")
    stream.split("parent", "child")
    stream.split("child", "grandchild")
    for name in stream.shards:
        stream.write(name, conversation)
    watched = Watched.of(stream, moto_table)

    watched.consumer.drain(watched.time)

    assert watched.consumer.records == 3


def test_once_it_is_not_fooled_by_an_empty_page(moto_table: MessageTable) -> None:
    start()
    (conversation,) = moto_table.conversations()
    stream = ScriptedStream(empty_pages=[True] * (DRAINED_PASSES - 1))
    stream.open_shard("one")
    stream.write("one", conversation)
    watched = Watched.of(stream, moto_table)

    watched.consumer.drain(watched.time)

    assert watched.consumer.records == 1


def test_once_it_tries_again_but_not_for_ever(moto_table: MessageTable) -> None:
    limited = refused("LimitExceededException")
    stream = ScriptedStream(faults={"get_records": [limited] * (DRAIN_TRIES - 1)})
    stream.open_shard("one")
    patient = Watched.of(stream, moto_table)
    patient.consumer.drain(patient.time)

    stream.faults["get_records"] = [limited] * DRAIN_TRIES
    impatient = Watched.of(stream, moto_table)
    with pytest.raises(Unavailable):
        impatient.consumer.drain(impatient.time)
    assert impatient.time.waited == [0.5, 1.0, 2.0, 4.0]
