"""A process that bears processes: real web servers and workers, each a fork that begins with everything imported.

A new interpreter takes a second to load Django and boto3, a fork a few milliseconds; there are hundreds to be killed.
It reads one JSON object a line and answers with one; when its input ends it kills what still runs, and ends.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import django

from tools.local_stack.ports import listener

FILE_MODE = 0o600


def main() -> None:
    """Do what each line asks for until there are no more."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cruddur.settings")
    django.setup()
    from . import births  # noqa: PLC0415 - it imports models

    children: set[int] = set()
    for line in sys.stdin:
        asked = json.loads(line)
        if "wait" in asked:
            answer = wait(asked["wait"], os.WNOHANG if asked["at_once"] else 0)
            children -= {asked["wait"]} if answer else set()
        else:
            answer = bear(asked, births.ROLES[asked["role"]])
            children.add(answer["pid"])
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def wait(pid: int, how: int) -> dict[str, int]:
    """Wait for the child; return how it ended, nothing if it still runs and is not waited for."""
    found, status = os.waitpid(pid, how)
    return {"status": os.waitstatus_to_exitcode(status)} if found else {}


def bear(asked: Mapping[str, Any], role: Callable[..., object]) -> dict[str, int]:
    """Fork a process of this role. Web servers are given a socket that listens already: nobody waits for them."""
    socket = listener(0, variable="PORT") if asked["role"] == "web" else None
    answer = {"port": socket.getsockname()[1]} if socket else {}
    pid = os.fork()
    if not pid:
        live(asked, lambda **how: role(**how, **({"listening": socket} if socket else {})))
    if socket:
        socket.close()
    return {"pid": pid, **answer}


def live(asked: Mapping[str, Any], role: Callable[..., object]) -> None:
    """Run the child and write its output to a file; does not return."""
    status = 1
    try:
        said = os.open(asked["said"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, FILE_MODE)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (said, 1), (said, 2)):
            os.dup2(source, target)
        told = os.open(Path(asked["told"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND, FILE_MODE)
        role(told=told, **asked["how"])
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001 - the fork must never become a second nursery
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
