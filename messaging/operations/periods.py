"""Parse periods as operators write them into ranges of created_at. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from messaging.domain.timestamps import LAST_MOMENT, MICROSECOND, format_created_at, parse_created_at
from messaging.dynamodb.keys import FIRST_MESSAGE_SK

LAST_CREATED_AT = format_created_at(LAST_MOMENT)
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
TIME = re.compile(DAY.pattern + r"[T ]\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d:?\d\d)?", re.ASCII)
"""Narrower than `fromisoformat`, which reads 2026-W47 as a Monday."""
EXAMPLE = "2026-11-21, 2026-11-21T09:05 or 2026-11-21T09:05:00+01:00"


class NoPeriod(Exception):
    """The input is not a valid period. The message says what to write."""


@dataclass(frozen=True, slots=True)
class Period:
    """A range of created_at, both ends included; empty if `first` is after `last`."""

    first: str = FIRST_MESSAGE_SK
    last: str = LAST_CREATED_AT


def period(*, since: str | None, until: str | None, before: str | None) -> Period:
    """Return the period from `since` to `until`, both included, and before the created_at `before`.

    A date means the whole day; times without offset are UTC. Raises NoPeriod, also if `since` is later than `until`.
    """
    first = _moment("--since", since, time.min) if since is not None else None
    last = _moment("--until", until, time.max) if until is not None else None
    if first and last and first > last:
        raise NoPeriod(f"--since {since} is later than --until {until}: exchange them.")
    if before is not None:
        end = _before(before)
        last = min(last, end) if last else end
    return Period(
        format_created_at(first) if first else FIRST_MESSAGE_SK,
        format_created_at(last) if last else LAST_CREATED_AT,
    )


def _moment(option: str, written: str, of_day: time) -> datetime:
    """Parse a time to UTC; a date becomes this time of its day."""
    try:
        if DAY.fullmatch(written):
            return datetime.combine(date.fromisoformat(written), of_day, tzinfo=UTC)
        if TIME.fullmatch(written):
            moment = datetime.fromisoformat(written)
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        pass
    raise NoPeriod(f"{option} {written} is neither a date nor a time: write {EXAMPLE}; without an offset it is UTC.")


def _before(cursor: str) -> datetime:
    """Return the last time before a created_at, so that an inclusive range excludes the cursor's message."""
    try:
        return parse_created_at(cursor) - MICROSECOND
    except (ValueError, OverflowError):
        msg = f"--before {cursor} is no created_at: give one as the end of a page shows it."
        raise NoPeriod(msg) from None
