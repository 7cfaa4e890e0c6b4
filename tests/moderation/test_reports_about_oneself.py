"""Reports by or about a moderator do not exist for them: nothing tells that they are reported, or who reported them."""

from __future__ import annotations

import re
import secrets
from itertools import pairwise
from typing import Any

import pytest
from django.utils import timezone

from messaging.domain.entities import Message
from moderation import audit, decisions, queue, reading, reports
from moderation.models import AuditEntry, Report, State
from moderation.queue import InvolvedInReport, NotYourReport
from tests import html
from tests.messaging.pages import without_nonce
from users.models import User

from .conftest import signed_in

pytestmark = pytest.mark.django_db
LIST = "/admin/moderation/report/"
LOG = "/admin/moderation/auditentry/"
NOWHERE = 987_654
"""A number that no report has."""


@pytest.fixture(params=["bayko, moderator", "bayko, administrator", "andrew, moderator", "andrew, administrator"])
def involved(request: pytest.FixtureRequest, andrew: User, bayko: User, report: Report) -> User:
    """Return the reported user or the reporter, with permissions in the admin."""
    name, _, role = request.param.partition(", ")
    person = {"andrew": andrew, "bayko": bayko}[name]
    person.is_staff, person.is_superuser = True, role == "administrator"
    person.save()
    return person


@pytest.fixture(params=["open", "claimed", "decided"])
def some_state(request: pytest.FixtureRequest, report: Report, moderator: User) -> Report:
    """Return the report in each state, after the actions of another moderator."""
    now = timezone.now()
    if request.param != "open":
        queue.claim(report=report, moderator=moderator, now=now)
        report.refresh_from_db()
        reading.look(
            reader=moderator, group_uuid=report.group_uuid, cursor=reading.Cursor(), reason="", report=report.pk
        )
    if request.param == "decided":
        decisions.decide(report=report, moderator=moderator, verdict="dismiss", reason="Because of kites", now=now)
        report.refresh_from_db()
    return report


def page(response: Any, number: int) -> tuple[int, str, str]:
    """Return the content of a response without the requested number."""
    told = re.sub(rf"(?<=[#/“]){number}(?=[/”<])", "NUMBER", without_nonce(response))
    for token in html.attributes(html.parse(response.text), ".//input[@name='csrfmiddlewaretoken']", "value"):
        told = told.replace(token, "")
    return response.status_code, response.headers.get("Location", "").replace(f"/{number}/", "/NUMBER/"), told


ADDRESSES = (
    ("get", "{}/change/"), ("post", "{}/change/"), ("get", "{}/"), ("get", "{}/history/"), ("get", "{}/delete/"),
    ("post", "{}/delete/"), ("post", "{}/claim/"), ("post", "{}/release/"), ("post", "{}/decide/"),
    ("get", "{}/conversation/"), ("post", "{}/conversation/"),
)  # fmt: skip


def test_own_report_looks_like_a_missing_report(involved: User, some_state: Report) -> None:
    for method, path in ADDRESSES:
        form = {"verdict": "dismiss", "reason": "Let me decide about it"} if method == "post" else {}
        told = []
        for number in (some_state.pk, NOWHERE):
            client = signed_in(involved)  # for each, so that no message of the one waits for the other
            answer = page(getattr(client, method)(LIST + path.format(number), form), number)
            told.append((answer, page(client.get("/admin/"), number)))

        assert told[0] == told[1], path
        assert told[0][0][0] in (302, 403, 404, 405), path
    before = (some_state.state, some_state.claimed_by_uuid)
    some_state.refresh_from_db()
    assert (some_state.state, some_state.claimed_by_uuid) == before


def test_own_report_is_in_no_list_or_count(involved: User, some_state: Report) -> None:
    client = signed_in(involved)
    for state in ("", "open", "claimed", "decided", "mine", "all"):
        for query in ({}, {"q": "andrewbrown"}, {"reason__exact": "spam"}, {"_facets": "True"}):
            response = client.get(LIST, {**query, **({"state": state} if state else {})})

            assert response.context["cl"].result_count == 0
            page = response.content.decode()
            assert f"#{some_state.pk}<" not in page
            assert "1 report" not in page
            assert "(1)" not in page, "the facets count nothing"


