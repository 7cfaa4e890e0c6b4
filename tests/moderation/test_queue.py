"""The queue of reports: who sees what, who works on which, and what comes of it."""

from __future__ import annotations

import threading
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from messaging.domain.entities import Message
from messaging.dynamodb.connection import message_table
from messaging.dynamodb.table import MessageTable
from moderation import decisions, queue
from moderation.decisions import NotPossible
from moderation.models import AuditEntry, Decision, Notice, Report, State, Verdict
from moderation.queue import AlreadyTaken, InvolvedInReport, NotYourReport
from tests.messaging.faults import answer, fault
from tests.messaging.pages import messages_of, text_of
from tests.messaging.talk import drain
from users.models import User

from .conftest import signed_in

pytestmark = pytest.mark.django_db
LIST = "/admin/moderation/report/"


def page_of(report: Report) -> str:
    return f"{LIST}{report.pk}/change/"


def act(client: Client, report: Report, name: str, **fields: str) -> Any:
    return client.post(f"{LIST}{report.pk}/{name}/", fields, follow=False)


def acts() -> list[str]:
    return [entry.act for entry in AuditEntry.objects.order_by("pk")]


@pytest.fixture
def claimed(report: Report, moderator: User) -> Report:
    queue.claim(report=report, moderator=moderator, now=timezone.now())
    report.refresh_from_db()
    return report


# --- The list -------------------------------------------------------------------------------------------------------


def test_queue_lists_waiting_reports_without_texts(moderator: User, report: Report) -> None:
    page = text_of(signed_in(moderator).get(LIST))

    for word in (f"#{report.pk}", "Spam or a scam", "@bayko", "@andrewbrown", "message"):
        assert word in page
    assert "Buy kites" not in page


@pytest.mark.parametrize(
    ("state", "numbers"),
    [("", [1, 2]), ("open", [1]), ("claimed", [2]), ("mine", [2]), ("decided", [3]), ("all", [1, 2, 3])],
)
def test_queue_is_filtered_by_state(moderator: User, andrew: User, bayko: User, state: str, numbers: list[int]) -> None:
    for number, at in enumerate((State.OPEN, State.CLAIMED, State.DECIDED), 1):
        Report.objects.create(
            reporter_uuid=andrew.uuid,
            reported_uuid=bayko.uuid,
            group_uuid=UUID(int=number),
            reason="spam",
            snapshot=[],
            created_at=timezone.now(),
            state=at,
            claimed_by_uuid=None if at == State.OPEN else moderator.uuid,
        )

    found = signed_in(moderator).get(LIST, {"state": state} if state else {}).context["cl"].result_list

    assert [report.group_uuid.int for report in found] == numbers


# --- Claiming -------------------------------------------------------------------------------------------------------


def test_only_the_claiming_moderator_sees_the_messages(moderator: User, other_moderator: User, report: Report) -> None:
    mine, other = signed_in(moderator), signed_in(other_moderator)
    assert "Buy kites" not in text_of(mine.get(page_of(report)))

    act(mine, report, "claim")

    assert "Buy kites" in text_of(mine.get(page_of(report)))
    assert "He goes on" in text_of(mine.get(page_of(report)))
    assert "Buy kites" not in text_of(other.get(page_of(report)))


def test_each_view_is_recorded(moderator: User, report: Report) -> None:
    client = signed_in(moderator)
    act(client, report, "claim")
    client.get(page_of(report))

    entries = AuditEntry.objects.order_by("pk")
    assert [(entry.actor_handle, entry.act, entry.subject) for entry in entries] == [
        ("mo", "report.claim", f"report:{report.pk}"),
        ("mo", "report.view", f"report:{report.pk}"),
    ]


def test_claimed_report_cannot_be_claimed_again(moderator: User, other_moderator: User, claimed: Report) -> None:
    client = signed_in(other_moderator)

    act(client, claimed, "claim")
    act(client, claimed, "release")
    act(client, claimed, "decide", verdict="dismiss", reason="Fine")

    claimed.refresh_from_db()
    assert (claimed.state, claimed.claimed_by_uuid) == (State.CLAIMED, moderator.uuid)
    assert acts() == ["report.claim"]


