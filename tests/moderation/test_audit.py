"""The audit log, and what else can never be changed: the database refuses it to the owner of the tables, too.

`test_application_role` has what it refuses to the application.
"""

from __future__ import annotations

import uuid

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.utils import timezone

from moderation import audit
from moderation.models import AuditEntry, Decision, Report, State, Verdict
from users.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def report() -> Report:
    return Report.objects.create(
        reporter_uuid=uuid.uuid4(),
        reported_uuid=uuid.uuid4(),
        group_uuid=uuid.uuid4(),
        message_created_at="2026-11-21T09:05:00.000000+00:00",
        reason="spam",
        snapshot=[{"seq": 1, "message": "Buy kites"}],
        created_at=timezone.now(),
    )


@pytest.fixture
def decision(report: Report) -> Decision:
    return Decision.objects.create(
        report=report, verdict=Verdict.DISMISS, decided_by_uuid=uuid.uuid4(), decided_at=timezone.now(), reason="Fine"
    )


def refused(statement: str) -> bool:
    """Return whether the database rejects what the statement does, not its syntax."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # TRUNCATE waits for no foreign key to be checked
            cursor.execute(statement)
    except DatabaseError as error:
        return "is append-only" in str(error)
    return False


def test_entry_records_who_did_what_when_and_why(andrew: User) -> None:
    before = timezone.now()

    audit.record(actor=andrew, act="person.disable", subject="person:1", reason="Spam", report=3)

    entry = AuditEntry.objects.get()
    assert (entry.actor_uuid, entry.actor_handle) == (andrew.uuid, "andrewbrown")
    assert (entry.act, entry.subject, entry.reason, entry.facts) == (
        "person.disable",
        "person:1",
        "Spam",
        {"report": 3},
    )
    assert before <= entry.at <= timezone.now()


def test_entry_outlives_its_actor(andrew: User) -> None:
    audit.record(actor=andrew, act="person.disable")
    andrew.delete()

    assert AuditEntry.objects.get().actor_handle == "andrewbrown"


@pytest.mark.usefixtures("with_migration_role")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE moderation_auditentry SET reason = 'another'",
        "DELETE FROM moderation_auditentry",
        "TRUNCATE moderation_auditentry",
        "TRUNCATE moderation_auditentry, moderation_notice CASCADE",
    ],
)
def test_log_entries_cannot_be_changed_or_deleted(andrew: User, statement: str) -> None:
    audit.record(actor=andrew, act="person.disable")

    assert refused(statement)
    assert AuditEntry.objects.count() == 1


@pytest.mark.usefixtures("with_migration_role")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE moderation_decision SET verdict = 'warn'",
        "DELETE FROM moderation_decision",
        "TRUNCATE moderation_decision CASCADE",
    ],
)
def test_decision_cannot_be_changed(decision: Decision, statement: str) -> None:
    assert refused(statement)


@pytest.mark.usefixtures("with_migration_role")
@pytest.mark.parametrize(
    "change",
    [
        "snapshot = '[]'",
        "snapshot = NULL",
        "note = 'another'",
        "reason = 'threat'",
        "reporter_uuid = gen_random_uuid()",
        "reported_uuid = gen_random_uuid()",
        "group_uuid = gen_random_uuid()",
        "message_created_at = ''",
        "created_at = now() - interval '1 day'",
        "id = id + 1",
    ],
)
def test_content_of_a_report_cannot_be_changed(report: Report, change: str) -> None:
    assert refused(f"UPDATE moderation_report SET {change}")  # noqa: S608 - the statements above


@pytest.mark.usefixtures("with_migration_role")
@pytest.mark.parametrize("statement", ["DELETE FROM moderation_report", "TRUNCATE moderation_report CASCADE"])
def test_report_cannot_be_deleted(report: Report, statement: str) -> None:
    assert refused(statement)


def test_state_of_a_report_can_change_until_it_is_decided(report: Report) -> None:
    moderator = uuid.uuid4()
    reports = Report.objects.filter(pk=report.pk)

    assert reports.update(state=State.CLAIMED, claimed_by_uuid=moderator, claimed_at=timezone.now()) == 1
    assert reports.update(state=State.OPEN, claimed_by_uuid=None, claimed_at=None) == 1
    assert reports.update(state=State.DECIDED, claimed_by_uuid=moderator) == 1
    with pytest.raises(DatabaseError, match="append-only"):
        reports.update(state=State.OPEN, claimed_by_uuid=None)
