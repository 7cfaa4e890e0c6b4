"""Notes the calls to AWS that the project makes in this process, and on whose behalf: web, worker, Lambda, operator."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

from botocore import handlers  # noqa: TID251 - as the tests' own door
from django.conf import settings

from .policies import Requested, allows, requested

ROOT = Path(__file__).parents[2]
MARKS = (
    ("/django/core/handlers/base.py", "web"),
    ("messaging/realtime/endpoint.py", "web"),
    ("messaging/stream/consumer.py", "worker"),
    ("messaging/stream/account_deletion_job.py", "worker"),
    ("messaging/stream/lambda_handler.py", "lambda"),
    ("cruddur/cli/base_command.py", "operator"),
    # What pages do, also where a test does it without a page.
    *(
        (f"messaging/{name}.py", "web")
        for name in (
            "actions/block",
            "actions/conversation_settings",
            "actions/edit_message",
            "actions/message_requests",
            "actions/read",
            "actions/send_message",
            "queries/conversations",
            "queries/export_data",
            "queries/sync",
        )
    ),
    ("moderation/", "web"),
    # Some of the commands' work is done in threads.
    ("messaging/dynamodb/scan.py", "operator"),
    ("messaging/operations/", "operator"),
    ("messaging/operations/consistency/", "operator"),
)
"""The outermost of these on the stack, inside of the test, says on whose behalf a call is made; none: on its own."""
WORKER_COMMAND = (str(ROOT / "messaging/management/commands/ddb_stream.py"), "work")
TESTS = f"{ROOT}/tests/"
A_VIEW = f"{ROOT}/tests/deploy/scanning_site.py"
REFUSED_ON_PURPOSE = (str(ROOT / "moderation/admin/stream.py"), "stream_facts")
"""On AWS the web's role is refused this, and the page says so: nothing else may be refused."""


@dataclass
class Noted:
    """What was asked for, by role."""

    asked: set[tuple[str, Requested]] = field(default_factory=set)

    def refused(self) -> list[str]:
        """What a role asked for that it may not do."""
        return sorted(
            f"{role}: {action} on {arn}" for role, (action, arn) in self.asked if not allows(role, action, arn)
        )

    def actions(self, role: str) -> set[str]:
        return {action for asking, (action, _) in self.asked if asking == role}


_listening: list[Noted] = []


@contextmanager
def noted() -> Iterator[Noted]:
    """Note the calls that are made in the block, in whichever thread."""
    found = Noted()
    _listening.append(found)
    try:
        yield found
    finally:
        _listening.remove(found)


def listen() -> None:
    """From now on each botocore session of this process tells of its calls."""
    if ("provide-client-params", _note) not in handlers.BUILTIN_HANDLERS:
        handlers.BUILTIN_HANDLERS.append(("provide-client-params", _note))


def _note(params: dict[str, Any], model: Any, **_: Any) -> None:
    role = _role() if _listening else None
    if role is None:
        return
    service = model.service_model.service_name
    own = {"table": settings.DDB_MESSAGE_TABLE, "pool": settings.COGNITO_USER_POOL_ID}
    for each in requested(service, model.name, params, **own):
        for listener in _listening:
            listener.asked.add((role, each))


def _role() -> str | None:
    found = None
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        name, function = frame.f_code.co_filename, frame.f_code.co_name
        if (name, function) == REFUSED_ON_PURPOSE:
            return None
        if name.startswith(TESTS) and name != A_VIEW:
            return found  # also where a test comes in between, as somebody else
        if (name, function) == WORKER_COMMAND:
            return "worker"
        found = _mark(name) or found
        frame = frame.f_back
    return found


@cache
def _mark(file: str) -> str | None:
    inside = file.removeprefix(f"{ROOT}/")
    if inside == file and not file.endswith(MARKS[0][0]):
        return None
    return next((role for mark, role in MARKS if inside.startswith(mark) or file.endswith(mark)), None)
