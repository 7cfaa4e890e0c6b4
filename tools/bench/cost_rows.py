"""The cost of one access pattern or page, as figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .figures import Figure

if TYPE_CHECKING:
    from .meter import Cost


@dataclass(frozen=True, slots=True)
class Row:
    """An access pattern or a page, and what it costs."""

    name: str
    cost: Cost
    messages: int = 1
    """Messages that the cost covers; figures are per message."""
    sent_bytes: int | None = None
    """Size of the response on the wire."""
    plain_bytes: int | None = None
    """Size of the response before compression."""

    def figures(self, part: str, *, endpoint: str) -> Iterator[Figure]:
        """Yield all figures; the units that the endpoint reports only where they differ from ours."""
        name, cost = f"{part}/{self.name}", self.cost
        a_message = " a message" if self.messages > 1 else ""
        yield Figure(f"{name}/calls{a_message}", len(cost.calls) / self.messages, "calls")
        for kind, units, reported in (
            ("read units", cost.read_units, cost.reported_read_units),
            ("write units", cost.write_units, cost.reported_write_units),
        ):
            by_the_rules = Figure(f"{name}/{kind}{a_message}", units / self.messages, kind)
            yield by_the_rules
            if reported != units:
                differs = Figure(f"{name}/{kind}{a_message}, as {endpoint} reports", reported / self.messages, kind)
                yield differs.against(by_the_rules)
        if cost.statements:
            yield Figure(f"{name}/SQL statements{a_message}", cost.statements / self.messages, "statements")
        if self.sent_bytes is not None:
            yield Figure(f"{name}/bytes", self.sent_bytes, "bytes")
        if self.plain_bytes not in (None, self.sent_bytes):
            yield Figure(f"{name}/bytes before compression", self.plain_bytes or 0, "bytes")
