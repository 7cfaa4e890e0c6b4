"""The AWS emulator's process: ministack behind a guard, on an inherited socket, saved every two seconds.

ministack itself saves only at an orderly exit. Saving in between uses its private functions, so the version is pinned.
All requests are handled on the event loop, so a snapshot taken there contains only whole transactions.
"""

from cruddur.cli import program

if __name__ == "__main__":
    # What follows takes long to import.
    program.watch_for_ctrl_c()

import argparse
import asyncio
import copy
import json
import os
import signal
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs

import hypercorn.asyncio
import hypercorn.asyncio.run
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.config import Config
from ministack import app as ministack_app
from ministack.core import persistence, router

from cruddur.net import KEY_ID_VARIABLE, SECRET_VARIABLE

from .aws_guard import Application, Guard, Message, Receive, Request, Scope, Send
from .disk import write_atomically
from .key import kept_key

SECONDS_BETWEEN_SAVES = 2.0
READS = (b"Get", b"BatchGet", b"TransactGet", b"Query", b"Scan", b"List", b"Describe")
USER = "cruddur-local"


class Connection(TCPServer):
    """A connection that is released as soon as its client closes it.

    hypercorn keeps the file descriptor of an idle connection for `keep_alive_timeout`, even if it is closed. A thousand
    short-lived clients within that time, for example commands and tests, would exhaust the process's descriptors.
    """

    async def _read_data(self) -> None:
        await super()._read_data()
        await self.idle_task.stop()


class SavedState:
    """The emulator's state on disk: a file for each service, replaced only when it differs."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.changed = False
        self._written: dict[str, bytes] = {}

    async def watch(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the ASGI application and note requests that may have changed state."""
        try:
            await ministack_app.app(scope, receive, send)
        finally:
            self.changed = self.changed or may_change(scope)

    def save(self) -> None:
        """Write what changed. A failure (a full disk) is reported in the log, and the next save tries again."""
        if not self.changed:
            return
        try:
            for service, content in snapshot().items():
                if self._written.get(service) != content:
                    write_atomically(self.directory / f"{service}.json", content)
                    self._written[service] = content
        except (OSError, RuntimeError, TypeError, ValueError) as error:
            report(f"The state could not be saved: {error}")
        else:
            self.changed = False

    async def save_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(SECONDS_BETWEEN_SAVES)
            self.save()


def snapshot() -> dict[str, bytes]:
    """Return the file content of each service.

    Raises RuntimeError if ministack's background threads change it meanwhile.
    """
    with without_copies():
        return {
            service: json.dumps(
                {"__ministack_format__": persistence._state_format_version(service), "payload": state},  # noqa: SLF001
                default=persistence._json_default,  # noqa: SLF001
            ).encode()
            for service, get_state in ministack_app._build_persistence_save_dict().items()  # noqa: SLF001
            if (state := get_state())
        }


def may_change(scope: Scope) -> bool:
    """Return whether a request may change state: all may, except reads of the AWS APIs."""
    if scope["type"] != "http":
        return False
    target = dict(scope["headers"]).get(b"x-amz-target", b"")
    return not target.rpartition(b".")[2].startswith(READS)


@contextmanager
def without_copies() -> Iterator[None]:
    """Let services hand out their live state: it is serialised before the event loop goes on.

    Copying 10,000 items takes a second, serialising them a twentieth of it.
    """
    modules = [module for name, module in sys.modules.items() if name.startswith("ministack.services.")]
    copying = [module for module in modules if getattr(module, "copy", None) is copy]
    live = types.SimpleNamespace(copy=lambda value: value, deepcopy=lambda value: value)
    for module in copying:
        setattr(module, "copy", live)  # noqa: B010 - mypy knows no such attribute
    try:
        yield
    finally:
        for module in copying:
            setattr(module, "copy", copy)  # noqa: B010


def unreadable_file(directory: Path) -> Path | None:
    """Return a state file that cannot be read, or None. The emulator would start empty and overwrite it."""
    for file in sorted(directory.glob("*.json")):
        try:
            json.loads(file.read_bytes())
        except (OSError, ValueError):
            return file
    return None


