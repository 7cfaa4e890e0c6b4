"""The real processes of these tests: started from the nursery, killed, and asked what they did last."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings

IDLE = ["after GetRecords"] * 3
"""The last moments of an idle worker."""

DOES_NOT_ANSWER = "DynamoDB does not answer"
TRIES = 5


@dataclass(slots=True)
class Nursery:
    """Starts processes that work on one table."""

    process: subprocess.Popen[str]
    directory: Path
    """For what they tell and say."""
    children: list[Process] = field(default_factory=list)

    def ask(self, **asked: Any) -> dict[str, int]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        answer: dict[str, int] = json.loads(self.process.stdout.readline())
        return answer

    def bear(self, role: str, **how: Any) -> Process:
        """Start a web server or a worker; see `births`."""
        told, said = (self.directory / f"{len(self.children)}.{what}" for what in ("told", "said"))
        answer = self.ask(role=role, told=str(told), said=str(said), how=how)
        child = Process(self, answer["pid"], answer.get("port", 0), told, said)
        self.children.append(child)
        return child

    def drain(self, table_name: str) -> None:
        """Let a worker apply all that a table's stream holds."""
        for _ in range(TRIES):
            worker = self.bear("worker", table=table_name, arguments=["--once"])
            if worker.wait() == 0:
                return
            assert worker.has_given_up(), worker.said.read_text()
        raise AssertionError(DOES_NOT_ANSWER)

    def end_all(self) -> None:
        """Kill those that are left."""
        for child in self.children:
            child.kill()


@dataclass(slots=True)
class Process:
    """A web server or a worker."""

    nursery: Nursery
    pid: int
    port: int
    """Where a web server listens."""
    told: Path
    said: Path
    status: int | None = field(default=None)

    def kill(self) -> None:
        """Send SIGKILL, whatever the process is doing."""
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            self.wait()

    def wait(self) -> int:
        """Wait for the end; return the exit code, negative for a signal."""
        if self.status is None:
            self.status = self.nursery.ask(wait=self.pid, at_once=False)["status"]
        return self.status

    def has_given_up(self) -> bool:
        """Return whether it ended by itself because DynamoDB did not answer, as on a busy machine."""
        if self.status is None:
            self.status = self.nursery.ask(wait=self.pid, at_once=True).get("status")
        return self.status == 1 and DOES_NOT_ANSWER in self.said.read_text()

    def was_killed(self) -> bool:
        """Return whether it died of SIGKILL; fail the test for any other end than that or success."""
        status = self.wait()
        assert status in (0, -signal.SIGKILL), self.said.read_text()
        return status == -signal.SIGKILL

    def moments(self) -> list[str]:
        """Return the moments it passed; the last one is when it died, if that was between two calls."""
        return self.told.read_text().splitlines() if self.told.exists() else []

    def is_idle(self) -> bool:
        """Return whether a worker read the stream several times and found nothing."""
        return self.moments()[-len(IDLE) :] == IDLE


@contextmanager
def nursery(directory: Path) -> Iterator[Nursery]:
    """Start a nursery on the test database; its children end with it."""
    url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**settings.DATABASES["default"])
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.kills.nursery"],
        env={**os.environ, "DATABASE_URL": url},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Nursery(process, directory)
    finally:
        # The end of its input is what ends it.
        process.communicate()
