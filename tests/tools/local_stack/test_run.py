"""The whole stack, started as `make run` does, from a copy of the project."""

import os
import signal
from collections.abc import Iterator

import pytest
import requests

from tools.local_stack import supervisor
from tools.local_stack.processes import wait_until

from .clone import SECONDS_TO_STOP, Stack


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("clone"))
    yield stack
    stack.stop()


def test_processes_get_less_than_three_seconds_to_end() -> None:
    assert supervisor.SECONDS_TO_STOP_DJANGO + supervisor.SECONDS_TO_STOP_SERVERS < SECONDS_TO_STOP


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_stop_ends_all_parts(stack: Stack, number: signal.Signals) -> None:
    process = stack.start()
    assert requests.get(stack.url, timeout=60).status_code == 200
    pids = stack.pids()
    assert len(pids) == 5

    process.send_signal(number)

    stack.assert_gone(pids)
    assert process.returncode == 0


def test_end_of_a_part_is_reported(stack: Stack) -> None:
    process = stack.start()
    pids = stack.pids()

    os.kill(int((stack.local / "run" / "aws.pid").read_text().split()[0]), signal.SIGKILL)

    stack.assert_gone(pids)
    assert process.returncode == 1
    assert "The aws emulator ended by itself (signal 9)" in stack.output.read_text()


def test_killed_it_leaves_no_process_and_the_next_start_has_the_data(stack: Stack) -> None:
    process = stack.start()
    refused = stack.command("-m", "tools.local_stack", "run").communicate(timeout=30)[0].decode()
    assert refused == f"The local stack is already running at {stack.url}: use that one, or stop it first.\n"
    stack.manage("from users.models import User; User.objects.filter(handle='bayko').update(bio='kept')")
    pids = stack.pids()

    process.kill()

    stack.assert_gone(pids)
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

    assert wait_until(is_another, seconds=60)
    assert requests.get(stack.url, timeout=60).status_code == 200