def test_front_page_does_not_count_own_report(involved: User, some_state: Report, other_moderator: User) -> None:
    assert signed_in(involved).get("/admin/").context["facts"]["reports_open"] == 0
    assert signed_in(other_moderator).get("/admin/").context["facts"]["reports_open"] == int(some_state.state == "open")


def test_page_of_another_report_does_not_count_own_report(
    involved: User, report: Report, londo: User, bad_message: Message
) -> None:
    other = Report.objects.create(
        reporter_uuid=londo.uuid,
        reported_uuid=report.reported_uuid if involved.uuid == report.reporter_uuid else report.reporter_uuid,
        group_uuid=londo.uuid,
        reason="spam",
        snapshot=[],
        created_at=timezone.now(),
    )

    assert signed_in(involved).get(f"{LIST}{other.pk}/change/").context["earlier"] == 0


def test_audit_log_hides_own_report(involved: User, some_state: Report) -> None:
    audit.record(actor=None, act="stream.replay")
    client = signed_in(involved)
    secrets = (f"report:{some_state.pk}", "@mo", "kites", str(some_state.group_uuid), str(involved.uuid))

    for query in ({}, {"q": "report"}, {"q": "mo"}, {"act": "report.claim"}, {"actor_handle": "mo"}, {"o": "2.3"}):
        response = client.get(LOG, query)
        listed = response.context["cl"].result_list
        assert [entry.act for entry in listed] == (
            ["stream.replay"] if involved.is_superuser and set(query) <= {"o"} else []
        )
        page = response.content.decode()
        assert not [
            each for each in secrets if each in page.partition("<main")[2].partition('id="changelist-filter"')[0]
        ]
        filters = [
            choice["display"]
            for spec in response.context["cl"].filter_specs
            for choice in spec.choices(response.context["cl"])
        ]
        assert not {"mo", "report.claim", "report.decide", "conversation.read"} & set(filters)
    for entry in AuditEntry.objects.exclude(act="stream.replay"):
        assert client.get(f"{LOG}{entry.pk}/change/").status_code == 302


def test_uninvolved_administrator_sees_the_report(admin: User, some_state: Report) -> None:
    listed = signed_in(admin).get(LOG).context["cl"].result_list

    assert len(listed) == AuditEntry.objects.count()


def test_administrator_sees_own_actions_and_those_on_others(admin: User, moderator: User, bayko: User) -> None:
    for actor, subject in ((admin, admin), (admin, bayko), (moderator, bayko), (moderator, admin)):
        audit.record(actor=actor, act="person.view", subject=audit.of_person(subject.uuid))

    listed = signed_in(admin).get(LOG).context["cl"].result_list

    assert [(each.actor_handle, each.subject) for each in listed] == [
        ("mo", f"person:{bayko.uuid}"),
        ("root_of_all", f"person:{bayko.uuid}"),
        ("root_of_all", f"person:{admin.uuid}"),
    ]


def test_functions_reject_involved_moderators(report: Report, bayko: User) -> None:
    with pytest.raises(InvolvedInReport):
        queue.claim(report=report, moderator=bayko, now=timezone.now())
    Report.objects.filter(pk=report.pk).update(state=State.CLAIMED, claimed_by_uuid=bayko.uuid)
    report.refresh_from_db()

    assert not queue.may_read(bayko, report)
    with pytest.raises(NotYourReport):
        decisions.decide(report=report, moderator=bayko, verdict="dismiss", reason="Fine", now=timezone.now())


def test_numbers_have_random_gaps(andrew: User, bad_message: Message, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = []
    for skipped in (0, 3, 1):
        monkeypatch.setattr(secrets, "randbelow", lambda bound, skipped=skipped: min(skipped, bound - 1))
        Report.objects.exclude(state=State.DECIDED).update(state=State.DECIDED, claimed_by_uuid=andrew.uuid)
        made = reports.report(
            reporter_uuid=andrew.uuid, group_uuid=bad_message.group_uuid, reason="spam", note="", now=timezone.now()
        )
        numbers.append(made.pk)

    assert [later - earlier for earlier, later in pairwise(numbers)] == [4, 2]
