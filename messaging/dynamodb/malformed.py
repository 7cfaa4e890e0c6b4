"""Malformed items: the exception that names item and attribute, and reading that skips and reports them.

No value of an item is ever part of it, so that no text of a message gets into a log or a page. Knows no Django.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from cruddur.problem import Problem

logger = logging.getLogger(__name__)

UUID_BYTES = 16
KEY_CHARS = 100
"""How much of a key is shown: those of the model have 80 at most, others may have 2,048."""

T = TypeVar("T")


class MalformedItem(Problem):
    """An attribute of an item cannot be read."""

    def __init__(self, item: Mapping[str, Any], attribute: str, why: str) -> None:
        self.pk, self.sk = key_text(item, "pk"), key_text(item, "sk")
        self.member_uuids = _members(item)
        """Bytes of the uuids of those whom a conversation or an entry names; None where that cannot be read either."""
        self.attribute = attribute
        self.why = why
        """What is wrong with the attribute, to follow its name: `is missing`."""
        super().__init__(
            f"The item {self.pk} {self.sk} is malformed: {attribute} {why}. "
            "`manage.py ddb_reconcile` repairs it, or says what to do."
        )

    @property
    def reason(self) -> str:
        """The shortest sentence about it, for logs and dead letters."""
        return f"malformed item {self.pk} {self.sk}: {self.attribute} {self.why}"


def key_text(item: Mapping[str, Any], name: str) -> str:
    """Return a key of an item, cut and fit for a terminal; `?` where there is none."""
    value = item.get(name)
    text = value.get("S") if isinstance(value, Mapping) else None
    if not isinstance(text, str):
        return "?"
    return "".join(each if each.isprintable() else "?" for each in text[:KEY_CHARS])


def _members(item: Mapping[str, Any]) -> frozenset[bytes] | None:
    value = item.get("member_uuids")
    members = value.get("BS") if isinstance(value, Mapping) else None
    if not isinstance(members, list | set) or any(len(each) != UUID_BYTES for each in members):
        return None
    return frozenset(map(bytes, members))


def report(error: MalformedItem) -> None:
    """Log an item that is left out, by its key and attribute."""
    logger.error("%s", error.reason)


def readable(
    items: Iterable[Mapping[str, Any]],
    read: Callable[[Mapping[str, Any]], T],
    left_out: Callable[[MalformedItem], object] = report,
) -> Iterator[T]:
    """Yield what `read` makes of each item; tell `left_out` of those that are malformed, and go on."""
    for item in items:
        try:
            yield read(item)
        except MalformedItem as error:
            left_out(error)
