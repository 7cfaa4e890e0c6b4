from __future__ import annotations

import uuid

import pytest
from django.db import IntegrityError, transaction
from pytest_django import DjangoAssertNumQueries

from users.handles import HandleError
from users.models import MOCK, User
from users.people import people_by_uuid, seed_people

pytestmark = pytest.mark.django_db


def test_people_by_uuid_costs_one_statement(
    bayko: User, londo: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        people = people_by_uuid([bayko.pk, londo.pk, bayko.pk, uuid.uuid4()])

    assert people == {bayko.pk: bayko, londo.pk: londo}


def test_people_by_uuid_of_nobody_costs_nothing(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        assert people_by_uuid([]) == {}


def test_seed_is_repeatable_and_changes_nobody() -> None:
    created, found = seed_people()
    assert (len(created), len(found)) == (34, 0)
    User.objects.filter(handle="bayko").update(display_name="Mine", cognito_user_id="sub")

    created, found = seed_people()

    assert (len(created), len(found)) == (0, 34)
    assert User.objects.get(handle="bayko").display_name == "Mine"
    assert User.objects.filter(cognito_user_id=MOCK).count() == 33


def test_database_rejects_a_second_user_of_a_cognito_user(bayko: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user(handle="other", display_name="O", cognito_user_id=bayko.cognito_user_id)


def test_database_accepts_many_waiting_users() -> None:
    User.objects.create_user(handle="one_waits", display_name="1")
    User.objects.create_user(handle="two_waits", display_name="2")

    assert User.objects.filter(cognito_user_id=MOCK).count() == 2


@pytest.mark.parametrize("handle", ["", "a b", "admin"])
def test_user_requires_a_valid_handle(handle: str) -> None:
    with pytest.raises(HandleError):
        User.objects.create_user(handle=handle, display_name="X")


def test_user_is_shown_by_handle_and_name(bayko: User) -> None:
    assert (str(bayko), bayko.get_full_name(), bayko.get_short_name()) == ("@bayko", "Bayko", "Bayko")
    assert bayko.get_absolute_url() == "/@bayko"
