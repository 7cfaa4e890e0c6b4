"""Reporting: what members can do about a message or a conversation of theirs that should not be."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from . import snapshots
from .models import Report, State


class AlreadyReported(Exception):
    """This person has reported this, and nobody has decided yet."""


def undecided_report(*, reporter_uuid: UUID, group_uuid: UUID, created_at: str = "") -> Report | None:
    """The person's own report of this that waits for a decision."""
    waiting = Report.objects.exclude(state=State.DECIDED)
    return waiting.filter(reporter_uuid=reporter_uuid, group_uuid=group_uuid, message_created_at=created_at).first()


def report(
    *, reporter_uuid: UUID, group_uuid: UUID, reason: str, note: str, now: datetime, created_at: str = ""
) -> Report:
    """Report a message, or without `created_at` the conversation, with what stands there now (2 calls, 1 statement).

    Raises AlreadyReported, and what `snapshots.take` raises.
    """
    snapshot = snapshots.take(user_uuid=reporter_uuid, group_uuid=group_uuid, created_at=created_at)
    try:
        with transaction.atomic():
            return Report.objects.create(
                reporter_uuid=reporter_uuid,
                reported_uuid=snapshot.reported_uuid,
                group_uuid=group_uuid,
                message_created_at=created_at,
                reason=reason,
                note=note,
                snapshot=snapshot.facts(),
                created_at=now,
            )
    except IntegrityError as error:
        raise AlreadyReported from error
