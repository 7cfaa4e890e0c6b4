"""Attribute values as DynamoDB's JSON has them: bytes are base64, numbers are text."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from decimal import Context, Decimal, InvalidOperation
from typing import Any

Value = Mapping[str, Any]
"""One type and what it holds, as in {"S": "text"}."""
Item = dict[str, Value]

MAX_DIGITS = 38
NUMBERS = Context(prec=MAX_DIGITS)
SETS = ("SS", "NS", "BS")


class Refused(Exception):
    """An answer that is an error: its code, sentence, and what else is in it."""

    def __init__(self, code: str, message: str, **more: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.more = more


def invalid(message: str) -> Refused:
    return Refused("ValidationException", message)


def checked(value: Value) -> Value:
    """Return a value as it is stored. Raises Refused for one that DynamoDB does not take."""
    ((kind, content),) = value.items()
    match kind:
        case "N":
            return {"N": number_text(number(content))}
        case "NS":
            return {"NS": _checked_set([number_text(number(each)) for each in content])}
        case "SS" | "BS":
            return {kind: _checked_set(content)}
        case "L":
            return {"L": [checked(each) for each in content]}
        case "M":
            return {"M": {name: checked(each) for name, each in content.items()}}
    return value


def _checked_set(members: list[str]) -> list[str]:
    if not members:
        raise invalid("One or more parameter values were invalid: An number set  may not be empty")
    if len(set(members)) < len(members):
        raise invalid("One or more parameter values were invalid: Input collection contains duplicates.")
    return members


def number(text: str) -> Decimal:
    """Read a number. Raises Refused for text that is none, or has too many digits."""
    try:
        found = Decimal(text)
    except InvalidOperation:
        raise invalid(f"A value provided cannot be converted into a number: {text}") from None
    if len(found.as_tuple().digits) > MAX_DIGITS:
        raise invalid("Attempting to store more than 38 significant digits in a Number")
    return found


def number_text(value: Decimal) -> str:
    """Write a number as DynamoDB does: without an exponent and without zeros that say nothing."""
    text = format(value, "f") if value else "0"
    return text.rstrip("0").rstrip(".") if "." in text else text


def comparable(value: Value) -> Any:
    """Return what orders two values of one type: text, a number or bytes."""
    ((kind, content),) = value.items()
    match kind:
        case "N":
            return Decimal(content)
        case "B":
            return b64decode(content)
    return content


def identity(value: Value) -> Any:
    """Return something that is equal for equal values only; the order of a set does not matter."""
    ((kind, content),) = value.items()
    match kind:
        case "N":
            return kind, Decimal(content)
        case "NS":
            return kind, frozenset(map(Decimal, content))
        case "SS" | "BS":
            return kind, frozenset(content)
        case "L":
            return kind, tuple(map(identity, content))
        case "M":
            return kind, frozenset((name, identity(each)) for name, each in content.items())
    return kind, content


def item_identity(item: Item | None) -> Any:
    return None if item is None else {name: identity(value) for name, value in item.items()}


def item_size(item: Mapping[str, Value]) -> int:
    """Return the bytes that DynamoDB counts for an item."""
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def _size(value: Value) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S" | "N" | "B":
            return _scalar_size(kind, content)
        case "SS" | "NS" | "BS":
            return sum(_scalar_size(kind[0], each) for each in content)
        case "L":
            return 3 + sum(1 + _size(each) for each in content)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _size(each) for name, each in content.items())
    return 1


def _scalar_size(kind: str, content: str) -> int:
    if kind == "N":
        return _number_size(content)
    return len(content.encode() if kind == "S" else b64decode(content))


def _number_size(text: str) -> int:
    digits = len(text.lstrip("-").replace(".", "").strip("0")) or 1
    return (digits + 1) // 2 + 1 + text.startswith("-")
