"""Report a message or a conversation, with a snapshot of its messages."""

from __future__ import annotations

import secrets
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from . import snapshots
from .models import Report, State

NUMBERS_SKIPPED = 3
"""The most numbers that are skipped before each report."""


class AlreadyReported(Exception):
    """The user has already reported this, and nobody has decided yet."""


def undecided_report(*, reporter_uuid: UUID, group_uuid: UUID, created_at: str = "") -> Report | None:
    """Return the user's own report of this that waits for a decision."""
    waiting = Report.objects.exclude(state=State.DECIDED)
    return waiting.filter(reporter_uuid=reporter_uuid, group_uuid=group_uuid, message_created_at=created_at).first()


def report(
    *, reporter_uuid: UUID, group_uuid: UUID, reason: str, note: str, now: datetime, created_at: str = ""
) -> Report:
    """Report a message, or without `created_at` the conversation, as it is now (2 calls, 2 statements).

    Raise AlreadyReported, and what `snapshots.take` raises.
    """
    snapshot = snapshots.take(user_uuid=reporter_uuid, group_uuid=group_uuid, created_at=created_at)
    try:
        with transaction.atomic():
            _skip_numbers()
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


def _skip_numbers() -> None:
    """Skip up to three numbers at random.

    Moderators cannot see reports about themselves: without this a gap between the numbers would reveal each of them.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('moderation_report', 'id')) FROM generate_series(1, %s)",
            [secrets.randbelow(NUMBERS_SKIPPED + 1)],
        )
