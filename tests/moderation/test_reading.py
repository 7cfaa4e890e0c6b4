"""Conversations in the admin: through a report, or for a stated reason, and recorded before anything is shown."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from messaging.dynamodb import MessageTable
from messaging.items import Message
from moderation import queue
from moderation.models import AuditEntry, Report
from tests.messaging import talk
from tests.messaging.faults import answer, fault
from tests.messaging.pages import text_of
from users.models import User

from .conftest import signed_in

pytestmark = pytest.mark.django_db
ASK = "/admin/conversation/"
REASON = "A court asks for it"


def conversation_of(report: Report) -> str:
    return f"/admin/moderation/report/{report.pk}/conversation/"


@pytest.fixture
def claimed(report: Report, moderator: User) -> Report:
    queue.claim(report=report, moderator=moderator, now=timezone.now())
    return report


def ask(client: Client, **fields: str) -> Any:
    return client.post(ASK, {"one": "andrewbrown", "other": "@Bayko", "reason": REASON, **fields})


def looks() -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(act="conversation.read").order_by("pk"))


# --- Through a report -----------------------------------------------------------------------------------------------


def test_who_works_on_a_report_reads_around_it(moderator: User, claimed: Report) -> None:
    page = text_of(signed_in(moderator).get(conversation_of(claimed)))

    assert "Text 1" in page
    assert "Buy kites" in page


def test_each_look_is_recorded(moderator: User, claimed: Report) -> None:
    client = signed_in(moderator)

    client.get(conversation_of(claimed))
    client.get(conversation_of(claimed), {"before": claimed.message_created_at})

    first, second = looks()
    assert first.subject == f"conversation:{claimed.group_uuid}"
    assert first.actor_handle == "mo"
    assert first.facts == {"report": claimed.pk, "around": claimed.message_created_at}
    assert second.facts == {"report": claimed.pk, "before": claimed.message_created_at}


def test_it_changes_nothing_for_the_members(moderator: User, claimed: Report, moto_table: MessageTable) -> None:
    def everything() -> Any:
        items = moto_table.client.scan(TableName=moto_table.name)["Items"]
        return sorted(items, key=lambda item: (item["pk"]["S"], item["sk"]["S"]))

    before = everything()

    signed_in(moderator).get(conversation_of(claimed))

    assert everything() == before


@pytest.mark.parametrize("who", ["other_moderator", "admin"])
def test_nobody_else_reads_through_it(request: pytest.FixtureRequest, claimed: Report, who: str) -> None:
    assert signed_in(request.getfixturevalue(who)).get(conversation_of(claimed)).status_code == 403
    assert looks() == []


def test_a_report_that_is_not_claimed_or_decided_opens_nothing(moderator: User, report: Report) -> None:
    client = signed_in(moderator)
    assert client.get(conversation_of(report)).status_code == 403

    client.post(f"/admin/moderation/report/{report.pk}/claim/")
    decision = {"verdict": "dismiss", "reason": "Fine"}
    client.post(f"/admin/moderation/report/{report.pk}/decide/", decision)

    assert client.get(conversation_of(report)).status_code == 403


def test_a_cursor_that_is_none_is_not_found(moderator: User, claimed: Report) -> None:
    assert signed_in(moderator).get(conversation_of(claimed), {"before": "x"}).status_code == 404


# --- For a stated reason --------------------------------------------------------------------------------------------


def test_an_administrator_reads_for_a_reason(admin: User, bad_message: Message) -> None:
    response = ask(signed_in(admin))

    assert response.status_code == 200
    assert "Buy kites" in text_of(response)
    (look,) = looks()
    assert (look.reason, look.subject, look.facts) == (REASON, f"conversation:{bad_message.group_uuid}", {})


@pytest.mark.parametrize("reason", ["", "too short", " " * 20, "x" * 501])
def test_without_a_reason_nothing_is_shown(admin: User, bad_message: Message, reason: str) -> None:
    response = ask(signed_in(admin), reason=reason)

    assert response.status_code == 422
    assert "Buy kites" not in text_of(response)
    assert looks() == []


def test_the_entry_is_there_before_anything_is_read(
    admin: User, bad_message: Message, moto_table: MessageTable
) -> None:
    with fault(moto_table, "GetItem", *[answer("InternalServerError", 500)] * 4):
        response = ask(signed_in(admin))

    assert response.status_code == 503
    assert "DynamoDB does not answer" in text_of(response)
    assert len(looks()) == 1


def test_a_link_opens_nothing(admin: User, bad_message: Message) -> None:
    query = {"one": "andrewbrown", "other": "bayko", "reason": REASON}
    response = signed_in(admin).get(ASK, query)

    assert response.status_code == 200
    assert "Buy kites" not in text_of(response)
    assert looks() == []


def test_it_is_read_part_by_part(admin: User, andrew: User, bad_message: Message) -> None:
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
def test_it_says_when_there_is_none(
    admin: User, moderator: User, bad_message: Message, fields: dict[str, str], status: int
) -> None:
    assert ask(signed_in(admin), **fields).status_code == status


def test_a_moderator_has_to_have_a_report(moderator: User, bad_message: Message) -> None:
    client = signed_in(moderator)

    assert client.get(ASK).status_code == 403
    assert ask(client).status_code == 403
    assert looks() == []


# --- Nowhere else ---------------------------------------------------------------------------------------------------


def test_no_other_page_of_the_admin_shows_a_message(admin: User, bayko: User, report: Report) -> None:
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
