"""DynamoDB Local, Amazon's own emulator, as a child process: more faithful than ministack, but needs Java.

Its data is in memory. It cannot listen only on loopback and accepts any Host and key, so it uses a port that browsers
refuse to connect to.
"""

import os
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

from . import processes
from .dynamodb_download import LICENCE, fetch
from .environment import make_local_directory
from .port_choice import PortChoice
from .ports import BROWSERS_REFUSE, LOOPBACK, free_port, taken
from .problem import Problem
from .stopping import Stopped, StopRequest
from .terminal import say

SECONDS_TO_START = 60.0
INSTALL_JAVA = "install Java 17 or newer (on Debian and Ubuntu: apt install openjdk-17-jre-headless)"
DIRECTORY = "dynamodb-local"
COMMAND = f"make {DIRECTORY}"
NO_ORIGIN = ("-cors", "http://none.invalid")
"""The only origin that may read responses; the emulator's default is any."""
KEPT_VARIABLES = ("PATH", "HOME", "LANG", "TMPDIR", "JAVA_HOME")


class DynamoDbLocal:
    """One DynamoDB Local, with all tables in memory and shared by all credentials and regions.

    `emulator` is its program directory, `directory` its working directory. Port 0 picks a free one at each start.
    `start()` may raise Problem.
    """

    def __init__(self, directory: Path, *, emulator: Path, port: int = 0, log: Path | None = None) -> None:
        self.directory = directory
        self.emulator = emulator
        self.port = port
        self.log = log or directory.with_name(f"{directory.name}.log")
        self.child: processes.Child | None = None
        self._wanted_port = port

    @property
    def url(self) -> str:
        """The endpoint of the tables and of their streams."""
        return f"http://{LOOPBACK}:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.launch()
        self.wait_until_ready()

    def launch(self) -> None:
        """Start it without waiting for it."""
        java = find_java()
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.port = free_port(self._wanted_port, variable="DYNAMODB_PORT", command=COMMAND, among=BROWSERS_REFUSE)
        self.log.write_bytes(b"")  # so that output of an earlier process is not mistaken for this one's
        self.child = processes.spawn(
            [
                java,
                "-XX:TieredStopAtLevel=1",  # one JIT compiler: starts three times as fast and runs as fast
                f"-Djava.library.path={self.emulator / 'DynamoDBLocal_lib'}",
                *("-jar", self.emulator / "DynamoDBLocal.jar"),
                *("-inMemory", "-sharedDb", "-disableTelemetry", *NO_ORIGIN, "-port", str(self.port)),
            ],
            name="DynamoDB Local",
            environment={name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ},
            directory=self.directory,
            log=self.log,
        )

    def wait_until_ready(self, *, tick: Callable[[], None] = lambda: None) -> None:
        """Return as soon as it answers. Raises Problem if it ends instead."""
        deadline = time.monotonic() + SECONDS_TO_START
        while not self._answers():
            tick()
            if not self.is_running() or self._has_failed() or time.monotonic() > deadline:
                self.stop()
                raise self._failure()
            time.sleep(0.05)

    def is_running(self) -> bool:
        return self.child is not None and self.child.is_running()

    def stop(self, *, patience: float = 2.0) -> None:
        """End it, its data with it."""
        if self.child:
            processes.stop([self.child], patience=patience)
            self.child = None

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url, timeout=0.5):  # noqa: S310 - our own
                return True
        except urllib.error.HTTPError as error:  # it requires a signature
            error.close()
            return True
        except OSError:
            return False

    def _has_failed(self) -> bool:
        # If its port is taken, it reports that but does not exit.
        return 'Exception in thread "main"' in self._said()

    def _failure(self) -> Problem:
        said = self._said()
        if "Address already in use" in said:
            return taken(self.port, variable="DYNAMODB_PORT", command=COMMAND)
        if "UnsupportedClassVersionError" in said:
            return Problem(f"The Java of this machine is too old for DynamoDB Local: {INSTALL_JAVA}.")
        return Problem(f"DynamoDB Local did not start, its log {self.log} ends with:\n{processes.last_lines(self.log)}")

    def _said(self) -> str:
        return self.log.read_text(errors="replace")


def find_java() -> str:
    """Return the path of `java`. Raises Problem if there is none."""
    java = shutil.which("java")
    if java is None:
        raise Problem(f"DynamoDB Local needs Java, and there is no `java` here: {INSTALL_JAVA}.")
    return java


def fetched(local: Path, *, tick: Callable[[], None] = lambda: None) -> Path:
    """Return the emulator's directory in a state directory; fetch it if missing.

    Raises Problem, also if it could not run.
    """
    find_java()
    make_local_directory(local)
    return fetch(local / DIRECTORY, tick=tick)


def run(local: Path, *, given: Mapping[str, int], request: StopRequest) -> int:
    """Fetch DynamoDB Local if missing, start it and wait until asked to stop (`make dynamodb-local`). Raises Problem.

    `given` has the port of DYNAMODB_PORT, if that is set.
    """
    ports = PortChoice(local, given)
    server: DynamoDbLocal | None = None
    try:
        emulator = fetched(local, tick=request.check)
        logs = local / "logs"
        logs.mkdir(exist_ok=True, mode=0o700)
        began = time.monotonic()
        port = ports.choose(["DYNAMODB_PORT"], say=say)["DYNAMODB_PORT"]
        server = DynamoDbLocal(local / DIRECTORY / "run", emulator=emulator, port=port, log=logs / f"{DIRECTORY}.log")
        server.launch()
        server.wait_until_ready(tick=request.check)
        say(f"\nDynamoDB Local answers at {server.url} (up in {time.monotonic() - began:.1f} s)")
        say(f"  use it   `AWS_ENDPOINT_URL_DYNAMODB={server.url} make run`, or that variable as a line in `.env`")
        say("  data     in memory alone: they go when it stops")
        say(f"  licence  Amazon's, {emulator / LICENCE}")
        say("  stop     Ctrl-C\n")
        while server.is_running():
            request.check()
            time.sleep(0.1)
        raise Problem(
            f"DynamoDB Local ended by itself, its log {server.log} ends with the lines below: run `{COMMAND}` again.\n"
            f"{processes.last_lines(server.log)}"
        )
    except Stopped as stopped:
        say(f"\nStopping ({stopped}) …")
    finally:
        if server:
            server.stop()
        ports.release()
    return 0
