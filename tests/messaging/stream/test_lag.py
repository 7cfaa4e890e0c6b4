"""How far a worker is behind, as it sees it itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from messaging.stream.lag import Lag

NOW = datetime(2026, 11, 21, 9, 5, tzinfo=UTC)


def page(*ages: float) -> list[dict[str, Any]]:
    return [{"dynamodb": {"ApproximateCreationDateTime": NOW - timedelta(seconds=age)}} for age in ages]


def test_lag_is_the_age_of_the_oldest_record_of_any_shard() -> None:
    lag = Lag()

    lag.reads("one", page(40, 20))
    lag.reads("other", page(7))

    assert lag.seconds(NOW) == 40


def test_lag_grows_while_a_page_cannot_be_applied() -> None:
    lag = Lag()

    lag.reads("one", page(1))

    assert lag.seconds(NOW + timedelta(minutes=10)) == 601


def test_empty_page_ends_the_lag() -> None:
    lag = Lag()
    lag.reads("one", page(40))

    lag.reads("one", [])

    assert lag.seconds(NOW) == 0


def test_a_shard_that_has_ended_counts_no_more() -> None:
    lag = Lag()
    lag.reads("one", page(40))

    lag.leaves("one")

    assert lag.seconds(NOW) == 0


def test_a_clock_that_is_behind_gives_no_lag_below_0() -> None:
    lag = Lag()

    lag.reads("one", page(-3))

    assert lag.seconds(NOW) == 0
