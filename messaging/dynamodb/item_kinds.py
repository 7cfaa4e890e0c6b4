"""What an item of the table is, told by its keys and the types of its attributes: here, and there by an expression.

One definition serves both, so that a scan that lets DynamoDB filter and one that looks itself count the same. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .codec import Item
from .keys import CONVERSATION_SK, FIRST_MESSAGE_SK

MESSAGE, CONVERSATION, ENTRY = "message", "conversation", "entry"
OTHER = "other"
"""Not of the model: somebody else's, the old system's, or malformed."""
AFTER_DIGITS = ":"
"""Sorts right after every sort key that begins with a digit, as a created_at does."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How items of one kind are told from all others."""

    pk_prefix: str
    first_sk: str
    last_sk: str
    types: Mapping[str, str]
    """The attributes it must have, and DynamoDB's letter for what they hold."""

    def fits(self, item: Item) -> bool:
        pk, sk = item.get("pk", {}).get("S", ""), item.get("sk", {}).get("S", "")
        return (
            pk.startswith(self.pk_prefix)
            and self.first_sk <= sk <= self.last_sk
            and all(letter in item.get(name, {}) for name, letter in self.types.items())
        )

    def condition(self) -> str:
        types = (f"attribute_type({name}, :{letter})" for name, letter in self.types.items())
        return " AND ".join(("begins_with(pk, :pk)", "sk BETWEEN :first AND :last", *types))

    def values(self) -> dict[str, Any]:
        keys = {":pk": self.pk_prefix, ":first": self.first_sk, ":last": self.last_sk}
        letters = {f":{letter}": letter for letter in self.types.values()}
        return {name: {"S": text} for name, text in (keys | letters).items()}


KINDS = {
    MESSAGE: Kind("MSG#", FIRST_MESSAGE_SK, AFTER_DIGITS, {"seq": "N", "message_uuid": "S", "user_uuid": "S"}),
    CONVERSATION: Kind(
        "MSG#", CONVERSATION_SK, CONVERSATION_SK, {"seq": "N", "version": "N", "last_sk": "S", "member_uuids": "BS"}
    ),
    ENTRY: Kind(
        "GRP#",
        FIRST_MESSAGE_SK,
        "g",
        {"last_seq": "N", "version": "N", "message_group_uuid": "S", "member_uuids": "BS"},
    ),
}


def kind_of(item: Item) -> str:
    """One of `KINDS`, or `OTHER`."""
    return next((name for name, kind in KINDS.items() if kind.fits(item)), OTHER)


def only(name: str) -> dict[str, Any]:
    """What Scan is given for the items of one kind."""
    kind = KINDS[name]
    return {"FilterExpression": kind.condition(), "ExpressionAttributeValues": kind.values()}


def all_but(name: str) -> dict[str, Any]:
    """What Scan is given for the items of every other kind, of which it returns no more than tells that."""
    kind = KINDS[name]
    told_by = {"pk", "sk", *(attribute for other in KINDS.keys() - {name} for attribute in KINDS[other].types)}
    return {
        "FilterExpression": f"NOT ({kind.condition()})",
        "ExpressionAttributeValues": kind.values(),
        "ProjectionExpression": ", ".join(sorted(told_by)),
    }
