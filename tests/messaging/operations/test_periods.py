"""Spans of time as they are written on the command line."""

from __future__ import annotations

import pytest

from messaging.dynamodb.keys import CONVERSATION_SK
from messaging.operations.periods import NoPeriod, Period, period


def span(since: str | None = None, until: str | None = None, before: str | None = None) -> Period:
    return period(since=since, until=until, before=before)


def test_without_limits_it_has_every_created_at_but_not_the_conversation_s_own_item() -> None:
    everything = span()

    assert everything.first <= "0001-01-01T00:00:00.000000+00:00"
    assert everything.last >= "9999-12-31T23:59:59.999999+00:00"
    assert everything.first > CONVERSATION_SK


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-12-31T23:59", "2026-12-31T23:59:00.000000+00:00"),
        ("2026-12-31 23:59:58", "2026-12-31T23:59:58.000000+00:00"),
        ("2026-12-31T23:59:58.5", "2026-12-31T23:59:58.500000+00:00"),
        ("2026-12-31T23:59:58.123456+00:00", "2026-12-31T23:59:58.123456+00:00"),
        ("2027-01-01T00:59:58+01:00", "2026-12-31T23:59:58.000000+00:00"),
        ("2026-12-31T18:29:00-0530", "2026-12-31T23:59:00.000000+00:00"),
        ("2026-12-31T23:59Z", "2026-12-31T23:59:00.000000+00:00"),
    ],
)
def test_a_time_is_a_moment_and_utc_where_it_has_no_offset(written: str, moment: str) -> None:
    assert span(since=written).first == moment
    assert span(until=written).last == moment


def test_a_date_is_the_whole_day() -> None:
    day = span(since="2026-12-31", until="2026-12-31")

    assert (day.first, day.last) == ("2026-12-31T00:00:00.000000+00:00", "2026-12-31T23:59:59.999999+00:00")


@pytest.mark.parametrize(
    "written",
    [
        "2026", "2026-12", "20261231", "2026-W47", "2026-W47-1", "2026-13-01", "2026-02-29", "yesterday", "", "12:00",
        "2026-12-31T", "2026-12-31T24:00", "2026-12-31T23", "#CONVERSATION", "٢٠٢٦-١٢-٣١", "0001-01-01T00:00+14:00",
    ],
)  # fmt: skip
@pytest.mark.parametrize("option", ["since", "until"])
def test_incomplete_date_is_rejected_with_an_example(option: str, written: str) -> None:
    with pytest.raises(NoPeriod, match=f"--{option} .*write 2026-11-21, 2026-11-21T09:05 or ") as refused:
        span(**{option: written})
    assert written in str(refused.value)


@pytest.mark.parametrize(
    ("since", "until"), [("2026-12-31", "2026-12-30"), ("2026-12-31T12:00+00:00", "2026-12-31T12:00+01:00")]
)
def test_a_beginning_after_the_end_is_refused(since: str, until: str) -> None:
    with pytest.raises(NoPeriod, match="later than"):
        span(since=since, until=until)


def test_a_moment_alone_is_a_period() -> None:
    moment = span(since="2026-12-31T12:00", until="2026-12-31T13:00+01:00")

    assert moment.first == moment.last


def test_before_leaves_out_its_message_and_whatever_is_later() -> None:
    cursor = "2027-01-01T00:00:00.000000+00:00"

    assert span(before=cursor).last == "2026-12-31T23:59:59.999999+00:00"
    assert span(until="2026-06-01", before=cursor).last == "2026-06-01T23:59:59.999999+00:00"
    assert span(until="2028-06-01", before=cursor).last == "2026-12-31T23:59:59.999999+00:00"


def test_before_may_leave_nothing() -> None:
    nothing = span(since="2027-01-01", before="2026-01-01T00:00:00.000000+00:00")

    assert nothing.first > nothing.last


@pytest.mark.parametrize("cursor", ["2026", "2026-11-21", "0", "", "2026-11-21T09:05:00.000000", "#CONVERSATION"])
def test_a_cursor_that_is_no_created_at_is_refused(cursor: str) -> None:
    with pytest.raises(NoPeriod, match="--before"):
        span(before=cursor)
