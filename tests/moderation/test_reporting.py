"""Reporting a message or a conversation."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from cruddur.web.rate_limits import LIMITS, take
from messaging.actions import edit_message
from messaging.domain.entities import Message
from messaging.dynamodb.table import MessageTable
from moderation.models import Report, State
from tests.messaging.faults import answer, fault
from tests.messaging.pages import html_of, text_of
from users.models import User

from .conftest import signed_in

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def page_of(message: Message) -> str:
    return f"/report/{message.group_uuid}/{quote(message.created_at)}"


def send(client: Client, address: str, **fields: str) -> Any:
    return client.post(address, {"reason": "spam", "note": "", **fields})


def test_form_shows_what_is_reported(andrew: User, bad_message: Message) -> None:
    response = signed_in(andrew).get(page_of(bad_message))

    assert response.status_code == 200
    assert "Report this message" in text_of(response)
    assert "Buy kites" in text_of(response)
    assert "Text 7" not in text_of(response)


def test_report_stores_the_message_and_five_before_it(andrew: User, bayko: User, bad_message: Message) -> None:
    response = send(signed_in(andrew), page_of(bad_message), reason="harassment", note="Again\r\nand again")

    assert response.status_code == 303
    report = Report.objects.get()
    assert (report.reporter_uuid, report.reported_uuid) == (andrew.uuid, bayko.uuid)
    assert (report.reason, report.note, report.state) == ("harassment", "Again\nand again", State.OPEN)
    assert [(each["seq"], each["message"]) for each in report.snapshot] == [
        *((seq, f"Text {seq}") for seq in range(3, 8)),
        (8, "Buy kites"),
    ]
    assert report.snapshot[-1] == {
        "seq": 8,
        "created_at": bad_message.created_at,
        "user_uuid": str(bayko.uuid),
        "message": "Buy kites",
        "edited_at": "",
        "deleted_at": "",
    }


def test_snapshot_is_read_from_the_table(andrew: User, bad_message: Message) -> None:
    send(signed_in(andrew), page_of(bad_message), snapshot="[]", message="Forged", text="Forged", reported_uuid="x")

    assert Report.objects.get().snapshot[-1]["message"] == "Buy kites"


def test_snapshot_outlives_the_message(andrew: User, bayko: User, report: Report) -> None:
    edit_message.delete(
        user_uuid=bayko.uuid, group_uuid=report.group_uuid, created_at=report.message_created_at, now=NOW
    )

    report.refresh_from_db()
    assert report.snapshot[-1]["message"] == "Buy kites"


def test_reported_conversation_stores_its_newest_messages(andrew: User, bayko: User, bad_message: Message) -> None:
    response = send(signed_in(andrew), f"/report/{bad_message.group_uuid}")

    assert response.status_code == 303
    report = Report.objects.get()
    assert (report.message_created_at, report.reported_uuid) == ("", bayko.uuid)
    assert [each["seq"] for each in report.snapshot] == [3, 4, 5, 6, 7, 8]


def test_page_confirms_the_report(andrew: User, bad_message: Message) -> None:
    client = signed_in(andrew)

    response = client.get(send(client, page_of(bad_message))["Location"])

    assert "Thank you" in text_of(response)
    assert f'href="/messages/{bad_message.group_uuid}"' in html_of(response)
    block = f"/messages/people/{bad_message.user_uuid}/block"
    assert f'href="{block}"' in html_of(response)
    assert client.get(block).status_code == 200


def test_repeated_report_is_stored_once(andrew: User, bad_message: Message) -> None:
    client = signed_in(andrew)
    send(client, page_of(bad_message))

    again = send(client, page_of(bad_message), reason="threat")

    assert (again.status_code, "Thank you" in text_of(again)) == (200, True)
    assert [report.reason for report in Report.objects.all()] == ["spam"]


def test_decided_report_can_be_made_again(andrew: User, report: Report, bad_message: Message) -> None:
    Report.objects.update(state=State.DECIDED, claimed_by_uuid=uuid4())

    send(signed_in(andrew), page_of(bad_message))

    assert Report.objects.count() == 2


@pytest.mark.parametrize("who", ["outsider", "writer", "moderator"])
def test_outsiders_and_senders_cannot_report(
    request: pytest.FixtureRequest, bayko: User, londo: User, moderator: User, bad_message: Message, who: str
) -> None:
    client = signed_in({"outsider": londo, "writer": bayko, "moderator": moderator}[who])

    assert client.get(page_of(bad_message)).status_code == 404
    assert send(client, page_of(bad_message)).status_code == 404
    assert not Report.objects.exists()


@pytest.mark.parametrize(
    "address",
    [
        "{group}/nonsense",
        "{group}/2026-11-21T09:05:00.000000+00:00",
        "{group}/9999-12-31T23:59:59.999999+00:00",
        "{group}/0001-01-01T00:00:00.000000+23:59",
        "{other}",
    ],
)
def test_missing_message_cannot_be_reported(andrew: User, bad_message: Message, address: str) -> None:
    address = "/report/" + address.format(group=bad_message.group_uuid, other=uuid4())
    client = signed_in(andrew)

    assert client.get(address).status_code == 404
    assert send(client, address).status_code == 404


def test_deleted_message_cannot_be_reported(andrew: User, bayko: User, bad_message: Message) -> None:
    edit_message.delete(
        user_uuid=bayko.uuid, group_uuid=bad_message.group_uuid, created_at=bad_message.created_at, now=NOW
    )

    assert send(signed_in(andrew), page_of(bad_message)).status_code == 404


@pytest.mark.parametrize("fields", [{"reason": ""}, {"reason": "boredom"}, {"note": "x" * 501}])
def test_invalid_form_keeps_the_text(andrew: User, bad_message: Message, fields: dict[str, str]) -> None:
    response = send(signed_in(andrew), page_of(bad_message), **{"note": "My words", **fields})

    assert response.status_code == 422
    assert "field__error" in html_of(response)
    assert "My words" in html_of(response) or "note" in fields
    assert not Report.objects.exists()


def test_note_accepts_five_hundred_emoji(andrew: User, bad_message: Message) -> None:
    assert send(signed_in(andrew), page_of(bad_message), note="🪁" * 500).status_code == 303


@pytest.mark.parametrize(("reason", "status"), [("spam", 503), ("", 422)])
def test_text_is_kept_while_dynamodb_is_away(
    andrew: User, bad_message: Message, fake_table: MessageTable, reason: str, status: int
) -> None:
    with fault(fake_table, "GetItem", *[answer("InternalServerError", 500)] * 4):
        response = send(signed_in(andrew), page_of(bad_message), reason=reason, note="My words")

    assert response.status_code == status
    assert ("Retry-After" in response) == (status == 503)
    assert "My words" in html_of(response)


def test_rate_limited_report_keeps_the_text(andrew: User, bad_message: Message) -> None:
    client = signed_in(andrew)
    now = timezone.now()
    for _ in range(LIMITS["reports"].at_once):
        take(LIMITS["reports"], who=str(andrew.uuid), now=now)

    response = send(client, page_of(bad_message), note="My words")

    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
    assert "My words" in html_of(response)
    assert not Report.objects.exists()


def test_reporting_requires_sign_in(client: Client, bad_message: Message) -> None:
    assert client.get(page_of(bad_message)).status_code == 302


def test_reported_user_is_not_told(bayko: User, report: Report, bad_message: Message) -> None:
    pages = [signed_in(bayko).get(f"/messages/{report.group_uuid}"), signed_in(bayko).get("/messages")]

    assert not any("report" in text_of(page).lower() for page in pages)


def test_menu_of_other_message_links_to_the_form(andrew: User, bad_message: Message) -> None:
    page = signed_in(andrew).get(f"/messages/{bad_message.group_uuid}/{quote(bad_message.created_at)}")

    assert f'href="/report/{bad_message.group_uuid}/' in html_of(page)


def test_menu_of_own_message_does_not_link_to_the_form(bayko: User, bad_message: Message) -> None:
    page = signed_in(bayko).get(f"/messages/{bad_message.group_uuid}/{quote(bad_message.created_at)}")

    assert "/report/" not in html_of(page)
