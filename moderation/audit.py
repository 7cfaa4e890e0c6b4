"""The audit log: who looked at or did what, when and why. Written before the act, never changed or deleted."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from users.models import User

from .models import AuditEntry


def record(*, actor: User | None, act: str, subject: str = "", reason: str = "", **facts: Any) -> AuditEntry:
    """Write an entry and return it. `actor` is None for an operator at the command line.

    Outside a transaction the entry is stored when this returns, so whoever calls it first cannot act unrecorded.
    `facts` are what JSON can hold, and never a message's text.
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
    """The subject of an act on a person."""
    return f"person:{user_uuid}"


def of_report(pk: int) -> str:
    """The subject of an act on a report."""
    return f"report:{pk}"


def of_conversation(group_uuid: UUID) -> str:
    """The subject of an act on a conversation."""
    return f"conversation:{group_uuid}"
