"""Token buckets in Postgres: what they allow, alone, together and at once."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from cruddur.models import RateBucket
from cruddur.web.rate_limits import LIMITS, Limit, RateLimited, limit_from, take, take_all, take_each, waiting

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
THIRTY = Limit("thirty", 30, 1)
ONE = Limit("one", 1, 60)

pytestmark = pytest.mark.django_db


def empty(who: str = "andrew", now: datetime = NOW) -> None:
    take(THIRTY, who=who, now=now, cost=30)


def test_bucket_allows_exactly_its_capacity() -> None:
    for _ in range(30):
        take(THIRTY, who="andrew", now=NOW)

    with pytest.raises(RateLimited) as limited:
        take(THIRTY, who="andrew", now=NOW)
    assert (limited.value.retry_after, limited.value.limit) == (1, "thirty")


def test_bucket_refills_at_its_rate() -> None:
    empty()
    take(THIRTY, who="andrew", now=NOW + timedelta(seconds=1))

    with pytest.raises(RateLimited):
        take(THIRTY, who="andrew", now=NOW + timedelta(seconds=1.9))
    take(THIRTY, who="andrew", now=NOW + timedelta(seconds=2))


def test_bucket_never_exceeds_its_capacity() -> None:
    empty()
    later = NOW + timedelta(days=1)
    empty(now=later)

    with pytest.raises(RateLimited):
        take(THIRTY, who="andrew", now=later)


def test_rejected_attempts_cost_nothing() -> None:
    empty()
    for _ in range(50):
        with pytest.raises(RateLimited):
            take(THIRTY, who="andrew", now=NOW)

    take(THIRTY, who="andrew", now=NOW + timedelta(seconds=1))


def test_buckets_are_independent() -> None:
    empty()

    take(THIRTY, who="bayko", now=NOW)
    take(ONE, who="andrew", now=NOW)


def test_tokens_are_taken_from_all_buckets_or_none() -> None:
    take_all([(ONE, "andrew"), (THIRTY, "andrew")], now=NOW)

    for _ in range(40):
        with pytest.raises(RateLimited) as limited:
            take_all([(THIRTY, "andrew"), (ONE, "andrew")], now=NOW)
    assert (limited.value.retry_after, limited.value.limit) == (60, "one")
    take(THIRTY, who="andrew", now=NOW, cost=29)


def test_take_each_takes_from_every_bucket_with_a_token() -> None:
    take(ONE, who="andrew", now=NOW - timedelta(seconds=50))

    assert take_each(ONE, people=["andrew", "bayko"], now=NOW) == {"andrew": 10}
    assert take_each(ONE, people=["bayko"], now=NOW) == {"bayko": 60}


def test_taking_costs_one_statement(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    take(ONE, who="andrew", now=NOW)

    with django_assert_num_queries(1), pytest.raises(RateLimited):
        take_all([(THIRTY, "andrew"), (ONE, "andrew")], now=NOW)


def test_full_buckets_are_deleted() -> None:
    for number in range(10):
        take(THIRTY, who=str(number), now=NOW)

    for number in range(5):
        take(THIRTY, who=f"later {number}", now=NOW + timedelta(minutes=1))

    assert RateBucket.objects.count() == 5


@pytest.mark.django_db(transaction=True)
def test_simultaneous_requests_share_the_capacity() -> None:
    got: list[bool] = []
    ready = threading.Barrier(8)

    def try_it() -> None:
        ready.wait()
        for _ in range(10):
            try:
                take_all([(THIRTY, "andrew"), (Limit("many", 1000, 1), "andrew")], now=NOW)
                got.append(True)
            except RateLimited:
                got.append(False)
        connection.close()

    threads = [threading.Thread(target=try_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (sum(got), len(got)) == (30, 80)


@pytest.mark.parametrize(
    ("text", "at_once", "refill"), [("30/30s", 30, 1), ("10/d", 10, 8640), ("60/10min", 60, 10), ("2/h", 2, 1800)]
)
def test_setting_has_count_and_period(text: str, at_once: int, refill: float) -> None:
    assert limit_from("messages", text) == Limit("messages", at_once, refill)


@pytest.mark.parametrize("text", ["", "30", "0/s", "30/0s", "-1/s", "30/week", "30/s/s", "٣/s"])
def test_invalid_setting_prevents_the_start(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="RATE_MESSAGES"):
        limit_from("messages", text)


def test_every_limit_has_a_rate() -> None:
    assert set(LIMITS) == {
        "messages", "messages_to_one", "new_conversations", "new_conversations_new_account", "reports", "searches",
        "streams", "exports", "sign_ins", "handles", "pages", "sends", "updates", "typing", "read_marks", "changes",
        "blocks", "admin",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(1, "1 second"), (89, "89 seconds"), (90, "2 minutes"), (5399, "90 minutes"), (8640, "3 hours")],
)
def test_wait_is_formatted_for_people(seconds: int, text: str) -> None:
    assert waiting(seconds) == text
