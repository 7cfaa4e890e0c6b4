"""The tables of moderation: reports, decisions, notices, and the audit log.

Users are uuids without foreign keys, because a record outlives the account it is about. The audit log, decisions and
snapshots cannot be changed or deleted: triggers in the database reject it (migration 0002).
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from users.handles import HANDLE_MAX_CHARS

NOTE_MAX_CHARS = 500
REASON_MAX_CHARS = 500
OUTCOME_MAX_CHARS = 500
ACT_MAX_CHARS = 40


class Reason(models.TextChoices):
    """What a user reports about a message."""

    SPAM = "spam", _("Spam or a scam")
    HARASSMENT = "harassment", _("Harassment")
    THREAT = "threat", _("A threat of violence")
    OTHER = "other", _("Something else")


class State(models.TextChoices):
    """The state of a report."""

    OPEN = "open", _("open")
    CLAIMED = "claimed", _("claimed")
    DECIDED = "decided", _("decided")


class Verdict(models.TextChoices):
    """The decision about a report."""

    DISMISS = "dismiss", _("Dismiss")
    WARN = "warn", _("Warn the person")
    DELETE_MESSAGE = "delete_message", _("Delete the message")
    DISABLE_PERSON = "disable_person", _("Disable the person")


class Report(models.Model):
    """A message or a conversation that a member reported, with a snapshot; see `reports`."""

    reporter_uuid = models.UUIDField()
    reported_uuid = models.UUIDField()
    """The sender of the message; for a conversation the other member."""
    group_uuid = models.UUIDField()
    message_created_at = models.CharField(max_length=32, blank=True)
    """The created_at of the message; empty if the whole conversation is reported."""
    reason = models.CharField(max_length=16, choices=Reason.choices)
    note = models.CharField(max_length=NOTE_MAX_CHARS, blank=True)
    snapshot = models.JSONField()
    """The messages as they were, oldest first: seq, created_at, user_uuid, message, edited_at, deleted_at."""
    created_at = models.DateTimeField("reported")
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    claimed_by_uuid = models.UUIDField(null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["reporter_uuid", "group_uuid", "message_created_at"],
                condition=~models.Q(state="decided"),
                name="one_undecided_report_of_a_message",
            ),
            models.CheckConstraint(
                condition=models.Q(state="open", claimed_by_uuid=None) | ~models.Q(state="open"),
                name="an_open_report_is_nobodys",
            ),
            models.CheckConstraint(
                condition=models.Q(claimed_by_uuid__isnull=False) | models.Q(state="open"),
                name="a_claimed_report_is_somebodys",
            ),
        ]
        indexes = [models.Index(fields=["state", "created_at"], name="reports_waiting")]

    def __str__(self) -> str:
        return f"Report {self.pk}"


class Decision(models.Model):
    """What a moderator decided about a report, and why. Never changed."""

    report = models.OneToOneField(Report, models.PROTECT, related_name="decision")
    verdict = models.CharField(max_length=16, choices=Verdict.choices)
    decided_by_uuid = models.UUIDField()
    decided_at = models.DateTimeField()
    reason = models.CharField(max_length=REASON_MAX_CHARS)
    outcome = models.CharField(max_length=OUTCOME_MAX_CHARS, blank=True)
    """A sentence on what could not be done; empty if everything was."""

    def __str__(self) -> str:
        return f"{self.verdict} of report {self.report_id}"


class Notice(models.Model):
    """A warning, shown to a user until they acknowledge it; `User.has_notice` tells pages that there is one."""

    person_uuid = models.UUIDField()
    decision = models.OneToOneField(Decision, models.PROTECT, related_name="notice")
    text = models.CharField(max_length=REASON_MAX_CHARS)
    """What the moderator tells the user."""
    created_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["person_uuid"], condition=models.Q(acknowledged_at=None), name="notices_to_acknowledge"
            )
        ]

    def __str__(self) -> str:
        return f"Notice of {self.decision}"


class AuditEntry(models.Model):
    """What a moderator viewed or did: see `audit`. Never changed."""

    at = models.DateTimeField(auto_now_add=True)
    actor_uuid = models.UUIDField("actor", null=True, blank=True)
    """None for an operator at the command line."""
    actor_handle = models.CharField("actor", max_length=HANDLE_MAX_CHARS, blank=True)
    """The handle at that time."""
    act = models.CharField(max_length=ACT_MAX_CHARS)
    subject = models.CharField(max_length=120, blank=True)
    """What it was done to: `report:12`, `person:<uuid>`, `conversation:<uuid>`."""
    reason = models.CharField(max_length=REASON_MAX_CHARS, blank=True)
    facts = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = "audit entry"
        verbose_name_plural = "audit log"
        ordering: ClassVar = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["-at"], name="audit_newest_first"),
            models.Index(fields=["actor_uuid", "-at"], name="audit_of_an_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.act} {self.subject}".strip()
