"""What moderation adds to a user's data export: see `messaging.queries.export_data`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from users.models import User

from .models import Notice, Report


def reports_of(person: User) -> Iterator[dict[str, Any]]:
    """Yield the user's reports, oldest first, without their snapshots: the export has the conversations themselves."""
    for report in Report.objects.filter(reporter_uuid=person.uuid).order_by("created_at").defer("snapshot"):
        yield {
            "created_at": report.created_at,
            "group_uuid": report.group_uuid,
            "message_created_at": report.message_created_at or None,
            "reason": report.reason,
            "note": report.note,
            "state": report.state,
        }


def notices_of(person: User) -> Iterator[dict[str, Any]]:
    """Yield the warnings that the user received, oldest first."""
    for notice in Notice.objects.filter(person_uuid=person.uuid).order_by("created_at"):
        yield {"created_at": notice.created_at, "acknowledged_at": notice.acknowledged_at}
