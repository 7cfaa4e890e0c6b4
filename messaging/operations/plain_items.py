"""Convert items of the table to JSON for programs, and to one line each for people. Pure.

Items are not validated: a malformed one is shown, not rejected.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from messaging.dynamodb.codec import Item
from messaging.dynamodb.item_kinds import CONVERSATION, ENTRY, MESSAGE, kind_of

UUID_BYTES = 16
KEYS = ("pk", "sk")
UUID_HEAD = 8
"""Enough characters of a uuid to tell it from the others on a screen."""

Plain = Mapping[str, Any]
"""An item in JSON's types."""


def plain_item(item: Item) -> Plain:
    """Convert an item: keys first, sets as sorted lists, 16 bytes as a uuid, other bytes in base64."""
    names = [*(name for name in KEYS if name in item), *(name for name in item if name not in KEYS)]
    return {name: plain(item[name]) for name in names}


def plain(value: Mapping[str, Any]) -> Any:
    """Convert an attribute's value, for example `{"N": "7"}`, to JSON."""
    ((letter, content),) = value.items()
    return READERS[letter](content) if letter in READERS else content


def plain_number(text: str) -> int | float:
    """Parse a number of up to 38 digits; one with decimals becomes a float, as in JSON parsers."""
    number = Decimal(text)
    return int(number) if number == number.to_integral_value() else float(number)


def plain_bytes(content: bytes) -> str:
    return str(UUID(bytes=content)) if len(content) == UUID_BYTES else b64encode(content).decode()


READERS: Mapping[str, Callable[[Any], Any]] = {
    "N": plain_number,
    "B": plain_bytes,
    "SS": sorted,
    "NS": lambda numbers: sorted(map(plain_number, numbers)),
    "BS": lambda values: sorted(map(plain_bytes, values)),
    "L": lambda values: [plain(each) for each in values],
    "M": lambda values: {name: plain(each) for name, each in values.items()},
    "NULL": lambda _: None,
}
"""By DynamoDB's type letter; strings and booleans stay the same."""


def line(item: Item, *, short: bool) -> dict[str, str]:
    """Return an item's row of a table: `kind`, `pk`, `sk` and `what`; `short` shortens the uuids in `what`."""
    kind, values = kind_of(item), plain_item(item)
    try:
        what = WHAT[kind](values, as_head if short else str)
    except (AttributeError, KeyError, TypeError):
        # An unknown kind, or an optional attribute with a value that the model never stores.
        what = rest_of(values)
    return {"kind": kind, "pk": str(values.get("pk", "")), "sk": str(values.get("sk", "")), "what": what}


def as_head(uuid: str) -> str:
    return f"{uuid[:UUID_HEAD]}…"


def what_message(values: Plain, shown: Callable[[str], str]) -> str:
    changed = "(deleted) " if "deleted_at" in values else "(edited) " if "edited_at" in values else ""
    return f"#{values['seq']} by {shown(values['user_uuid'])}: {changed}{values.get('message', '')}"


def what_conversation(values: Plain, shown: Callable[[str], str]) -> str:
    blocked = ", blocked" if "blocked_by" in values else ""
    left = f", left by {' '.join(map(shown, values['left_uuids']))}" if "left_uuids" in values else ""
    return f"seq {values['seq']}: {' '.join(map(shown, values['member_uuids']))}{left}{blocked}"


def what_entry(values: Plain, shown: Callable[[str], str]) -> str:
    own = f"GRP#{shown(values['pk'].removeprefix('GRP#'))}"
    place = f"in {values['inbox'].replace(values['pk'], own)}" if "inbox" in values else "hidden"
    unread = max(0, values["last_seq"] - max(values.get("read_seq", 0), values.get("sent_seq", 0)))
    return f"{unread} unread, {place}"


def rest_of(values: Plain) -> str:
    """Return everything but the keys, as JSON."""
    return json.dumps({name: value for name, value in values.items() if name not in KEYS}, ensure_ascii=False)


WHAT = {MESSAGE: what_message, CONVERSATION: what_conversation, ENTRY: what_entry}
