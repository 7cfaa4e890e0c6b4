"""Parse the timestamps of the old system: three formats in one table, some without a time zone. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from enum import StrEnum

EPOCH = re.compile(r"\d{10}(\d{3}|\d{6})?(\.\d+)?")
"""Seconds, or whole milli- or microseconds, since 1970."""
SECONDS_DIGITS, MILLI_DIGITS = 10, 13
LONGEST_FRACTION = re.compile(r"(\.\d{6})\d+")


class TimestampFormat(StrEnum):
    """The format of a timestamp."""

    OFFSET = "with an offset"
    NAIVE = "without a time zone"
    EPOCH = "as a number"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class ParsedTimestamp:
    """A timestamp as far as it can be parsed."""

    form: TimestampFormat
    moment: datetime | None
    """In UTC; None if it cannot be parsed."""


def parse_timestamp(text: str, *, zone: tzinfo) -> ParsedTimestamp:
    """Parse the time in a sort key of the old table; without a time zone it is in `zone`, the old server's."""
    try:
        if EPOCH.fullmatch(text):
            return ParsedTimestamp(TimestampFormat.EPOCH, _of_number(text))
        moment = datetime.fromisoformat(LONGEST_FRACTION.sub(r"\1", text.strip()))
        if moment.tzinfo is None:
            return ParsedTimestamp(TimestampFormat.NAIVE, moment.replace(tzinfo=zone).astimezone(UTC))
        return ParsedTimestamp(TimestampFormat.OFFSET, moment.astimezone(UTC))
    except (ValueError, OverflowError):
        return ParsedTimestamp(TimestampFormat.UNREADABLE, None)


def _of_number(text: str) -> datetime:
    whole, _, fraction = text.partition(".")
    if len(whole) == SECONDS_DIGITS:
        return datetime.fromtimestamp(float(f"{whole}.{fraction or 0}"), UTC)
    return datetime.fromtimestamp(int(whole) / (1000 if len(whole) == MILLI_DIGITS else 1_000_000), UTC)
