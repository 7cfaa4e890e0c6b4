"""The whole stack, started as `make run` does, from a copy of the project."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
import requests

from local_stack import postgres_home
from local_stack.aws import ROOT
from local_stack.ports import free_port
from local_stack.postgres import processes_in
from local_stack.processes import is_alive, wait_until

PARTS = (
    "cruddur",
    "local_stack",
    "messaging",
    "moderation",
    "static",
    "templates",
    "users",
    "manage.py",
    "requirements.txt",
)
SECONDS_TO_START = 60
SECONDS_TO_STOP = 3.0


class Stack:
    """A copy of the project without the developer's `.env`, ports of its own, and the run that goes on at present."""

    def __init__(self, root: Path, python: str | Path = sys.executable) -> None:
        self.python = str(python)
        for part in PARTS:
            source = ROOT / part
            shutil.copytree(source, root / part) if source.is_dir() else shutil.copy2(source, root / part)
        ports = {name: str(free_port()) for name in ("PORT", "POSTGRES_PORT", "AWS_PORT")}
        self.root = root
        self.url = f"http://localhost:{ports['PORT']}"
        self.local = root / "state"
        self.environment = {
            **ports,
            "PATH": os.environ["PATH"],
            "HOME": str(root),
            "CRUDDUR_LOCAL_DIR": str(self.local),
        }
        self.output = root / "output"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "subprocess.Popen[bytes]":
        with self.output.open("wb") as output:
            self.process = self.command("-m", "local_stack", "run", output=output)
        process = self.process

        def is_decided() -> bool:
            return b"Ctrl-C" in self.output.read_bytes() or process.poll() is not None

        assert wait_until(is_decided, seconds=SECONDS_TO_START, pause=0.05), self.output.read_text()
        assert process.poll() is None, self.output.read_text()
        return process

    def command(self, *arguments: str, output: int | BinaryIO = subprocess.PIPE) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [self.python, *arguments],
            cwd=self.root,
            env=self.environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def manage(self, code: str) -> str:
        answer = self.command("manage.py", "shell", "--verbosity", "0", "-c", code).communicate(timeout=30)[0]
        return answer.decode().strip()

    def pids(self) -> list[int]:
        """The supervisor and its children."""
        assert self.process
        return [self.process.pid, *(int(file.read_text().split()[0]) for file in (self.local / "run").glob("*.pid"))]

    def data(self) -> Path:
        place = self.local / "postgres" / "place"
        return Path(place.read_text().strip() if place.exists() else self.local / "postgres") / "data"

    def assert_gone(self, pids: list[int], *, since: float) -> None:
        assert self.process
        self.process.wait(timeout=10)
        assert wait_until(lambda: not any(is_alive(pid) for pid in pids), seconds=SECONDS_TO_STOP)
        assert wait_until(lambda: processes_in(self.data()) == [], seconds=1)
        assert time.monotonic() - since < SECONDS_TO_STOP


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("clone"))
    yield stack
    if stack.process and stack.process.poll() is None:
        stack.process.terminate()
        stack.process.wait(timeout=10)
    postgres_home.remove(stack.local / "postgres")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_ends_everything_when_told_to(stack: Stack, number: signal.Signals) -> None:
    process = stack.start()
    assert requests.get(stack.url, timeout=5).status_code == 200
    pids = stack.pids()
    assert len(pids) == 5

    since = time.monotonic()
    process.send_signal(number)

    stack.assert_gone(pids, since=since)
    assert process.returncode == 0


def test_it_is_told_when_a_part_ends(stack: Stack) -> None:
    process = stack.start()
    pids = stack.pids()

    since = time.monotonic()
    os.kill(int((stack.local / "run" / "aws.pid").read_text().split()[0]), signal.SIGKILL)

    stack.assert_gone(pids, since=since)
    assert process.returncode == 1
    assert "The aws emulator ended by itself (signal 9)" in stack.output.read_text()


def test_killed_it_leaves_no_process_and_the_next_start_has_the_data(stack: Stack) -> None:
    process = stack.start()
    refused = stack.command("-m", "local_stack", "run").communicate(timeout=30)[0].decode()
    assert refused == f"The local stack is already running at {stack.url}: use that one, or stop it first.\n"
    stack.manage("from users.models import User; User.objects.filter(handle='bayko').update(bio='kept')")
    pids = stack.pids()

    since = time.monotonic()
    process.kill()

    stack.assert_gone(pids, since=since)
    stack.start()
    assert "Setting up" not in stack.output.read_text()
    assert stack.manage("from users.models import User; print(User.objects.get(handle='bayko').bio)") == "kept"


def test_it_restarts_the_web_server_when_the_code_changes(stack: Stack) -> None:
    if stack.process is None or stack.process.poll() is not None:
        stack.start()
    web = stack.local / "run" / "web-server.pid"
    before = web.read_text()

    (stack.root / "users" / "apps.py").touch()

    def is_another() -> bool:
        try:
            return web.read_text() not in ("", before)
        except FileNotFoundError:  # for a moment there is no web server
            return False

    assert wait_until(is_another, seconds=10)
    assert requests.get(stack.url, timeout=10).status_code == 200
