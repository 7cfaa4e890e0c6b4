"""A copy of the project whose stack is started and stopped as `make run` does."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from tools.local_stack import postgres_home
from tools.local_stack.aws import ROOT
from tools.local_stack.environment import read_env
from tools.local_stack.ports import free_port
from tools.local_stack.postgres import processes_in
from tools.local_stack.processes import is_alive, wait_until

PARTS = (
    "cruddur",
    "tools/local_stack",
    "tools/__init__.py",
    "messaging",
    "moderation",
    "legacy_import",
    "static",
    "templates",
    "users",
    "manage.py",
    "requirements.txt",
)
SECONDS_TO_START = 60
SECONDS_TO_STOP = 3.0
"""What Ctrl-C may take: after their time processes are killed."""


class Stack:
    """A copy of the project without the developer's `.env`, and the run that goes on at present.

    `variables` are what its environment has besides the least: by default three free ports.
    """

    def __init__(
        self, root: Path, variables: Mapping[str, str] | None = None, *, python: str | Path = sys.executable
    ) -> None:
        self.python = str(python)
        for part in PARTS:
            source = ROOT / part
            (root / part).parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(source, root / part) if source.is_dir() else shutil.copy2(source, root / part)
        if variables is None:
            variables = {name: str(free_port()) for name in ("PORT", "POSTGRES_PORT", "AWS_PORT")}
        self.root = root
        self.local = root / "state"
        self.environment = {
            **variables,
            "PATH": os.environ["PATH"],
            "HOME": str(root),
            "CRUDDUR_LOCAL_DIR": str(self.local),
        }
        self.output = root / "output"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where the site is, once it runs."""
        return read_env(self.local / "env")["APP_URL"]

    def stop(self) -> None:
        """Stop it, if it runs, and delete its data."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=60)
        postgres_home.remove(self.local / "postgres")

    def launch(self) -> None:
        """Begin to start it."""
        with self.output.open("wb") as output:
            self.process = self.command("-m", "tools.local_stack", "run", output=output)

    def start(self) -> "subprocess.Popen[bytes]":
        self.launch()
        return self.wait()

    def wait(self) -> "subprocess.Popen[bytes]":
        """Wait until the stack is up."""
        assert self.process
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
        """Return the pids of the supervisor and its children."""
        assert self.process
        return [self.process.pid, *(int(file.read_text().split()[0]) for file in (self.local / "run").glob("*.pid"))]

    def data(self) -> Path:
        place = self.local / "postgres" / "place"
        return Path(place.read_text().strip() if place.exists() else self.local / "postgres") / "data"

    def assert_gone(self, pids: list[int]) -> None:
        assert self.process
        self.process.wait(timeout=60)
        assert wait_until(lambda: not any(is_alive(pid) for pid in pids), seconds=60)
        assert wait_until(lambda: processes_in(self.data()) == [], seconds=60)