@pytest.mark.django_db(transaction=True)
def test_one_of_two_simultaneous_claims_wins(moderator: User, other_moderator: User, report: Report) -> None:
    barrier, outcomes = threading.Barrier(2), []

    def claim(who: User) -> None:
        try:
            barrier.wait(5)
            queue.claim(report=report, moderator=who, now=timezone.now())
            outcomes.append("claimed")
        except AlreadyTaken:
            outcomes.append("taken")
        finally:
            connection.close()

    threads = [threading.Thread(target=claim, args=[who]) for who in (moderator, other_moderator)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["claimed", "taken"]
    assert acts() == ["report.claim"]


def test_released_report_returns_to_the_queue(moderator: User, other_moderator: User, claimed: Report) -> None:
    act(signed_in(moderator), claimed, "release")
    act(signed_in(other_moderator), claimed, "claim")

    claimed.refresh_from_db()
    assert claimed.claimed_by_uuid == other_moderator.uuid


def test_administrator_can_release_any_report(admin: User, claimed: Report) -> None:
    act(signed_in(admin), claimed, "release")

    claimed.refresh_from_db()
    assert claimed.state == State.OPEN


@pytest.mark.parametrize("who", ["andrew", "bayko"])
def test_moderators_cannot_decide_about_themselves(request: pytest.FixtureRequest, report: Report, who: str) -> None:
    person: User = request.getfixturevalue(who)

    with pytest.raises(InvolvedInReport):
        queue.claim(report=report, moderator=person, now=timezone.now())


# --- Deciding -------------------------------------------------------------------------------------------------------


def decide(report: Report, moderator: User, verdict: str, **more: str) -> Decision:
    return decisions.decide(
        report=report, moderator=moderator, verdict=verdict, reason="Because of the kites", now=timezone.now(), **more
    )


def test_decision_records_who_when_and_why(moderator: User, claimed: Report) -> None:
    before = timezone.now()

    response = act(signed_in(moderator), claimed, "decide", verdict="dismiss", reason="Kites are fine")

    assert response.status_code == 302
    decision = Decision.objects.get()
    assert (decision.verdict, decision.decided_by_uuid, decision.reason) == (
        "dismiss",
        moderator.uuid,
        "Kites are fine",
    )
    assert before <= decision.decided_at <= timezone.now()
    claimed.refresh_from_db()
    assert claimed.state == State.DECIDED
    entry = AuditEntry.objects.get(act="report.decide")
    assert (entry.actor_handle, entry.reason, entry.facts) == ("mo", "Kites are fine", {"verdict": "dismiss"})


def test_decision_requires_a_reason(moderator: User, claimed: Report) -> None:
    response = act(signed_in(moderator), claimed, "decide", verdict="dismiss", reason=" ")

    assert response.status_code == 422
    assert not Decision.objects.exists()


def test_report_is_decided_once(moderator: User, claimed: Report) -> None:
    decide(claimed, moderator, Verdict.DISMISS)

    with pytest.raises(NotYourReport):
        decide(claimed, moderator, Verdict.WARN, text="Stop")
    assert [decision.verdict for decision in Decision.objects.all()] == ["dismiss"]
    assert not Notice.objects.exists()


def test_deleted_message_is_a_tombstone_for_everyone(
    moderator: User, andrew: User, bayko: User, claimed: Report, fake_table: MessageTable
) -> None:
    before = message_table().conversation(claimed.group_uuid)

    decide(claimed, moderator, Verdict.DELETE_MESSAGE)

    message = message_table().message(claimed.group_uuid, claimed.message_created_at)
    after = message_table().conversation(claimed.group_uuid)
    assert message is not None
    assert before is not None
    assert after is not None
    assert (message.message, bool(message.deleted_at), message.seq) == ("", True, 8)
    assert (after.seq, after.last_sk, after.version, after.message) == (
        before.seq,
        before.last_sk,
        before.version + 1,
        "",
    )
    for person in (andrew, bayko):
        page = signed_in(person).get(f"/messages/{claimed.group_uuid}")
        assert "Buy kites" not in messages_of(page)
        assert "This message was deleted" in text_of(page)
    drain(fake_table)
    assert "Buy kites" not in text_of(signed_in(andrew).get("/messages"))


def test_decision_can_be_retried_after_dynamodb_was_away(
    moderator: User, claimed: Report, fake_table: MessageTable
) -> None:
    client = signed_in(moderator)
    with fault(fake_table, "BatchGetItem", *[answer("InternalServerError", 500)] * 4):
        response = act(client, claimed, "decide", verdict="delete_message", reason="Because of the kites")

    assert response.status_code == 503
    assert "Because of the kites" in response.content.decode()
    assert not Decision.objects.exists()
    assert act(client, claimed, "decide", verdict="delete_message", reason="Kites").status_code == 302


def test_report_can_be_decided_after_a_crash(moderator: User, claimed: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Decision.objects, "create", die)
    with pytest.raises(KeyboardInterrupt):
        decide(claimed, moderator, Verdict.DELETE_MESSAGE)
    monkeypatch.undo()

    assert acts() == ["report.claim", "report.decide"]
    decide(claimed, moderator, Verdict.DELETE_MESSAGE)
    assert Decision.objects.get().outcome == ""


def test_reported_conversation_has_no_message_to_delete(moderator: User, andrew: User, bad_message: Message) -> None:
    signed_in(andrew).post(f"/report/{bad_message.group_uuid}", {"reason": "threat"})
    report = Report.objects.get()
    queue.claim(report=report, moderator=moderator, now=timezone.now())
    report.refresh_from_db()

    with pytest.raises(NotPossible, match="No single message"):
        decide(report, moderator, Verdict.DELETE_MESSAGE)
    assert acts() == ["report.claim"]


def test_disabled_user_is_signed_out_at_once(moderator: User, bayko: User, claimed: Report) -> None:
    theirs = signed_in(bayko)

    decision = decide(claimed, moderator, Verdict.DISABLE_PERSON)

    bayko.refresh_from_db()
    assert not bayko.is_active
    assert theirs.get("/messages").status_code == 302
    assert decision.outcome.startswith("Disabled here, not in Cognito: ")


@pytest.mark.parametrize("is_superuser", [False, True])
def test_moderator_cannot_disable_moderators(moderator: User, bayko: User, claimed: Report, is_superuser: bool) -> None:
    User.objects.filter(pk=bayko.pk).update(is_staff=True, is_superuser=is_superuser)

    with pytest.raises(NotPossible, match="Only an administrator"):
        decide(claimed, moderator, Verdict.DISABLE_PERSON)
    assert User.objects.get(pk=bayko.pk).is_active


def test_administrator_can_disable_a_moderator(admin: User, bayko: User, report: Report) -> None:
    User.objects.filter(pk=bayko.pk).update(is_staff=True)
    queue.claim(report=report, moderator=admin, now=timezone.now())
    report.refresh_from_db()

    decide(report, admin, Verdict.DISABLE_PERSON)

    assert not User.objects.get(pk=bayko.pk).is_active


def test_user_being_deleted_is_neither_warned_nor_disabled(moderator: User, bayko: User, claimed: Report) -> None:
    User.objects.filter(pk=bayko.pk).update(deletion_asked_at=timezone.now(), is_active=False)

    for verdict in (Verdict.WARN, Verdict.DISABLE_PERSON):
        with pytest.raises(NotPossible, match="not here any more"):
            decide(claimed, moderator, verdict, text="Be kind")


# --- Warning --------------------------------------------------------------------------------------------------------


def test_warning_shows_on_every_page_until_acknowledged(moderator: User, bayko: User, claimed: Report) -> None:
    act(signed_in(moderator), claimed, "decide", verdict="warn", reason="Kites", text="No more kites, please")
    client = signed_in(bayko)

    for address in ("/messages", f"/messages/{claimed.group_uuid}", "/settings"):
        assert "No more kites, please" in text_of(client.get(address))
    page = client.get("/settings")
    notice = Notice.objects.get()
    response = client.post("/notice/acknowledge", {"notice": str(notice.pk), "next": "/settings"})

    assert f'name="notice" value="{notice.pk}"' in page.content.decode()
    assert (response.status_code, response["Location"]) == (303, "/settings")
    assert "No more kites" not in text_of(client.get("/messages"))
    notice.refresh_from_db()
    assert notice.acknowledged_at


def test_warning_hides_report_and_reason(moderator: User, bayko: User, claimed: Report) -> None:
    decide(claimed, moderator, Verdict.WARN, text="Be kind")

    page = text_of(signed_in(bayko).get("/settings"))
    assert "Because of the kites" not in page
    assert "andrewbrown" not in page


def test_warning_is_only_for_the_reported_user(moderator: User, andrew: User, bayko: User, claimed: Report) -> None:
    decide(claimed, moderator, Verdict.WARN, text="Be kind")
    notice = Notice.objects.get()
    client = signed_in(andrew)

    assert "Be kind" not in text_of(client.get("/settings"))
    client.post("/notice/acknowledge", {"notice": str(notice.pk)})

    assert "Be kind" in text_of(signed_in(bayko).get("/settings"))


def test_warning_requires_a_text(moderator: User, claimed: Report) -> None:
    response = act(signed_in(moderator), claimed, "decide", verdict="warn", reason="Kites")

    assert response.status_code == 422
    assert "Write what the person is to read." in text_of(response)


@pytest.mark.parametrize("notice", ["", "x", "0", "9" * 40])
def test_invalid_notice_is_rejected(bayko: User, notice: str) -> None:
    assert signed_in(bayko).post("/notice/acknowledge", {"notice": notice}).status_code == 400


# --- Who may --------------------------------------------------------------------------------------------------------


def test_queue_is_only_for_moderators(andrew: User, bayko: User, report: Report) -> None:
    for person in (andrew, bayko):
        client = signed_in(person)
        assert [client.get(address).status_code for address in (LIST, page_of(report))] == [403, 403]
        assert {act(client, report, name).status_code for name in ("claim", "release", "decide")} == {403}
    assert acts() == []


@pytest.mark.parametrize("number", ["0", "999", "x", "9" * 30])
def test_unknown_report_is_not_found(moderator: User, number: str) -> None:
    client = signed_in(moderator)

    assert client.get(f"{LIST}{number}/change/").status_code == 404
    assert client.post(f"{LIST}{number}/claim/").status_code in (302, 404)


def test_reports_cannot_be_edited_in_the_admin(admin: User, report: Report) -> None:
    client = signed_in(admin)

    assert client.get(f"{LIST}add/").status_code == 403
    assert client.post(f"{LIST}{report.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Report.objects.filter(pk=report.pk).exists()
