"""How long a session lives: idle, at most, and under which key; the same for open streams."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from messaging.live.sessions import people_of
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
