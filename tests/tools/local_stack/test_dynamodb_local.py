import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from messaging.dynamodb.client import connect, connect_streams
from messaging.dynamodb.schema import load_schema, stream_arn
from messaging.dynamodb.table import MessageTable
from tools.local_stack.aws import ROOT
from tools.local_stack.dynamodb_download import unpacked
from tools.local_stack.dynamodb_local import DynamoDbLocal
from tools.local_stack.environment import local_directory
from tools.local_stack.ports import free_port, listener
from tools.local_stack.problem import Problem
from tools.local_stack.processes import wait_until

EMULATOR = unpacked(local_directory(ROOT) / "dynamodb-local")
pytestmark = pytest.mark.dynamodb
IS_ASKED_FOR = bool(os.environ.get("CRUDDUR_TEST_DYNAMODB_LOCAL"))
really = pytest.mark.skipif(
    not IS_ASKED_FOR and not (EMULATOR.exists() and shutil.which("java")),
    reason="needs Java and what `make dynamodb-local` fetches",
)


@pytest.fixture
def java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of a fake java that the test writes, the only program there is."""
    program = tmp_path / "bin" / "java"
    program.parent.mkdir()
    program.touch(mode=stat.S_IRWXU)
    monkeypatch.setenv("PATH", str(program.parent))
    return program


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DynamoDbLocal]:
    server = DynamoDbLocal(tmp_path_factory.mktemp("dynamodb"), emulator=EMULATOR)
    server.start()
    yield server
    server.stop()


def table_of(server: DynamoDbLocal, *, region: str = "us-east-1") -> MessageTable:
    return MessageTable(connect(endpoint_url=server.url, region=region), "cruddur-messages")


@really
def test_it_takes_the_table_of_the_application_and_its_stream(server: DynamoDbLocal) -> None:
    table = table_of(server)

    list(load_schema(table, sleep=lambda _: None))

    streams = connect_streams(endpoint_url=server.url, region="us-east-1")
    description = streams.describe_stream(StreamArn=stream_arn(table))["StreamDescription"]
    assert description["StreamViewType"] == "NEW_AND_OLD_IMAGES"


@really
def test_all_regions_see_the_same_tables(server: DynamoDbLocal) -> None:
    list(load_schema(table_of(server), sleep=lambda _: None))

    tables = table_of(server, region="eu-central-1").client.list_tables()["TableNames"]

    assert tables == ["cruddur-messages"]


@really
def test_it_says_when_another_program_took_its_port_meanwhile(server: DynamoDbLocal, tmp_path: Path) -> None:
    late = DynamoDbLocal(tmp_path / "late", emulator=EMULATOR)
    late.launch()
    with listener(late.port, variable="DYNAMODB_PORT"):
        sentence = rf"Port {late.port} is in use by another program: .* `make dynamodb-local DYNAMODB_PORT="
        with pytest.raises(Problem, match=sentence):
            late.wait_until_ready()


def test_port_in_use_is_reported(java: Path, tmp_path: Path) -> None:
    with listener(0, variable="DYNAMODB_PORT") as sock:
        port = sock.getsockname()[1]

        with pytest.raises(Problem, match=rf"Port {port} is in use .* `make dynamodb-local DYNAMODB_PORT={port + 1}`"):
            DynamoDbLocal(tmp_path / "run", emulator=tmp_path, port=port).start()


def test_missing_java_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(Problem, match=r"needs Java, and there is no `java` here: install Java 17 or newer"):
        DynamoDbLocal(tmp_path / "run", emulator=tmp_path).start()


def test_outdated_java_is_reported(java: Path, tmp_path: Path) -> None:
    java.write_text(
        "#!/bin/sh\necho Exception: java.lang.UnsupportedClassVersionError: class file version 52\nexit 1\n"
    )

    with pytest.raises(Problem, match=r"The Java of this machine is too old for DynamoDB Local: install Java 17"):
        DynamoDbLocal(tmp_path / "run", emulator=tmp_path).start()


def test_failed_start_is_explained(java: Path, tmp_path: Path) -> None:
    java.write_text("#!/bin/sh\necho There is no room for a heap\nexit 1\n")

    with pytest.raises(Problem, match=r"did not start, its log .*run\.log ends with:\nThere is no room for a heap"):
        DynamoDbLocal(tmp_path / "run", emulator=tmp_path).start()


@pytest.mark.skipif(not IS_ASKED_FOR, reason="CRUDDUR_TEST_DYNAMODB_LOCAL is not set")
def test_tests_run_on_dynamodb_local(table: MessageTable) -> None:
    assert ":ddblocal:" in stream_arn(table)


@really
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_the_command_starts_it_and_stops_it_when_told_to(tmp_path: Path, number: signal.Signals) -> None:
    port = free_port()
    (tmp_path / "dynamodb-local").mkdir()
    (tmp_path / "dynamodb-local" / EMULATOR.parent.name).symlink_to(EMULATOR.parent)
    output = tmp_path / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "tools.local_stack", "dynamodb-local"],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "CRUDDUR_LOCAL_DIR": str(tmp_path), "DYNAMODB_PORT": str(port)},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    is_decided = wait_until(lambda: b"Ctrl-C" in output.read_bytes() or process.poll() is not None, seconds=60)
    assert is_decided
    assert f"`AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:{port} make run`" in output.read_text()

    process.send_signal(number)

    assert process.wait(timeout=60) == 0
    assert output.read_text().endswith(f"Stopping ({number.name}) …\n")
    listener(port, variable="DYNAMODB_PORT").close()
