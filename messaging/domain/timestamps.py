"""The text form of a created_at, which sorts as time does. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

LAST_MOMENT = datetime.max.replace(tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
"""The unit of a created_at."""


class InvalidCreatedAt(ValueError):
    """The text is not a created_at, or none can come after it."""

    def __init__(self, created_at: str) -> None:
        super().__init__(f"not a created_at: {created_at!r}")


def format_created_at(moment: datetime) -> str:
    """Write UTC, ISO 8601, with six fractional digits: `2026-11-21T09:05:00.000000+00:00`, which sorts as time does."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def parse_created_at(created_at: str) -> datetime:
    """Return the moment of a created_at. Raise InvalidCreatedAt unless `format_created_at` would write it so."""
    try:
        moment = datetime.fromisoformat(created_at)
    except ValueError as error:
        raise InvalidCreatedAt(created_at) from error
    # The offset first: in the calendar's first and last days a moment of another zone has no equivalent in UTC.
    if moment.utcoffset() != timedelta(0) or format_created_at(moment) != created_at:
        raise InvalidCreatedAt(created_at)
    return moment


def created_at_after(created_at: str) -> str:
    """Return the next possible created_at. Raise InvalidCreatedAt for the last one of the calendar."""
    moment = parse_created_at(created_at)
    if moment > LAST_MOMENT - MICROSECOND:
        raise InvalidCreatedAt(created_at)
    return format_created_at(moment + MICROSECOND)
