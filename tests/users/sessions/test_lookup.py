"""Look up the users of many sessions at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from tests.messaging.live_site import session_of
from users.models import User
from users.sessions import lookup
from users.sessions.lookup import SessionsUnavailable, users_of
from users.sessions.models import Session
from users.sessions.store import SessionStore

pytestmark = pytest.mark.django_db


def test_all_sessions_are_looked_up_in_one_statement(
    bayko: User, londo: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    of_bayko = [session_of(bayko) for _ in range(50)]
    of_londo = session_of(londo)

    with django_assert_num_queries(1):
        found = users_of([*of_bayko, of_londo, "nobody"])

    assert found == {**dict.fromkeys(of_bayko, bayko.uuid), of_londo: londo.uuid}


def test_no_session_is_decoded(bayko: User, monkeypatch: pytest.MonkeyPatch) -> None:
    session_key = session_of(bayko)
    monkeypatch.setattr(SessionStore, "decode", None)

    assert users_of([session_key]) == {session_key: bayko.uuid}


def test_many_keys_take_a_statement_for_each_batch(
    bayko: User, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    monkeypatch.setattr(lookup, "KEYS_A_STATEMENT", 2)
    session_keys = [session_of(bayko) for _ in range(5)]

    with django_assert_num_queries(3):
        assert users_of(session_keys) == dict.fromkeys(session_keys, bayko.uuid)


@pytest.mark.parametrize("column", ["expire_date", "absolute_expiry"])
def test_a_session_is_valid_until_the_earlier_of_its_two_ends(bayko: User, column: str) -> None:
    session_key = session_of(bayko)
    Session.objects.update(**{column: timezone.now() - timedelta(seconds=1)})

    assert users_of([session_key]) == {}


@pytest.mark.parametrize("auth_hash", ["", "0" * 64])
def test_another_hash_is_refused(bayko: User, auth_hash: str) -> None:
    session_key = session_of(bayko)
    Session.objects.update(auth_hash=auth_hash)

    assert users_of([session_key]) == {}


def test_a_session_of_a_user_who_is_gone_is_nobodys(bayko: User) -> None:
    session_key = session_of(bayko)
    User.objects.filter(pk=bayko.pk)._raw_delete("default")

    assert users_of([session_key]) == {}


def test_deleting_a_user_deletes_their_sessions(bayko: User, londo: User) -> None:
    session_of(bayko)
    session_of(londo)

    bayko.delete()

    assert [session.user for session in Session.objects.all()] == [londo]


def test_a_database_that_does_not_answer_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_session_keys: list[str]) -> dict[str, object]:
        raise OperationalError

    monkeypatch.setattr(lookup, "_users_of", fail)

    with pytest.raises(SessionsUnavailable):
        users_of(["any"])
