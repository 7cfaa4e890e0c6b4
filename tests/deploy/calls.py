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
WHOEVER_CALLS = None
HANDLER = "/django/core/handlers/base.py"
ROLES_BY_PATH: dict[str, str | None] = {
    HANDLER: "web",
    "cruddur/": WHOEVER_CALLS,
    "cruddur/cli/base_command.py": "operator",
    "legacy_import/": "operator",
    # What pages do, also where a test does it without a page.
    "messaging/actions/": "web",
    "messaging/queries/": "web",
    "moderation/": "web",
    # The worker does it for accounts that wait to be deleted, an operator with `delete_person`.
    "messaging/actions/delete_account.py": WHOEVER_CALLS,
    "messaging/actions/leave_conversations.py": WHOEVER_CALLS,
    "messaging/domain/": WHOEVER_CALLS,
    "messaging/dynamodb/": WHOEVER_CALLS,
    # Some of the commands' work is done in threads.
    "messaging/dynamodb/bulk.py": "operator",
    "messaging/dynamodb/scan.py": "operator",
    "messaging/operations/": "operator",
    "messaging/operations/readiness.py": "web",
    "messaging/management/": WHOEVER_CALLS,
    "messaging/presenters/": WHOEVER_CALLS,
    "messaging/realtime/": WHOEVER_CALLS,
    "messaging/realtime/endpoint.py": "web",
    "messaging/stream/": WHOEVER_CALLS,
    "messaging/stream/account_deletion_job.py": "worker",
    "messaging/stream/consumer.py": "worker",
    "messaging/stream/lambda_handler.py": "lambda",
    "messaging/views/": WHOEVER_CALLS,
    "users/": WHOEVER_CALLS,
    **dict.fromkeys(
        (
            "messaging/__init__.py",
            "messaging/apps.py",
            "messaging/forms.py",
            "messaging/middleware.py",
            "messaging/migrations/",
            "messaging/models.py",
            "messaging/templatetags/",
            "messaging/urls.py",
        )
    ),
}
"""On whose behalf a file's code calls AWS: the longest row that matches counts.

Of the files on the stack, inside of the test, the outermost one with a role decides; without any, a test calls on its
own.
"""
WORKER_COMMAND = (str(ROOT / "messaging/management/commands/ddb_stream.py"), "work")
TESTS = f"{ROOT}/tests/"
A_VIEW = f"{ROOT}/tests/deploy/scanning_site.py"
REFUSED_ON_PURPOSE = (str(ROOT / "moderation/admin/stream.py"), "stream_facts")
"""On AWS the web's role is refused this, and the page says so: nothing else may be refused."""


@dataclass
class Noted:
    """The requested permissions by role."""

    asked: set[tuple[str, Requested]] = field(default_factory=set)

    def refused(self) -> list[str]:
        """Return the calls of a role that it is not allowed."""
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
    """Record the calls of every botocore session of this process from now on."""
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
    if file.endswith(HANDLER):
        return ROLES_BY_PATH[HANDLER]
    inside = file.removeprefix(f"{ROOT}/")
    row = None if inside == file else row_of(inside)
    return None if row is None else ROLES_BY_PATH[row]


def row_of(path: str) -> str | None:
    """Return the row of ROLES_BY_PATH for a file of the repository; None for one that has none."""
    return max((row for row in ROLES_BY_PATH if path.startswith(row)), key=len, default=None)
