"""Start the project's own processes: `manage.py setup`, the stream consumer and the web server."""

import http.client
import os
import select
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from . import processes
from .problem import Problem

SECONDS_TO_START = 60.0


class DjangoProcesses:
    """Starts the processes of one clone, all on the stack that `.local/env` describes."""

    def __init__(self, root: Path, pid_files: Path) -> None:
        self.root = root
        self.pid_files = pid_files

    def setup(self, *, seed: bool, say: Callable[[str], None], tick: Callable[[], None]) -> None:
        """Run `manage.py setup`, its output shown line by line. Raises Problem if it fails."""
        arguments = ["manage.py", "setup", *([] if seed else ["--no-seed"])]
        child = self._spawn("setup", *arguments, captured=True)
        stream = child.popen.stdout
        assert stream is not None  # noqa: S101 - captured
        try:
            pending = b""
            while True:
                tick()
                if not select.select([stream], [], [], 0.1)[0]:
                    continue
                block = os.read(stream.fileno(), 65536)
                *lines, pending = (pending + block).split(b"\n")
                for line in lines if block else [pending] if pending else []:
                    say(f"    {line.decode(errors='replace')}")
                if not block:
                    break
            child.popen.wait(timeout=5)
        finally:
            processes.stop([child], patience=1.5)
            stream.close()
        if child.popen.returncode != 0:
            raise Problem("Setting up failed: put right what the lines above say and run `make run` again.")

    def web(self, sock: socket.socket) -> processes.Child:
        """Start the web server on a socket that already listens, so that a restart refuses no connection."""
        descriptor = sock.fileno()
        return self._spawn(
            "web server", "-m", "uvicorn", "cruddur.asgi:application", "--no-proxy-headers", "--fd", str(descriptor),
            "--lifespan", "on", "--timeout-graceful-shutdown", "1", pass_fds=(descriptor,),
        )  # fmt: skip

    def stream_consumer(self) -> processes.Child:
        return self._spawn("stream consumer", "manage.py", "ddb_stream")

    def _spawn(
        self, name: str, *arguments: str, pass_fds: tuple[int, ...] = (), captured: bool = False
    ) -> processes.Child:
        return processes.spawn(
            [sys.executable, *arguments],
            name=name,
            environment={**os.environ, "DJANGO_SETTINGS_MODULE": "cruddur.settings", "PYTHONUNBUFFERED": "1"},
            directory=self.root,
            pid_file=self.pid_files / f"{name.replace(' ', '-')}.pid",
            pass_fds=pass_fds,
            captured=captured,
        )


def wait_for_web(child: processes.Child, *, port: int, app_url: str, tick: Callable[[], None]) -> int:
    """Return the status of the site's first page. Raises Problem if the web server exits before."""
    host = urlsplit(app_url).netloc
    deadline = time.monotonic() + SECONDS_TO_START
    while True:
        tick()
        if not child.is_running() or time.monotonic() > deadline:
            raise Problem("The web server did not start: put right what the lines above say and run `make run` again.")
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=0.5)
            connection.request("GET", "/", headers={"Host": host, "X-Forwarded-Proto": "https"})
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            time.sleep(0.02)
        finally:
            connection.close()
