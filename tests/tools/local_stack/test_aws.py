import json
import os
import signal
import socket
import time
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tools.local_stack.aws import AwsEmulator
from tools.local_stack.aws_server import may_change
from tools.local_stack.problem import Problem
from users.cognito import client as client_module


def make_pool(emulator: AwsEmulator, name: str) -> None:
    client_module.connect(endpoint_url=emulator.url, region="us-east-1").create_user_pool(PoolName=name)


def pools(emulator: AwsEmulator) -> list[str]:
    client = client_module.connect(endpoint_url=emulator.url, region="us-east-1")
    return [pool["Name"] for pool in client.list_user_pools(MaxResults=10)["UserPools"]]


def kill(emulator: AwsEmulator) -> None:
    assert emulator.child
    os.kill(emulator.child.popen.pid, signal.SIGKILL)
    emulator.child.popen.wait()


def test_it_keeps_what_is_three_seconds_old_when_it_is_killed(tmp_path: Path) -> None:
    emulator = AwsEmulator(tmp_path / "aws")
    emulator.start()
    make_pool(emulator, "old enough")
    time.sleep(3)
    kill(emulator)

    emulator.start()

    assert pools(emulator) == ["old enough"]
    emulator.stop()


def test_emulator_keeps_its_state_when_stopped(tmp_path: Path) -> None:
    emulator = AwsEmulator(tmp_path / "aws")
    emulator.start()
    make_pool(emulator, "just made")
    emulator.stop()

    emulator.start()

    assert pools(emulator) == ["just made"]
    emulator.stop()


def test_it_says_what_to_do_about_a_damaged_state_and_does_not_write_over_it(tmp_path: Path) -> None:
    (tmp_path / "aws").mkdir()
    (tmp_path / "aws" / "dynamodb.json").write_text('{"half')
    emulator = AwsEmulator(tmp_path / "aws")

    with pytest.raises(Problem, match=r"dynamodb.json is damaged: delete the directory .* and run `make run` again"):
        emulator.start()

    assert (tmp_path / "aws" / "dynamodb.json").read_text() == '{"half'


@pytest.mark.parametrize(
    ("operation", "changes"),
    [
        ("DynamoDB_20120810.Query", False),
        ("DynamoDB_20120810.BatchGetItem", False),
        ("DynamoDB_20120810.TransactWriteItems", True),
        ("AWSCognitoIdentityProviderService.AdminCreateUser", True),
        ("", True),
    ],
)
def test_it_saves_only_after_requests_that_may_change_something(operation: str, changes: bool) -> None:
    scope = {"type": "http", "path": "/", "headers": [(b"x-amz-target", operation.encode())]}

    assert may_change(scope) is changes


def test_its_files_are_whole_json(tmp_path: Path) -> None:
    emulator = AwsEmulator(tmp_path / "aws")
    emulator.start()
    make_pool(emulator, "any")
    emulator.stop()

    assert "user_pools" in json.loads((tmp_path / "aws" / "cognito.json").read_text())["payload"]


@pytest.mark.parametrize("asks", [False, True], ids=["silent", "asking"])
def test_connections_that_clients_closed_hold_no_files(tmp_path: Path, asks: bool) -> None:
    """A user may have 1,024 open, and each command and each test connects a few times."""
    emulator = AwsEmulator(tmp_path / "aws", persist=False)
    emulator.start()
    assert emulator.child
    files = Path(f"/proc/{emulator.child.popen.pid}/fd")
    at_first = len(list(files.iterdir()))
    parts = urlsplit(emulator.url)

    for _ in range(100):
        if asks:
            client = HTTPConnection(parts.hostname or "", parts.port)
            client.request("GET", "/")
            client.getresponse().read()
            client.close()
        else:
            socket.create_connection((parts.hostname, parts.port)).close()

    for _ in range(100):
        if len(list(files.iterdir())) <= at_first + 2:
            break
        time.sleep(0.1)
    at_last = len(list(files.iterdir()))
    emulator.stop()
    assert at_last <= at_first + 2
