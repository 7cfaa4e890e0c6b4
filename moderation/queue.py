"""The queue of reports. Each step is one conditional update, so that two moderators never hold the same report."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from users.models import User
from users.permissions import administrates

from . import audit
from .models import Report, State


class NotYourReport(Exception):
    """This moderator does not hold the report: nobody has claimed it, somebody else has, or it is decided."""


class AlreadyTaken(Exception):
    """The report is already claimed or decided."""


class InvolvedInReport(Exception):
    """The moderator made the report or is reported: somebody else decides."""


def claim(*, report: Report, moderator: User, now: datetime) -> None:
    """Claim an open report for this moderator. Raise AlreadyTaken, InvolvedInReport."""
    if is_involved(moderator, report):
        raise InvolvedInReport
    with transaction.atomic():
        audit.record(actor=moderator, act="report.claim", subject=audit.of_report(report.pk))
        open_one = Report.objects.filter(pk=report.pk, state=State.OPEN)
        if not open_one.update(state=State.CLAIMED, claimed_by_uuid=moderator.uuid, claimed_at=now):
            raise AlreadyTaken


def release(*, report: Report, moderator: User) -> None:
    """Release a claimed report: one's own, or as an administrator anybody's. Raise NotYourReport."""
    claimed = Report.objects.filter(pk=report.pk, state=State.CLAIMED)
    if not administrates(moderator):
        claimed = claimed.filter(claimed_by_uuid=moderator.uuid)
    with transaction.atomic():
        audit.record(actor=moderator, act="report.release", subject=audit.of_report(report.pk))
        if not claimed.update(state=State.OPEN, claimed_by_uuid=None, claimed_at=None):
            raise NotYourReport


def involving(person: User) -> QuerySet[Report]:
    """Return the reports by or about this user, which they must not see in the queue."""
    return Report.objects.filter(Q(reporter_uuid=person.uuid) | Q(reported_uuid=person.uuid))


def reports_for(moderator: User) -> QuerySet[Report]:
    """Return the reports that exist for this moderator: all but those by or about them.

    A moderator must not learn from the queue that somebody reported them, or how their own reports proceed.
    """
    return Report.objects.exclude(pk__in=involving(moderator).values("pk"))


def is_involved(moderator: User, report: Report) -> bool:
    """Return whether the report is by or about this moderator."""
    return moderator.uuid in (report.reporter_uuid, report.reported_uuid)


def is_working_on(moderator: User, report: Report) -> bool:
    """Return whether this moderator has claimed the report and may decide."""
    return (
        report.state == State.CLAIMED
        and report.claimed_by_uuid == moderator.uuid
        and not is_involved(moderator, report)
    )


def may_read(moderator: User, report: Report) -> bool:
    """Return whether the moderator may see what was reported: they have claimed the report, or decided it."""
    return (
        report.state != State.OPEN and report.claimed_by_uuid == moderator.uuid and not is_involved(moderator, report)
    )
