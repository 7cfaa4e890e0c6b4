"""The audit log: who viewed or did what, when and why. Written before the action, never changed or deleted."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from users.models import User

from .models import AuditEntry


def record(*, actor: User | None, act: str, subject: str = "", reason: str = "", **facts: Any) -> AuditEntry:
    """Write an entry and return it. `actor` is None for an operator at the command line.

    Outside a transaction the entry is stored when this returns: call it before the action, which is then always
    recorded. `facts` are JSON values, and never the text of a message.
    """
    return AuditEntry.objects.create(
        actor_uuid=actor.uuid if actor else None,
        actor_handle=actor.handle if actor else "",
        act=act,
        subject=subject,
        reason=reason,
        facts=facts,
    )


def of_person(user_uuid: UUID) -> str:
    """Return the subject of an action on a person."""
    return f"person:{user_uuid}"


def of_report(pk: int) -> str:
    """Return the subject of an action on a report."""
    return f"report:{pk}"


def of_conversation(group_uuid: UUID) -> str:
    """Return the subject of an action on a conversation."""
    return f"conversation:{group_uuid}"
