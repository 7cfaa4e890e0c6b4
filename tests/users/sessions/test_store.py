"""How long a session lives, under which key, and what its columns say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import transaction
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from messaging.domain.entities import Message, pair_group_uuid
from messaging.dynamodb.table import MessageTable
from messaging.queries import conversations, recent_sends
from tests.messaging.pages import SCRIPT, draft_of, hidden_of, messages_of
from users.models import User
from users.sessions.lookup import users_of
from users.sessions.models import Session
from users.sessions.store import SessionStore

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
        assert users_of([key]) == {key: bayko.uuid}
    with time_machine.travel(began + ABSOLUTE + timedelta(minutes=5), tick=False):
        assert users_of([key]) == {}


def test_a_stream_ends_with_its_session_s_idle_life(signed_in: Client) -> None:
    with time_machine.travel(timezone.now() + IDLE + timedelta(minutes=5), tick=False):
        assert users_of([key_of(signed_in)]) == {}


def test_most_requests_write_no_session(signed_in: Client) -> None:
    before = Session.objects.get().expire_date

    assert status(signed_in, timezone.now() + timedelta(hours=20)) == 200
    assert Session.objects.get().expire_date == before


def test_new_key_replaces_the_old_one_and_restarts_its_life(signed_in: Client, bayko: User) -> None:
    old = key_of(signed_in)
    with time_machine.travel(timezone.now() + timedelta(days=13), tick=False):
        session = signed_in.session
        person = session.pop(SESSION_KEY)  # as at a sign-in
        session.cycle_key()
        session[SESSION_KEY] = person
        session.save()
        new = str(session.session_key)
        assert users_of([old, new]) == {new: bayko.uuid}
    signed_in.cookies[settings.SESSION_COOKIE_NAME] = new
    Session.objects.update(expire_date=timezone.now() + 2 * ABSOLUTE)

    assert status(signed_in, timezone.now() + timedelta(days=42)) == 200
    assert status(signed_in, timezone.now() + timedelta(days=44)) == 302


# --- Columns ----------------------------------------------------------------------------------------------------------


def test_a_session_says_whose_it_is_and_when_it_ends(signed_in: Client, bayko: User) -> None:
    session = Session.objects.get()

    assert session.user == bayko
    assert session.auth_hash == bayko.get_session_auth_hash()
    assert session.absolute_expiry is not None
    assert abs(timezone.now() + ABSOLUTE - session.absolute_expiry) < timedelta(minutes=1)


def test_renewing_a_session_keeps_its_absolute_expiry(signed_in: Client) -> None:
    before = Session.objects.get()

    assert status(signed_in, timezone.now() + timedelta(days=10)) == 200

    after = Session.objects.get()
    assert after.expire_date > before.expire_date
    assert (after.user, after.absolute_expiry) == (before.user, before.absolute_expiry)


def test_a_visitors_session_has_no_user() -> None:
    session = SessionStore()
    session["theme"] = "dark"
    session.save()

    row = Session.objects.get()
    assert (row.user, row.auth_hash) == (None, "")
    assert row.absolute_expiry is not None


def test_foreign_backend_signs_nobody_in(bayko: User) -> None:
    session = SessionStore()
    session[SESSION_KEY] = str(bayko.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = bayko.get_session_auth_hash()
    session.save()

    assert Session.objects.get().user is None
    assert users_of([str(session.session_key)]) == {}


def test_ending_a_session_takes_one_statement(
    signed_in: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    session = signed_in.session
    session.load()

    with transaction.atomic(), django_assert_num_queries(1):  # what streams are told comes after the transaction
        session.delete()

    assert not Session.objects.exists()


# --- A session that ends while a request is under way -----------------------------------------------------------------


End = Callable[[], None]


@pytest.fixture
def end_meanwhile(monkeypatch: pytest.MonkeyPatch) -> End:
    """Return what signs the person out, as in another tab, while a request is between storing and answering."""
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
    """Return the only message of Andrew, who is signed in: it is to Bayko."""
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
