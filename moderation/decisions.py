"""Decide about a report: record the attempt, carry it out, store the decision, in this order."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from messaging.actions import edit_message
from messaging.queries.conversations import ConversationNotFound, MessageNotFound
from messaging.realtime import publish
from users.models import User
from users.permissions import administrates

from . import audit, notices, people
from .models import OUTCOME_MAX_CHARS, Decision, Report, State, Verdict
from .queue import NotYourReport, is_working_on


class NotPossible(Exception):
    """The verdict is not possible for this report; the argument is a sentence that says why."""


def decide(*, report: Report, moderator: User, verdict: str, reason: str, text: str = "", now: datetime) -> Decision:
    """Decide about a report that the moderator has claimed; `text` is what a warned person reads.

    The audit log first records the attempt. A process that dies in between leaves the report claimed: deciding again
    does what is left. Raise NotYourReport, NotPossible, and Unavailable when DynamoDB cannot delete the message now.
    """
    if not is_working_on(moderator, report):
        raise NotYourReport
    person = User.objects.filter(pk=report.reported_uuid, deletion_asked_at=None).first()
    if obstacle := obstacle_to(verdict, report=report, person=person, moderator=moderator):
        raise NotPossible(obstacle)
    audit.record(
        actor=moderator, act="report.decide", subject=audit.of_report(report.pk), reason=reason, verdict=verdict
    )
    outcome = _carry_out(verdict, report, person, now)
    with transaction.atomic():
        # Locked, so that only one of two simultaneous forms decides.
        current = Report.objects.select_for_update().get(pk=report.pk)
        if not is_working_on(moderator, current):
            raise NotYourReport
        decision = Decision.objects.create(
            report=current,
            verdict=verdict,
            decided_by_uuid=moderator.uuid,
            decided_at=now,
            reason=reason,
            outcome=outcome[:OUTCOME_MAX_CHARS],
        )
        Report.objects.filter(pk=report.pk).update(state=State.DECIDED)
        if verdict == Verdict.WARN:
            notices.give(person_uuid=report.reported_uuid, decision=decision, text=text, now=now)
    return decision


def obstacle_to(verdict: str, *, report: Report, person: User | None, moderator: User) -> str:
    """Return a sentence that says why the verdict is not possible for the report; empty if it is."""
    if verdict == Verdict.DELETE_MESSAGE and not report.message_created_at:
        return _("No single message was reported, so there is none to delete.")
    if verdict in (Verdict.WARN, Verdict.DISABLE_PERSON) and person is None:
        return _("This person is not here any more.")
    if verdict == Verdict.DISABLE_PERSON and person is not None and person.is_staff and not administrates(moderator):
        return _("Only an administrator can disable a moderator or an administrator.")
    return ""


def _carry_out(verdict: str, report: Report, person: User | None, now: datetime) -> str:
    """Do what was decided; repeating is safe. Return a sentence on what could not be done, or ""."""
    if verdict == Verdict.DELETE_MESSAGE:
        try:
            delivery = edit_message.delete_for_moderation(
                group_uuid=report.group_uuid, created_at=report.message_created_at, now=now
            )
        except (ConversationNotFound, MessageNotFound):
            return _("The message was gone already.")
        publish.message_removed(delivery)
    if verdict == Verdict.DISABLE_PERSON and person is not None and (problem := people.disable(person)):
        return _("Disabled here, not in Cognito: %(problem)s") % {"problem": problem}
    return ""
