"""Signing a user out everywhere, and deleting a user's sessions."""

from __future__ import annotations

import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.db import transaction
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries

from users.models import User
from users.sessions.lookup import users_of
from users.sessions.models import Session
from users.sessions.sign_out import delete_sessions, sign_out_everywhere

from .legacy import forget_columns

pytestmark = pytest.mark.django_db(transaction=True)


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def test_sign_out_everywhere_ends_every_session_of_the_user(bayko: User) -> None:
    phone, laptop = signed_in(bayko), signed_in(bayko)

    sign_out_everywhere(bayko)

    assert [client.get("/settings").status_code for client in (phone, laptop)] == [302, 302]


def test_only_rows_of_that_user_are_deleted(bayko: User, londo: User) -> None:
    for person in (bayko, bayko, londo):
        signed_in(person)

    sign_out_everywhere(bayko)

    assert [session.user for session in Session.objects.all()] == [londo]


def test_sign_out_everywhere_takes_two_statements(
    bayko: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(5):
        signed_in(bayko)

    with transaction.atomic(), django_assert_num_queries(2 + 2):  # with a savepoint around them
        sign_out_everywhere(bayko)


def test_other_users_sessions_stay(bayko: User, londo: User) -> None:
    londos = signed_in(londo)

    sign_out_everywhere(bayko)

    assert londos.get("/settings").status_code == 200


def test_streams_find_the_sessions_ended(bayko: User) -> None:
    key = signed_in(bayko).session.session_key or ""
    assert users_of([key]) == {key: bayko.uuid}

    sign_out_everywhere(bayko)

    assert users_of([key]) == {}


def test_sessions_whose_rows_have_no_user_are_ended(bayko: User) -> None:
    browser = signed_in(bayko)
    key = browser.session.session_key or ""
    forget_columns()

    sign_out_everywhere(bayko)

    assert users_of([key]) == {}
    assert browser.get("/settings").status_code == 302


def test_a_request_under_way_does_not_bring_a_session_back(bayko: User) -> None:
    session = signed_in(bayko).session
    session["theme"] = "dark"

    sign_out_everywhere(bayko)

    with pytest.raises(UpdateError):
        session.save()
    assert not Session.objects.exists()


def test_the_person_can_sign_in_again(bayko: User) -> None:
    sign_out_everywhere(bayko)

    assert signed_in(bayko).get("/settings").status_code == 200


def test_deleting_finds_sessions_whose_rows_have_no_user(bayko: User, londo: User) -> None:
    for person in (bayko, londo, bayko):
        signed_in(person)
    forget_columns()
    signed_in(bayko)

    assert sum(delete_sessions(bayko.uuid)) == 3
    assert [session.user for session in Session.objects.all()] == [londo]
