"""The audit log in the admin: looked at, and nothing else."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from moderation import audit
from moderation.models import AuditEntry
from tests.messaging.pages import text_of
from users.models import User

from .conftest import signed_in

pytestmark = pytest.mark.django_db
LOG = "/admin/moderation/auditentry/"


@pytest.fixture(autouse=True)
def _entries(moderator: User, other_moderator: User) -> None:
    audit.record(actor=moderator, act="report.claim", subject="report:1")
    audit.record(actor=other_moderator, act="report.decide", subject="report:2", reason="Kites", verdict="warn")
    audit.record(actor=None, act="person.disable", subject="person:3")


def listed(client: Client, query: dict[str, str] | None = None) -> list[str]:
    return [entry.subject for entry in client.get(LOG, query or {}).context["cl"].result_list]


def test_administrator_sees_all_entries_newest_first(admin: User) -> None:
    client = signed_in(admin)

    assert listed(client) == ["person:3", "report:2", "report:1"]
    page = text_of(client.get(LOG))
    for word in ("@mo", "@lenny", "command line", "Kites", "verdict: warn"):
        assert word in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"act": "report.claim"}, ["report:1"]),
        ({"actor_handle": "lenny"}, ["report:2"]),
        ({"q": "person:3"}, ["person:3"]),
    ],
)
def test_log_is_filtered_by_action_and_actor(admin: User, query: dict[str, str], found: list[str]) -> None:
    assert listed(signed_in(admin), query) == found


def test_moderator_sees_only_own_actions(moderator: User) -> None:
    client = signed_in(moderator)

    assert listed(client) == ["report:1"]
    other = AuditEntry.objects.get(subject="report:2")
    assert client.get(f"{LOG}{other.pk}/change/").status_code == 302


def test_log_is_only_for_moderators(andrew: User) -> None:
    assert signed_in(andrew).get(LOG).status_code == 403


def test_log_cannot_be_changed_in_the_admin(admin: User) -> None:
    client = signed_in(admin)
    entry = AuditEntry.objects.get(subject="report:1")

    assert client.get(f"{LOG}add/").status_code == 403
    assert client.post(f"{LOG}{entry.pk}/change/", {"reason": "another"}).status_code == 403
    assert client.post(f"{LOG}{entry.pk}/delete/", {"post": "yes"}).status_code == 403
    client.post(LOG, {"action": "delete_selected", "_selected_action": [str(entry.pk)], "post": "yes"})
    assert AuditEntry.objects.count() == 3
    assert AuditEntry.objects.get(pk=entry.pk).reason == ""


def test_history_of_django_cannot_be_edited(admin: User) -> None:
    assert signed_in(admin).get("/admin/admin/logentry/").status_code == 404
    assert not LogEntry.objects.exists()
