"""The token bucket of a sender."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from messaging.rate_limit import AT_ONCE, RateLimited, take
from users.models import User

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def empty(person: User, now: datetime = NOW) -> None:
    for _ in range(AT_ONCE):
        take(user_uuid=person.uuid, now=now)


def test_it_allows_thirty_at_once_and_not_one_more(andrew: User) -> None:
    empty(andrew)

    with pytest.raises(RateLimited) as limited:
        take(user_uuid=andrew.uuid, now=NOW)
    assert limited.value.retry_after == 1


def test_it_refills_one_a_second(andrew: User) -> None:
    empty(andrew)
    take(user_uuid=andrew.uuid, now=NOW + timedelta(seconds=1))

    with pytest.raises(RateLimited):
        take(user_uuid=andrew.uuid, now=NOW + timedelta(seconds=1.9))
    take(user_uuid=andrew.uuid, now=NOW + timedelta(seconds=2))


def test_it_never_holds_more_than_thirty(andrew: User) -> None:
    empty(andrew)
    later = NOW + timedelta(days=1)
    empty(andrew, later)

    with pytest.raises(RateLimited):
        take(user_uuid=andrew.uuid, now=later)


def test_it_does_not_punish_trying_while_limited(andrew: User) -> None:
    empty(andrew)
    for _ in range(50):
        with pytest.raises(RateLimited):
            take(user_uuid=andrew.uuid, now=NOW)

    take(user_uuid=andrew.uuid, now=NOW + timedelta(seconds=1))


def test_it_counts_each_person_apart(andrew: User, bayko: User) -> None:
    empty(andrew)

    take(user_uuid=bayko.uuid, now=NOW)


def test_it_takes_one_statement(andrew: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    empty(andrew)

    with django_assert_num_queries(1), pytest.raises(RateLimited):
        take(user_uuid=andrew.uuid, now=NOW)
