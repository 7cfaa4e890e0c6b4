"""Values of attributes as DynamoDB writes them, and back. Pure.

What reads an attribute takes the item and the attribute's name, and raises MalformedItem with both when the value is
not what the model puts there.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from .malformed import MalformedItem

Item = Mapping[str, Mapping[str, Any]]
"""An item as DynamoDB writes it: `{"pk": {"S": "MSG#…"}, …}`."""
LARGEST_NUMBER = 10**15
"""Largest number accepted: above every count, version and time in seconds, and exact as a float."""
UNREADABLE = (AttributeError, KeyError, OverflowError, TypeError, ValueError)
"""What parsing a value of another type raises. Catch it at one attribute at a time."""


# --- Writing ----------------------------------------------------------------------------------------------------------


def number(value: int) -> dict[str, str]:
    return {"N": str(value)}


class InvalidCreatedAt(ValueError):
    """The text is not a created_at, or none can come after it."""

    def __init__(self, created_at: str) -> None:
        super().__init__(f"not a created_at: {created_at!r}")


def uuid_bytes(value: uuid.UUID) -> dict[str, bytes]:
    return {"B": value.bytes}


def uuid_set(values: frozenset[uuid.UUID]) -> dict[str, list[bytes]]:
    return {"BS": sorted(value.bytes for value in values)}


def format_created_at(moment: datetime) -> str:
    """UTC, ISO 8601, always six fractional digits: `2026-11-21T09:05:00.000000+00:00`, which sorts as time does."""
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


# --- Reading ----------------------------------------------------------------------------------------------------------


def text_at(item: Item, name: str) -> str:
    """Raises MalformedItem."""
    try:
        text = item[name]["S"]
    except UNREADABLE:
        raise malformed(item, name, "is not a String") from None
    if type(text) is not str:
        raise malformed(item, name, "is not a String")
    return text


def text_of(item: Item, name: str) -> str:
    """Empty where there is none. Raises MalformedItem."""
    return text_at(item, name) if name in item else ""


def moment_at(item: Item, name: str) -> str:
    """A created_at, as it is written. Raises MalformedItem."""
    text = text_at(item, name)
    try:
        parse_created_at(text)
    except UNREADABLE:
        raise malformed(item, name, "is not a created_at") from None
    return text


def moment_of(item: Item, name: str) -> str:
    """Empty where there is none. Raises MalformedItem."""
    return moment_at(item, name) if name in item else ""


def number_at(item: Item, name: str, *, largest: int = LARGEST_NUMBER) -> int:
    """A number from 0 up. Raises MalformedItem."""
    try:
        value = int(item[name]["N"])
    except UNREADABLE:
        raise malformed(item, name, "is not a whole Number") from None
    if not 0 <= value <= largest:
        raise malformed(item, name, f"is not a Number from 0 to {largest}")
    return value


def number_of(item: Item, name: str, *, largest: int = LARGEST_NUMBER) -> int:
    """0 where there is none. Raises MalformedItem."""
    return number_at(item, name, largest=largest) if name in item else 0


def uuid_at(item: Item, name: str) -> uuid.UUID:
    """A uuid of 16 bytes. Raises MalformedItem."""
    try:
        return uuid_of(item[name])
    except UNREADABLE:
        raise malformed(item, name, "is not a uuid of 16 bytes") from None


def uuid_if_any(item: Item, name: str) -> uuid.UUID | None:
    """None where there is none. Raises MalformedItem."""
    return uuid_at(item, name) if name in item else None


def uuids_at(item: Item, name: str) -> frozenset[uuid.UUID]:
    """A set of uuids. Raises MalformedItem."""
    try:
        return frozenset(uuid.UUID(bytes=bytes(each)) for each in item[name]["BS"])
    except UNREADABLE:
        raise malformed(item, name, "is not a Binary Set of uuids of 16 bytes") from None


def uuids_if_any(item: Item, name: str) -> frozenset[uuid.UUID]:
    """A set of uuids; empty if absent, as DynamoDB stores no empty set. Raises MalformedItem."""
    return uuids_at(item, name) if name in item else frozenset()


def uuid_text_at(item: Item, name: str) -> uuid.UUID:
    """A uuid that is written as text. Raises MalformedItem."""
    return _uuid_text(item, name, text_at(item, name))


def uuid_in_key(item: Item, name: str, prefix: str) -> uuid.UUID:
    """The uuid that follows the prefix of a key. Raises MalformedItem."""
    text = text_at(item, name)
    if not text.startswith(prefix):
        raise malformed(item, name, f"does not begin with {prefix}")
    value = _uuid_text(item, name, text[len(prefix) :])
    if str(value) != text[len(prefix) :]:
        raise malformed(item, name, "is not a uuid as it is written here")
    return value


def uuid_of(value: Mapping[str, Any]) -> uuid.UUID:
    """Raises one of UNREADABLE."""
    return uuid.UUID(bytes=bytes(value["B"]))


def malformed(item: Item, name: str, why: str) -> MalformedItem:
    return MalformedItem(item, name, why if name in item else "is missing")


def _uuid_text(item: Item, name: str, text: str) -> uuid.UUID:
    try:
        value = uuid.UUID(text)
    except ValueError:
        raise malformed(item, name, "is not the text of a uuid") from None
    return value
