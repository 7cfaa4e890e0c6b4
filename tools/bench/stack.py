"""Shared by the parts: a separate stack, web processes with production settings, and signed-in people."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from cruddur.web.cookies import cookie_names
from tools.local_stack.ports import LOOPBACK, free_port
from tools.local_stack.pytest_dynamodb_local import TestsDynamoDbLocal, emulator
from tools.local_stack.pytest_plugin import FOREIGN, ThrowAwayStack

HOST = LOOPBACK
CSRF = "c" * 32
SITE = "cruddur.asgi:application"
SECONDS_TO_START = 60.0
INTERRUPTED = 130
"""The exit code after Ctrl-C."""
UNLIMITED = "MESSAGES MESSAGES_TO_ONE SEARCHES STREAMS NEW_CONVERSATIONS PAGES SENDS UPDATES TYPING READ_MARKS CHANGES"
NO_LIMITS = {f"RATE_{name}": "100000/1s" for name in UNLIMITED.split()}
PRODUCTION = {
    "CRUDDUR_ENV": "production",
    "DJANGO_SETTINGS_MODULE": "tools.bench.settings",
    "LOG_LEVEL": "WARNING",
    "LIVE_STREAMS_A_PERSON": "100000",
    # First messages reach the list at once, as in access pattern D.
    "MESSAGE_REQUESTS": "false",
    # Overrides a developer's `.env`.
    "DEBUG": "false",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "",
    "REDIS_URL": "",
}


def cookies(**values: str) -> str:
    """Return the Cookie header with these cookies, named as in cruddur/web/cookies.py."""
    names = cookie_names(os.environ["APP_URL"])
    return "; ".join(f"{getattr(names, name)}={value}" for name, value in values.items())


def say(sentence: str) -> None:
    """Report progress on standard error, apart from the figures."""
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()


@contextmanager
def stack(*, dynamodb_local: bool = True, environment: Mapping[str, str] | None = None) -> Iterator[None]:
    """Start an empty Postgres and DynamoDB for the bench, set their environment, create their tables and set up Django.

    DynamoDB Local by default: queries of the AWS emulator slow down as the partition grows. `environment` is added to
    `PRODUCTION`. Raises Problem if a part does not start.
    """
    for name in FOREIGN:
        os.environ.pop(name, None)
    with ExitStack() as end:
        running = ThrowAwayStack.start()
        end.callback(running.stop)
        os.environ |= running.environment(workers=1) | PRODUCTION | dict(environment or {})
        os.environ["BENCH_STATIC_ROOT"] = str(running.directory / "static")
        if dynamodb_local:
            amazons = TestsDynamoDbLocal(emulator())
            end.callback(amazons.stop)
            os.environ |= amazons.environment()
            running.emulator.stop()  # nobody signs in, so any pool names will do
        _prepare()
        try:
            yield
        except KeyboardInterrupt:
            raise SystemExit(INTERRUPTED) from None


def _prepare() -> None:
    import django  # noqa: PLC0415 - once the environment names the stack

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    from messaging.dynamodb.connection import message_table  # noqa: PLC0415
    from messaging.dynamodb.schema import load_schema  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    list(load_schema(message_table(), on_demand=True))


@dataclass(frozen=True)
class Server:
    """A measured web process; figures come from /proc."""

    port: int
    process: subprocess.Popen[bytes]

    def resident_kb(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))

    def threads(self) -> int:
        return len(list(Path(f"/proc/{self.process.pid}/task").iterdir()))

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def web_server(
    application: str = SITE, *, environment: Mapping[str, str] | None = None, port: int = 0
) -> Iterator[Server]:
    """Run a uvicorn process with the Dockerfile's options, but without access log, until the block ends.

    `environment` is added to this process's own. Port 0 picks a free one; pass the old port to restart a server.
    """
    port = port or free_port()
    command = [sys.executable, "-m", "uvicorn", application, "--port", str(port), "--backlog", "4096", "--lifespan",
               "auto", "--no-proxy-headers", "--no-server-header", "--no-access-log", "--timeout-graceful-shutdown",
               "1"]  # fmt: skip
    errors = subprocess.DEVNULL if "BENCH_VERBOSE" not in os.environ else None
    with subprocess.Popen(command, stderr=errors, env=os.environ | dict(environment or {})) as process:  # noqa: S603 - ours
        try:
            deadline = time.monotonic() + SECONDS_TO_START
            while not answers(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"{application} did not start: BENCH_VERBOSE=1 shows why.")
                time.sleep(0.05)
            yield Server(port, process)
        finally:
            process.terminate()


def answers(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


@dataclass(frozen=True)
class Person:
    """A signed-in person as plain values, so that measuring loops do not use Django."""

    uuid: UUID
    handle: str
    session: str


def signed_in(handle: str, display_name: str = "") -> Person:
    """Create a person with a session and without limits for writing and searching."""
    from tests.messaging.live_site import session_of  # noqa: PLC0415 - once the environment names the stack
    from users.models import User  # noqa: PLC0415

    user = User.objects.create_user(handle=handle, display_name=display_name or handle)
    return Person(user.uuid, handle, session_of(user))


@dataclass(frozen=True)
class People:
    """Session keys and names of the three people that live delivery needs."""

    sender: str
    receiver: str
    others: str
    receiver_handle: str
    sender_uuid: Any


def set_up() -> People:
    """Create three people with a session each."""
    sender, receiver, others = (signed_in(handle) for handle in ("sender", "receiver", "somebody"))
    return People(sender.session, receiver.session, others.session, receiver.handle, sender.uuid)
