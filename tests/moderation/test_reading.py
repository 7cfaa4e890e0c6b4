"""Conversations in the admin: through a report, or for a stated reason, and recorded before anything is shown."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from messaging.domain.entities import Message
from messaging.dynamodb.table import MessageTable
from moderation import queue, reports
from moderation.models import AuditEntry, Report
from tests.messaging import talk
from tests.messaging.faults import answer, fault
from tests.messaging.pages import html_of, text_of
from users.models import User

from .conftest import signed_in

pytestmark = pytest.mark.django_db
ASK = "/admin/conversation/"
REASON = "A court asks for it"
MORE = "He seems to have threatened her before"


def conversation_of(report: Report) -> str:
    return f"/admin/moderation/report/{report.pk}/conversation/"


@pytest.fixture
def claimed(report: Report, moderator: User) -> Report:
    queue.claim(report=report, moderator=moderator, now=timezone.now())
    return report


def ask(client: Client, **fields: str) -> Any:
    return client.post(ASK, {"one": "andrewbrown", "other": "@Bayko", "reason": REASON, **fields})


def read_on(client: Client, report: Report, **cursor: str) -> Any:
    """Ask for more of the conversation than the report opens, with a reason."""
    return client.post(conversation_of(report), {"reason": MORE, **cursor})


def looks() -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(act="conversation.read").order_by("pk"))


# --- Through a report -----------------------------------------------------------------------------------------------


def test_claiming_moderator_reads_around_the_report(moderator: User, claimed: Report) -> None:
    page = text_of(signed_in(moderator).get(conversation_of(claimed)))

    assert "Text 1" in page
    assert "Buy kites" in page


def test_each_view_is_recorded(moderator: User, claimed: Report) -> None:
    client = signed_in(moderator)

    client.get(conversation_of(claimed))
    read_on(client, claimed, before=claimed.message_created_at)

    first, second = looks()
    assert first.subject == f"conversation:{claimed.group_uuid}"
    assert first.actor_handle == "mo"
    assert (first.reason, first.facts) == ("", {"report": claimed.pk, "around": claimed.message_created_at})
    assert second.subject == first.subject
    assert second.at > first.at
    assert (second.reason, second.facts) == (MORE, {"report": claimed.pk, "before": claimed.message_created_at})


def test_reading_changes_nothing_for_the_members(moderator: User, claimed: Report, fake_table: MessageTable) -> None:
    def everything() -> Any:
        items = fake_table.client.scan(TableName=fake_table.name)["Items"]
        return sorted(items, key=lambda item: (item["pk"]["S"], item["sk"]["S"]))

    before = everything()

    signed_in(moderator).get(conversation_of(claimed))

    assert everything() == before


@pytest.mark.parametrize("who", ["other_moderator", "admin"])
def test_other_moderators_cannot_read(request: pytest.FixtureRequest, claimed: Report, who: str) -> None:
    assert signed_in(request.getfixturevalue(who)).get(conversation_of(claimed)).status_code == 403
    assert looks() == []


def test_unclaimed_or_decided_report_opens_nothing(moderator: User, report: Report) -> None:
    client = signed_in(moderator)
    assert client.get(conversation_of(report)).status_code == 403

    client.post(f"/admin/moderation/report/{report.pk}/claim/")
    decision = {"verdict": "dismiss", "reason": "Fine"}
    client.post(f"/admin/moderation/report/{report.pk}/decide/", decision)

    assert client.get(conversation_of(report)).status_code == 403


@pytest.mark.parametrize("cursor", ["x", "0001-01-01T00:00:00.000000+23:59"])
def test_invalid_cursor_is_not_found(moderator: User, claimed: Report, cursor: str) -> None:
    assert read_on(signed_in(moderator), claimed, before=cursor).status_code == 404


# --- No more than the report needs ----------------------------------------------------------------------------------


@pytest.fixture
def long_talk(claimed: Report, andrew: User, fake_table: MessageTable) -> Report:
    """Return a report of the eighth message, after which 52 more were written."""
    for number in range(9, 61):
        talk.send(by=andrew.uuid, group=claimed.group_uuid, text=f"Text {number}")
    return claimed


@pytest.fixture
def in_the_middle(bad_message: Message, andrew: User, bayko: User, moderator: User) -> Report:
    """Return a report of the 30th of 60 messages, which the moderator has claimed."""
    for number in range(9, 30):
        talk.send(by=andrew.uuid, group=bad_message.group_uuid, text=f"Text {number}")
    bad = talk.send(by=bayko.uuid, group=bad_message.group_uuid, text="Text 30")
    for number in range(31, 61):
        talk.send(by=andrew.uuid, group=bad_message.group_uuid, text=f"Text {number}")
    report = reports.report(
        reporter_uuid=andrew.uuid, group_uuid=bad.group_uuid, created_at=bad.created_at, reason="spam", note="",
        now=timezone.now(),
    )  # fmt: skip
    queue.claim(report=report, moderator=moderator, now=timezone.now())
    return report


def shown(response: Any) -> list[int]:
    """Return the numbers of the messages on the page."""
    return [int(each["text"].split()[1]) if each["text"] != "Buy kites" else 8 for each in response.context["lines"]]


def test_window_has_twenty_messages_around_the_report(moderator: User, in_the_middle: Report) -> None:
    assert shown(signed_in(moderator).get(conversation_of(in_the_middle))) == [*range(20, 40)]


def test_window_is_filled_when_one_side_is_short(moderator: User, long_talk: Report, claimed: Report) -> None:
    assert shown(signed_in(moderator).get(conversation_of(claimed))) == [*range(1, 21)]


def test_window_of_the_newest_message_has_twenty_messages(moderator: User, andrew: User, in_the_middle: Report) -> None:
    Report.objects.filter(pk=in_the_middle.pk).update(state="decided")
    client = signed_in(moderator)
    signed_in(andrew).post(f"/report/{in_the_middle.group_uuid}", {"reason": "threat"})
    report = Report.objects.latest("pk")
    client.post(f"/admin/moderation/report/{report.pk}/claim/")

    assert shown(client.get(conversation_of(report))) == [*range(41, 61)]


@pytest.mark.parametrize("cursor", ["before", "after", "around"])
def test_link_does_not_move_the_window(moderator: User, in_the_middle: Report, cursor: str) -> None:
    client = signed_in(moderator)
    window = client.get(conversation_of(in_the_middle))

    for value in (window.context["older"], window.context["newer"], "x"):
        page = client.get(conversation_of(in_the_middle), {cursor: value, "reason": MORE})
        assert shown(page) == [*range(20, 40)]


@pytest.mark.parametrize("reason", ["", "too short", " " * 20, "x" * 501])
def test_too_short_reason_shows_nothing_and_is_kept(moderator: User, in_the_middle: Report, reason: str) -> None:
    client = signed_in(moderator)
    window = client.get(conversation_of(in_the_middle))

    for side in ("older", "newer"):
        name = {"older": "before", "newer": "after"}[side]
        page = client.post(conversation_of(in_the_middle), {name: window.context[side], "reason": reason})
        assert page.status_code == 422
        assert shown(page) == [*range(20, 40)]
        assert "Nothing more was read" in text_of(page)
        assert reason.strip() in html_of(page)
    assert [(look.reason, list(look.facts)) for look in looks()] == [("", ["around", "report"])] * 3


def test_later_messages_require_a_reason(moderator: User, andrew: User, in_the_middle: Report) -> None:
    client = signed_in(moderator)
    talk.send(by=andrew.uuid, group=in_the_middle.group_uuid, text="Text 61")
    assert "Text 61" not in text_of(client.get(conversation_of(in_the_middle)))

    page, pages = client.get(conversation_of(in_the_middle)), 0
    while page.context["newer"]:
        page = read_on(client, in_the_middle, after=page.context["newer"])
        pages += 1

    assert shown(page)[-1] == 61
    assert [look.reason for look in looks()] == ["", "", *[MORE] * pages]
    assert pages == 2


def test_each_window_is_requested_with_the_reason(moderator: User, in_the_middle: Report) -> None:
    client = signed_in(moderator)
    first = client.get(conversation_of(in_the_middle))

    earlier = read_on(client, in_the_middle, before=first.context["older"])

    assert shown(earlier) == [*range(1, 20)]
    assert f'name="reason" value="{MORE}"' in html_of(earlier)
    assert MORE in text_of(earlier)
    assert 'name="before" value=' in html_of(first)
    assert 'name="after" value=' in html_of(first)


def test_reason_is_recorded_before_reading(moderator: User, in_the_middle: Report, fake_table: MessageTable) -> None:
    with fault(fake_table, "GetItem", *[answer("InternalServerError", 500)] * 4):
        response = read_on(signed_in(moderator), in_the_middle, before=in_the_middle.message_created_at)

    assert response.status_code == 503
    assert [look.reason for look in looks()] == [MORE]


def test_short_conversation_requires_no_reason(moderator: User, claimed: Report) -> None:
    page = signed_in(moderator).get(conversation_of(claimed))

    assert shown(page) == [*range(1, 9)]
    assert "Read more of it" not in text_of(page)


@pytest.mark.parametrize("who", ["other_moderator", "admin"])
def test_reason_without_a_claim_reads_nothing(request: pytest.FixtureRequest, in_the_middle: Report, who: str) -> None:
    response = read_on(signed_in(request.getfixturevalue(who)), in_the_middle, before=in_the_middle.message_created_at)

    assert response.status_code == 403
    assert looks() == []


# --- For a stated reason --------------------------------------------------------------------------------------------


def test_administrator_reads_for_a_stated_reason(admin: User, bad_message: Message) -> None:
    response = ask(signed_in(admin))

    assert response.status_code == 200
    assert "Buy kites" in text_of(response)
    (look,) = looks()
    assert (look.reason, look.subject, look.facts) == (REASON, f"conversation:{bad_message.group_uuid}", {})


@pytest.mark.parametrize("reason", ["", "too short", " " * 20, "x" * 501])
def test_nothing_is_shown_without_a_reason(admin: User, bad_message: Message, reason: str) -> None:
    response = ask(signed_in(admin), reason=reason)

    assert response.status_code == 422
    assert "Buy kites" not in text_of(response)
    assert looks() == []


def test_audit_entry_is_written_before_reading(admin: User, bad_message: Message, fake_table: MessageTable) -> None:
    with fault(fake_table, "GetItem", *[answer("InternalServerError", 500)] * 4):
        response = ask(signed_in(admin))

    assert response.status_code == 503
    assert "DynamoDB does not answer" in text_of(response)
    assert len(looks()) == 1


def test_link_opens_no_conversation(admin: User, bad_message: Message) -> None:
    query = {"one": "andrewbrown", "other": "bayko", "reason": REASON}
    response = signed_in(admin).get(ASK, query)

    assert response.status_code == 200
    assert "Buy kites" not in text_of(response)
    assert looks() == []


def test_conversation_is_read_window_by_window(admin: User, andrew: User, bad_message: Message) -> None:
    for number in range(9, 30):
        talk.send(by=andrew.uuid, group=bad_message.group_uuid, text=f"Text {number}")
    client = signed_in(admin)

    newest = ask(client)
    older = ask(client, before=newest.context["older"])

    assert (newest.context["newer"], older.context["older"]) == ("", "")
    assert "Text 29" in text_of(newest)
    assert "Buy kites" in text_of(older)
    assert [look.reason for look in looks()] == [REASON] * 2


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"one": "nobody"}, 422), ({"one": "bayko"}, 422), ({"one": "mo"}, 404), ({"one": "\x00"}, 400)],
)
def test_missing_conversation_is_reported(
    admin: User, moderator: User, bad_message: Message, fields: dict[str, str], status: int
) -> None:
    assert ask(signed_in(admin), **fields).status_code == status


def test_moderator_requires_a_report(moderator: User, bad_message: Message) -> None:
    client = signed_in(moderator)

    assert client.get(ASK).status_code == 403
    assert ask(client).status_code == 403
    assert looks() == []


# --- Nowhere else ---------------------------------------------------------------------------------------------------


def test_other_admin_pages_show_no_messages(admin: User, bayko: User, report: Report) -> None:
    client = signed_in(admin)
    pages = [
        "/admin/",
        "/admin/moderation/report/?state=all",
        f"/admin/moderation/report/{report.pk}/change/",
        f"/admin/moderation/report/{report.pk}/history/",
        "/admin/moderation/auditentry/",
        "/admin/users/user/",
        f"/admin/users/user/{bayko.pk}/change/",
        f"/admin/users/user/{bayko.pk}/history/",
        "/admin/stream/",
    ]

    shown = [address for address in pages if "Buy kites" in client.get(address).content.decode()]

    assert shown == []
