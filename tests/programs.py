"""Runs the programs of the project as processes, with the standard streams, variables and moments that a test asks for.

They are forked from `tests/program_server.py`, which saves most of what starting Python costs.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SECONDS_TO_END = 60.0
"""After as many a program counts as one that hangs."""
NULL, FULL = os.devnull, "/dev/full"
ROWS = 50
NONE: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Answer:
    """How a program ended, and what it wrote."""

    code: int | None
    """None: it hung, and was killed."""
    out: str
    err: str
    seconds: float


class Server:
    """A process from which programs are forked; with `set_up`, after Django read its settings."""

    def __init__(self, environment: Mapping[str, str], *, set_up: bool) -> None:
        self.environment = dict(environment)
        ours, theirs = socket.socketpair()
        options = ["--set-up"] if set_up else []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.program_server", str(theirs.fileno()), *options],
            cwd=ROOT, env=self.environment, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
        )  # fmt: skip
        theirs.close()
        self.channel = ours
        self.answers = ours.makefile("r")

    def close(self) -> None:
        self.answers.close()
        self.channel.close()
        self.process.wait()

    def run(
        self,
        program: Sequence[str],
        directory: Path,
        *,
        stdin: str | None = NULL,
        stdout: str | None = "out",
        stderr: str | None = "err",
        stop_after: float | None = None,
        variables: Mapping[str, str] = NONE,
    ) -> Answer:
        """Run a program in a directory. Streams are paths, None for closed; `stop_after` seconds comes Ctrl-C.

        `stdout="out"` and `stderr="err"` are files of the directory, whose text the answer has.
        """
        for name in ("out", "err"):
            (directory / name).write_bytes(b"")
        answer = self._ask(
            program=program, cwd=str(directory), streams=[stdin, stdout, stderr],
            environment={**self.environment, **variables},
        )  # fmt: skip
        began = time.monotonic()
        if stop_after is not None:
            time.sleep(stop_after)
            os.killpg(answer["pid"], signal.SIGINT)
        code = self._ask(wait=answer["pid"], seconds=SECONDS_TO_END)["code"]
        seconds = time.monotonic() - began
        out, err = ((directory / name).read_bytes().decode() for name in ("out", "err"))
        return Answer(code, out, err, seconds)

    def run_on_terminal(
        self, program: Sequence[str], directory: Path, *, columns: int, variables: Mapping[str, str] = NONE
    ) -> Answer:
        """Run a program whose standard output and error are a terminal of so many columns; `out` has both."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))
        written: list[bytes] = []

        def read() -> None:
            while True:
                try:
                    part = os.read(ours, 65536)
                except OSError:  # Linux, when all ends of the program are closed
                    return
                if not part:
                    return
                written.append(part)

        reader = Thread(target=read)
        reader.start()
        name = os.ttyname(theirs)
        try:
            answer = self.run(program, directory, stdout=name, stderr=name, variables=variables)
        finally:
            os.close(theirs)
            reader.join()
            os.close(ours)
        return Answer(answer.code, b"".join(written).decode().replace("\r\n", "\n"), "", answer.seconds)

    def _ask(self, **asked: Any) -> dict[str, Any]:
        self.channel.sendall(json.dumps(asked).encode() + b"\n")
        answer: dict[str, Any] = json.loads(self.answers.readline())
        return answer
