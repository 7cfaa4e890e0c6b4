"""How long a session lives: idle, at most, and under which key; the same for open streams."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from messaging.domain.entities import Message, pair_group_uuid
from messaging.dynamodb.table import MessageTable
from messaging.queries import conversations, recent_sends
from messaging.realtime.session_checks import people_of
from tests.messaging.pages import SCRIPT, draft_of, hidden_of, messages_of
from users.models import User

pytestmark = pytest.mark.django_db

IDLE, ABSOLUTE = timedelta(days=14), timedelta(days=30)


@pytest.fixture
def signed_in(client: Client, bayko: User) -> Client:
    client.force_login(bayko)
    return client


def key_of(client: Client) -> str:
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def status(client: Client, at: datetime) -> int:
    with time_machine.travel(at, tick=False):
        return client.get("/shortcuts").status_code


def test_an_unused_session_ends(signed_in: Client) -> None:
    began = timezone.now()

    assert status(signed_in, began + IDLE - timedelta(minutes=5)) == 200

    signed_in.cookies[settings.SESSION_COOKIE_NAME] = key_of(signed_in)
    Session.objects.update(expire_date=began + IDLE)
    assert status(signed_in, began + IDLE + timedelta(minutes=5)) == 302


def test_use_keeps_a_session_alive_until_its_longest_life(signed_in: Client) -> None:
    began = timezone.now()

    for days in (10, 20, 29):
        assert status(signed_in, began + timedelta(days=days)) == 200
    assert status(signed_in, began + ABSOLUTE + timedelta(minutes=5)) == 302
    assert not Session.objects.exists()


def test_a_stream_ends_with_its_session_s_longest_life(signed_in: Client, bayko: User) -> None:
    began, key = timezone.now(), key_of(signed_in)
    Session.objects.update(expire_date=began + 2 * ABSOLUTE)

    with time_machine.travel(began + ABSOLUTE - timedelta(minutes=5), tick=False):
        assert people_of([key]) == {key: bayko.uuid}
    with time_machine.travel(began + ABSOLUTE + timedelta(minutes=5), tick=False):
        assert people_of([key]) == {}


def test_a_stream_ends_with_its_session_s_idle_life(signed_in: Client) -> None:
    with time_machine.travel(timezone.now() + IDLE + timedelta(minutes=5), tick=False):
        assert people_of([key_of(signed_in)]) == {}


def test_most_requests_write_no_session(signed_in: Client) -> None:
    before = Session.objects.get().expire_date

    assert status(signed_in, timezone.now() + timedelta(hours=20)) == 200
    assert Session.objects.get().expire_date == before


def test_a_new_key_begins_anew_and_takes_the_old_one_s_place(signed_in: Client, bayko: User) -> None:
    old = key_of(signed_in)
    with time_machine.travel(timezone.now() + timedelta(days=13), tick=False):
        session = signed_in.session
        person = session.pop(SESSION_KEY)  # as at a sign-in
        session.cycle_key()
        session[SESSION_KEY] = person
        session.save()
        new = str(session.session_key)
        assert people_of([old, new]) == {new: bayko.uuid}
    signed_in.cookies[settings.SESSION_COOKIE_NAME] = new
    Session.objects.update(expire_date=timezone.now() + 2 * ABSOLUTE)

    assert status(signed_in, timezone.now() + timedelta(days=42)) == 200
    assert status(signed_in, timezone.now() + timedelta(days=44)) == 302


# --- A session that ends while a request is under way -----------------------------------------------------------------


End = Callable[[], None]


@pytest.fixture
def end_meanwhile(monkeypatch: pytest.MonkeyPatch) -> End:
    """From when it is called on: sign the person out, as in another tab, once a message is stored and not answered."""
    remember, amend = recent_sends.remember, recent_sends.amend

    def ending(note: Callable[..., None]) -> Callable[..., None]:
        def noted(*arguments: Any, **options: Any) -> None:
            Session.objects.all().delete()
            note(*arguments, **options)

        return noted

    def engage() -> None:
        monkeypatch.setattr(recent_sends, "remember", ending(remember))
        monkeypatch.setattr(recent_sends, "amend", ending(amend))

    return engage


@pytest.fixture
def talk(client: Client, andrew: User, bayko: User, londo: User, moto_table: MessageTable) -> Message:
    """Andrew, who is signed in, has written to Bayko, and to nobody else."""
    client.force_login(andrew)
    client.post("/messages/new/bayko", {"message": "Hello", "message_uuid": str(uuid4()), "after": ""})
    return conversations.load_conversation(
        user_uuid=andrew.uuid, group_uuid=pair_group_uuid(andrew.uuid, bayko.uuid)
    ).messages[0]


@pytest.mark.parametrize("what", ["send", "begin", "edit"])
@pytest.mark.parametrize("headers", [{}, SCRIPT], ids=["page", "script"])
@pytest.mark.parametrize("debug", [False, True])
def test_posted_text_is_kept_when_the_session_ends(
    client: Client, talk: Message, end_meanwhile: End, settings: Settings, what: str, headers: Any, debug: bool
) -> None:
    settings.DEBUG = debug
    group = f"/messages/{talk.group_uuid}"
    url = {"send": group, "begin": "/messages/new/londo", "edit": f"{group}/{talk.created_at}/edit"}[what]
    form = {"message_uuid": str(uuid4()), "after": talk.created_at if what == "send" else ""}
    end_meanwhile()

    response = client.post(url, {"message": "Keep me", **form}, headers=headers)

    assert response.status_code == 403
    assert "no-store" in response["Cache-Control"]
    assert response.cookies[settings.SESSION_COOKIE_NAME].value == ""
    if headers:
        assert response.json() == {"error": "signed_out"}
        return
    assert (draft_of(response), hidden_of(response)) == ("Keep me", form)
    assert str(talk.user_uuid) not in response.content.decode(), "the page is nobody's"


def test_a_message_whose_session_ended_meanwhile_is_sent_again_as_a_repeat(
    client: Client, andrew: User, talk: Message, end_meanwhile: End, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"/messages/{talk.group_uuid}"
    end_meanwhile()
    ended = client.post(url, {"message": "Once", "message_uuid": str(uuid4()), "after": talk.created_at})
    monkeypatch.undo()
    client.force_login(andrew)

    again = client.post(url, {"message": "Once", **hidden_of(ended)})

    assert (ended.status_code, again.status_code) == (403, 303)
    assert messages_of(client.get(url)) == ["Hello", "Once"]
