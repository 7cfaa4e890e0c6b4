"""Values of attributes as DynamoDB writes them, and back. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

Item = Mapping[str, Mapping[str, Any]]
"""An item as DynamoDB writes it: `{"pk": {"S": "MSG#…"}, …}`."""


def number(value: int) -> dict[str, str]:
    return {"N": str(value)}


def uuid_bytes(value: uuid.UUID) -> dict[str, bytes]:
    return {"B": value.bytes}


def uuid_set(values: frozenset[uuid.UUID]) -> dict[str, list[bytes]]:
    return {"BS": sorted(value.bytes for value in values)}


def text_of(item: Item, name: str) -> str:
    """Empty where there is none."""
    return str(item[name]["S"]) if name in item else ""


def number_of(item: Item, name: str) -> int:
    """0 where there is none."""
    return int(item[name]["N"]) if name in item else 0


def uuid_of(value: Mapping[str, Any]) -> uuid.UUID:
    return uuid.UUID(bytes=bytes(value["B"]))


def uuids_of(value: Mapping[str, Any]) -> frozenset[uuid.UUID]:
    return frozenset(uuid.UUID(bytes=bytes(each)) for each in value["BS"])


def uuids_if_any(item: Item, name: str) -> frozenset[uuid.UUID]:
    """Empty where there are none: a set of none cannot be stored."""
    return uuids_of(item[name]) if name in item else frozenset()
