"""The AWS emulator (ministack: DynamoDB with streams, Cognito with a sign-in page) as a child process, on loopback."""

import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection
from pathlib import Path

from . import processes
from .aws_guard import HEALTH
from .disk import require_room
from .key import LocalKey, key_from
from .ports import LOOPBACK, listener
from .problem import Problem

ROOT = Path(__file__).resolve().parents[2]
SECONDS_TO_START = 60.0
NEEDED_MEGABYTES = 50


class AwsEmulator:
    """One emulator. With `persist`, its state is kept in the directory and a kill -9 loses at most two seconds of it.

    It accepts requests signed with `key` (by default the environment's, or a new one), and only for DynamoDB, its
    streams and Cognito's user pools. `services` adds more by ministack's names, for tests. Port 0 picks a free one at
    each start. `start()` may raise Problem.
    """

    def __init__(
        self,
        directory: Path,
        *,
        port: int = 0,
        region: str = "us-east-1",
        persist: bool = True,
        log: Path | None = None,
        pid_file: Path | None = None,
        key: LocalKey | None = None,
        services: Collection[str] = (),
    ) -> None:
        self.key = key or key_from(os.environ)
        self.services = services
        self.directory = directory
        self.port = port
        self.region = region
        self.persist = persist
        self.log = log or directory.with_name(f"{directory.name}.log")
        self.pid_file = pid_file
        self.child: processes.Child | None = None
        self._wanted_port = port

    @property
    def url(self) -> str:
        """The endpoint of every service."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def public_url(self) -> str:
        """The base of the sign-in pages; by name, since AWS allows http for `localhost` alone."""
        return f"http://localhost:{self.port}"

    def start(self) -> None:
        """Start the emulator and wait until it answers."""
        self.launch()
        self.wait_until_ready()

    def launch(self) -> None:
        """Start the emulator without waiting for it."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        require_room(self.directory, megabytes=NEEDED_MEGABYTES)
        with listener(self._wanted_port, variable="AWS_PORT") as sock:
            self.port = sock.getsockname()[1]
            keep = ["--state", str(self.directory)] if self.persist else []
            more = ["--services", ",".join(self.services)] if self.services else []
            self.child = processes.spawn(
                [sys.executable, "-m", "tools.local_stack.aws_server", "--fd", str(sock.fileno()), *keep, *more],
                name="aws emulator",
                environment=self._environment(),
                directory=ROOT,
                log=self.log,
                pid_file=self.pid_file,
                pass_fds=[sock.fileno()],
            )

    def wait_until_ready(self, *, tick: Callable[[], None] = lambda: None) -> None:
        """Return as soon as it answers. Raises Problem if it ends instead."""
        deadline = time.monotonic() + SECONDS_TO_START
        # The socket already listens; a connection waits until the emulator accepts it.
        while not self._answers():
            tick()
            if self.child is None or not self.child.is_running() or time.monotonic() > deadline:
                raise self._failure()
            time.sleep(0.02)

    def stop(self, *, patience: float = 2.0) -> None:
        """End the emulator, its state saved."""
        if self.child:
            processes.stop([self.child], patience=patience)
            self.child = None

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}{HEALTH}", timeout=0.5) as answer:  # noqa: S310 - our own
                return bool(answer.status == 200)  # noqa: PLR2004
        except (OSError, urllib.error.URLError):
            return False

    def _environment(self) -> dict[str, str]:
        """Return the emulator's environment. Other variables of the shell, such as credentials, are left out."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        return {
            **kept,
            **self.key.environment(),
            # Makes ministack verify signatures. Never set its own key: it trusts that as a root key.
            "AUTH": "true",
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_HOST": "localhost",
            "MINISTACK_REGION": self.region,
            "PERSIST_STATE": "1" if self.persist else "0",
            "STATE_DIR": str(self.directory),
            "LOG_LEVEL": "WARNING",
            # Otherwise it would open ports for MQTT and SFTP, and clean up Docker containers.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "DOCKER_HOST": "unix:///nonexistent",
        }

    def _failure(self) -> Problem:
        tail = processes.last_lines(self.log)
        last = tail.rpartition("\n")[2]
        if last.startswith("unreadable: "):
            return Problem(
                f"The AWS emulator's saved state {last.removeprefix('unreadable: ')} is damaged: "
                f"delete the directory {self.directory} and run `make run` again, which seeds it anew."
            )
        return Problem(f"The AWS emulator did not start, its log {self.log} ends with:\n{tail}")