def report(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def make_user(key_id: str, secret: str, *, services: str) -> None:
    """Make the IAM user whose key the stack signs with; IAM itself need not be reachable for it.

    Its key is a user's and no root key, because ministack verifies the signatures of those alone.
    """
    iam = ministack_app._get_module("iam")  # noqa: SLF001
    for old in [each for each, record in iam._access_keys.items() if record["UserName"] == USER]:  # noqa: SLF001
        del iam._access_keys[old]  # noqa: SLF001 - of an earlier start
    if USER not in iam._users:  # noqa: SLF001
        iam._create_user({"UserName": USER})  # noqa: SLF001
    allowed = "*" if services else ["dynamodb:*", "cognito-idp:*"]
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": allowed, "Resource": "*"}]}
    iam._put_user_policy(  # noqa: SLF001
        {"UserName": USER, "PolicyName": "all", "PolicyDocument": json.dumps(policy)}
    )
    iam._access_keys[key_id] = {  # noqa: SLF001
        "UserName": USER,
        "AccessKeyId": key_id,
        "SecretAccessKey": secret,
        "Status": "Active",
        "CreateDate": "2026-01-01T00:00:00Z",
    }


def with_user(app: Application, key_id: str, secret: str, *, services: str) -> Application:
    """Make the user once the saved state is read, before the first request."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_when_made(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                make_user(key_id, secret, services=services)
            await send(message)

        await app(scope, receive, send_when_made if scope["type"] == "lifespan" else send)

    return application


def service_of(request: Request) -> str:
    """Return ministack's name for the service that it would route a request to."""
    return str(router.detect_service(request.method, request.path, request.headers, parse_qs(request.query)))


def is_session_key(key_id: str) -> bool:
    """Return whether ministack issued the key for a role, for example a function's.

    It verifies those signatures too.
    """
    sts = sys.modules.get("ministack.services.sts")
    return sts is not None and key_id in sts._sessions  # noqa: SLF001


def guarded(app: Application, *, services: str) -> Application:
    """Put the guard in front, for the port, the key and the services that the environment and the options name."""
    key_id, secret = os.environ[KEY_ID_VARIABLE], os.environ[SECRET_VARIABLE]
    return Guard(
        with_user(app, key_id, secret, services=services),
        port=int(os.environ["GATEWAY_PORT"]),
        key_id=key_id,
        more_services=[service for service in services.split(",") if service],
        service_of=service_of,
        issued=is_session_key,
    )


async def serve(bind: str, state: SavedState | None, *, services: str) -> None:
    """Answer until SIGTERM on a listening socket (`fd://3`) or an address."""

    def finish() -> None:
        # Skip ministack's own shutdown: it would wait for open connections and save once more, slowly.
        if state:
            state.save()
        os._exit(0)

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, finish)
    saving = asyncio.create_task(state.save_now_and_then()) if state else None
    config = Config()
    config.bind = [bind]
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    hypercorn.asyncio.run.TCPServer = Connection  # type: ignore[attr-defined]
    await hypercorn.asyncio.serve(
        guarded(state.watch if state else ministack_app.app, services=services),  # type: ignore[arg-type]
        config,
        shutdown_trigger=asyncio.Event().wait,
    )
    if saving:
        saving.cancel()


def main() -> int:
    parser = argparse.ArgumentParser(prog="tools.local_stack.aws_server", description=__doc__)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--fd", type=int, help="listening socket")
    where.add_argument("--listen", metavar="HOST:PORT", help="for a container that is published on loopback")
    parser.add_argument("--key-file", type=Path, help="where the key is kept, if the environment has none")
    parser.add_argument("--state", type=Path, help="directory to keep the state in; without it, nothing is kept")
    parser.add_argument("--services", default="", help="ministack's names of more services, for tests: lambda,s3")
    options = parser.parse_args()
    if options.state and (file := unreadable_file(options.state)):
        report(f"unreadable: {file}")
        return 3
    if not ministack_app.AUTH:
        report("AUTH is not true: nobody would verify signatures.")
        return 3
    if options.key_file:
        os.environ.update(kept_key(options.key_file).environment())
    bind = options.listen or f"fd://{options.fd}"
    asyncio.run(serve(bind, SavedState(options.state) if options.state else None, services=options.services))
    return 0


if __name__ == "__main__":
    sys.exit(program.run(main, needs_output=False, is_loaded=True))
