"""Add up the units that a process's DynamoDB requests consume."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from threading import Lock
from typing import Any

from messaging.dynamodb.metering import Request

PATH = "/bench/units"
"""The path at which a metered site returns them."""
CANCELLED = 4.0
"""Write units of a send whose condition fails: AWS bills both items, emulators report none."""


class Units:
    """Counts of one process; thread-safe."""

    def __init__(self) -> None:
        self._counted: Counter[str] = Counter()
        self._counting = Lock()

    def note(self, request: Request, parameters: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        """Record a call; `metering.watch` calls it."""
        refused = request.operation == "TransactWriteItems" and request.error is not None
        with self._counting:
            self._counted["calls"] += 1
            self._counted["refused"] += refused
            self._counted["write units"] += CANCELLED if refused else request.write_units or 0  # type: ignore[assignment]
            self._counted["read units"] += request.read_units or 0  # type: ignore[assignment]

    def so_far(self) -> dict[str, float]:
        """Return `calls`, `write units`, `read units`, and the number of sends that a condition `refused`."""
        with self._counting:
            return dict(self._counted)
