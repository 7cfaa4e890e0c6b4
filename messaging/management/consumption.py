"""Print the requests a command made, with their capacity and time, one by one and in total."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from messaging.dynamodb.metering import Request, total

SHOWN = 20
"""Number of requests shown unless all are asked for."""


def lines(requests: Sequence[Request], *, every: bool) -> Iterator[str]:
    """Yield a line per request, for people; without `every`, the first ones and the number of the others."""
    shown = requests if every else requests[:SHOWN]
    width = max((len(each.operation) for each in shown), default=0)
    for each in shown:
        capacity = units(each.read_units, each.write_units) or "not reported"
        items = f"{each.items:,} item{'s' * (each.items != 1)}"
        error = f"  {each.error}" if each.error else ""
        yield f"  {each.operation:{width}}  {items:>11}  {capacity:>12}  {each.milliseconds:>8,.1f} ms{error}"
    if len(requests) > len(shown):
        yield f"  and {len(requests) - len(shown):,} more, which -v2 shows"


def sentence(requests: Sequence[Request]) -> str:
    """Return the total of all requests: `2 requests, 1.5 RCU, 12.3 ms`."""
    sum_ = total(requests)
    capacity = units(sum_.read_units, sum_.write_units or None)
    return f"{sum_.requests:,} request{'s' * (sum_.requests != 1)}, {capacity}, {sum_.milliseconds:,.1f} ms"


def facts(requests: Sequence[Request]) -> dict[str, Any]:
    """Return the requests and their total, for programs."""
    return {
        "consumed": asdict(total(requests)),
        "requests": [asdict(each) for each in requests],
    }


def units(read: float | None, write: float | None) -> str:
    """Format units: `0.5 RCU`, `4 WCU`, both, or nothing."""
    both = ((read, "RCU"), (write, "WCU"))
    return ", ".join(f"{value:,.1f}".removesuffix(".0") + f" {name}" for value, name in both if value is not None)
