"""Sessions of version 0.2.0 stay valid, and get the columns of this one."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as PlainStore
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from tests.messaging.live_site import EventStream, WebProcess
from users.models import User
from users.sessions import legacy_rows
from users.sessions.columns import BEGAN_AT
from users.sessions.legacy_rows import fill_all_columns
from users.sessions.lookup import users_of
from users.sessions.models import Session

from .legacy import forget_columns

pytestmark = pytest.mark.django_db

INSERT = "INSERT INTO django_session (session_key, session_data, expire_date) VALUES (%s, %s, %s)"


def legacy_session_of(person: User, key: str = "0" * 32) -> str:
    """Write a session as 0.2.0 does, in SQL without the new columns, and return its key."""
    data = {
        SESSION_KEY: str(person.pk),
        BACKEND_SESSION_KEY: "users.oidc.CognitoBackend",
        HASH_SESSION_KEY: person.get_session_auth_hash(),
        BEGAN_AT: int(timezone.now().timestamp()),
    }
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [key, PlainStore().encode(data), timezone.now() + timedelta(days=14)])
    return key


def browser_of(session_key: str) -> Client:
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = session_key
    return client


def test_users_of_legacy_sessions_stay_signed_in(bayko: User) -> None:
    browser = browser_of(legacy_session_of(bayko))

    assert browser.get("/shortcuts").status_code == 200
    assert browser.get("/shortcuts").status_code == 200


def test_the_first_use_fills_the_columns(bayko: User) -> None:
    key = legacy_session_of(bayko)

    browser_of(key).get("/shortcuts")

    session = Session.objects.get()
    assert (session.session_key, session.user, session.auth_hash) == (key, bayko, bayko.get_session_auth_hash())
    assert session.absolute_expiry is not None
    assert abs(timezone.now() + timedelta(days=30) - session.absolute_expiry) < timedelta(minutes=1)


def test_streams_recognise_a_session_that_was_not_used_since(
    bayko: User, londo: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    keys = {legacy_session_of(bayko): bayko.uuid, legacy_session_of(londo, "1" * 32): londo.uuid}

    assert users_of([*keys, "nobody"]) == keys

    with django_assert_num_queries(1):
        assert users_of([*keys, "nobody"]) == keys


@pytest.mark.django_db(transaction=True)
def test_stream_opens_with_legacy_session(site: WebProcess, bayko: User) -> None:
    with EventStream.open(site.port, legacy_session_of(bayko)) as stream:
        assert stream.next()[0] == "ready"


def test_legacy_session_ends_at_absolute_expiry(bayko: User) -> None:
    key = legacy_session_of(bayko)
    Session.objects.update(expire_date=timezone.now() + timedelta(days=60))

    with time_machine.travel(timezone.now() + timedelta(days=30, minutes=5), tick=False):
        assert users_of([key]) == {}
        forget_columns()
        assert browser_of(key).get("/shortcuts").status_code == 302


def test_undecodable_session_has_no_user_and_is_read_once(
    bayko: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    key = legacy_session_of(bayko)
    Session.objects.update(session_data="damaged")

    assert users_of([key]) == {}
    with django_assert_num_queries(1):
        assert users_of([key]) == {}


def test_filling_takes_a_batch_at_a_time(bayko: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(legacy_rows, "ROWS_A_STATEMENT", 2)
    for number in range(5):
        legacy_session_of(bayko, str(number) * 32)

    assert list(fill_all_columns()) == [2, 2, 1]
    assert list(fill_all_columns()) == []
    assert Session.objects.filter(user=bayko).count() == 5


def test_version_0_2_0_reads_and_writes_the_sessions_of_this_one(client: Client, bayko: User) -> None:
    client.force_login(bayko)
    before = Session.objects.get()

    data = PlainStore().decode(before.session_data)
    assert data[BACKEND_SESSION_KEY] == "users.oidc.CognitoBackend"
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_session SET session_data = %s", [PlainStore().encode({**data, "theme": "dark"})])

    assert client.session["theme"] == "dark"
    assert client.get("/shortcuts").status_code == 200
    after = Session.objects.get()
    assert (after.user, after.absolute_expiry) == (bayko, before.absolute_expiry)
