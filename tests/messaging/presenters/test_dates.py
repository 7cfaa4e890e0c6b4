"""Times and days as pages show them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from messaging.presenters.dates import clock_time, day_label, list_time

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "label"),
    [
        (NOON, "12:00"),
        (NOON - timedelta(hours=12), "00:00"),
        (NOON - timedelta(hours=12, minutes=1), "Yesterday"),
        (NOON - timedelta(days=2), "Thu"),
        (NOON - timedelta(days=6), "Sun"),
        (NOON - timedelta(days=7), "14 Nov"),
        (datetime(2025, 11, 21, 12, tzinfo=UTC), "21 Nov 2025"),
        (NOON + timedelta(days=1), "22 Nov"),
    ],
)
def test_list_time_is_short(at: datetime, label: str) -> None:
    assert list_time(at, now=NOON).label == label


def test_list_time_follows_the_active_time_zone() -> None:
    with timezone.override(ZoneInfo("Pacific/Kiritimati")):
        moment = list_time(datetime(2026, 11, 20, 23, 30, tzinfo=UTC), now=NOON)

    assert (moment.label, moment.iso) == ("Yesterday", "2026-11-21T13:30:00+14:00")


def test_title_of_a_clock_time_is_complete() -> None:
    moment = clock_time(datetime(2026, 11, 18, 20, 5, 59, tzinfo=UTC))

    assert (moment.label, moment.title) == ("20:05", "Wednesday 18 November 2026 at 20:05")


@pytest.mark.parametrize(
    ("day", "label"),
    [
        (date(2026, 11, 21), "Today"),
        (date(2026, 11, 20), "Yesterday"),
        (date(2026, 11, 15), "Sunday"),
        (date(2026, 11, 14), "Saturday 14 November"),
        (date(2025, 12, 31), "Wednesday 31 December 2025"),
    ],
)
def test_day_label(day: date, label: str) -> None:
    assert day_label(day, today=date(2026, 11, 21)) == label
