"""Meter DynamoDB calls, units (by AWS's rules and as the endpoint reports them) and SQL statements.

Units by AWS's rules are computed from requests, responses and changes of the table; see `tests/messaging/capacity.py`
for the sizes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from django.db import connection

from messaging.dynamodb.metering import READS
from messaging.dynamodb.table import MessageTable
from messaging.dynamodb.table_definition import INDEXES
from tests.messaging.capacity import Indexes, item_size, items, read_units, units, units_written

READ_BYTES = 4096
Items = dict[tuple[str, str], dict[str, Any]]
"""By key."""
CONDITION = "ConditionalCheckFailedException"


@dataclass(slots=True)
class Call:
    """A call that was answered."""

    operation: str
    parameters: dict[str, Any]
    answer: dict[str, Any]

    @property
    def reported(self) -> float:
        """Units, as the endpoint reports them."""
        consumed = self.answer.get("ConsumedCapacity") or []
        tables = [consumed] if isinstance(consumed, dict) else consumed
        return float(sum(each.get("CapacityUnits", 0) for each in tables))

    @property
    def refused(self) -> bool:
        return bool(self.answer.get("Error", {}).get("Code") == CONDITION)


@dataclass(slots=True)
class Cost:
    """The result, complete once the block has ended."""

    calls: list[Call] = field(default_factory=list)
    read_units: float = 0.0
    """By AWS's rules."""
    write_units: float = 0.0
    statements: int = 0
    after: Items | None = field(default=None, repr=False)
    """The table at the end."""

    @property
    def operations(self) -> list[str]:
        return [call.operation for call in self.calls]

    @property
    def reported_read_units(self) -> float:
        return sum(call.reported for call in self.calls if call.operation in READS)

    @property
    def reported_write_units(self) -> float:
        return sum(call.reported for call in self.calls if call.operation not in READS)

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.calls + other.calls,
            self.read_units + other.read_units,
            self.write_units + other.write_units,
            self.statements + other.statements,
            other.after,
        )


@contextmanager
def metered(table: MessageTable, *, indexes: Indexes = INDEXES, before: Items | None = None) -> Iterator[Cost]:
    """Note what the table's client is asked in the block, and the SQL statements of this thread.

    Looks at the whole table before and after, which is not counted; `before` is how it stands, where that is known.
    Writes are either all transactions or none.
    """
    cost, client, before = Cost(), table.client, items(table) if before is None else before
    parameters: list[dict[str, Any]] = []

    def ask(params: dict[str, Any], model: Any, **_: Any) -> None:
        if model.input_shape and "ReturnConsumedCapacity" in model.input_shape.members:
            params["ReturnConsumedCapacity"] = "TOTAL"
        parameters.append(params)

    def answered(model: Any, parsed: dict[str, Any], **_: Any) -> None:
        cost.calls.append(Call(model.name, parameters.pop(), parsed))

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        cost.statements += 1
        return execute(sql, params, many, context)

    client.meta.events.register("provide-client-params.dynamodb.*", ask)
    client.meta.events.register("after-call.dynamodb.*", answered)
    try:
        with connection.execute_wrapper(count):
            yield cost
    finally:
        client.meta.events.unregister("provide-client-params.dynamodb.*", ask)
        client.meta.events.unregister("after-call.dynamodb.*", answered)
    transaction = "TransactWriteItems" in cost.operations
    cost.read_units = sum(map(units_read, cost.calls))
    cost.after = items(table)
    cost.write_units = units_written(before, cost.after, transaction=transaction, indexes=indexes)
    cost.write_units += sum(refused_units(call, before) for call in cost.calls if call.refused)


def units_read(call: Call) -> float:
    """Return the units of a read, 0 for a write. Items are rounded up one by one, those of a query together."""
    if call.operation not in READS:
        return 0.0
    if call.operation == "Query":
        if call.answer["ScannedCount"] != call.answer["Count"]:
            msg = "what a filter leaves out is paid for, and its size is not known"
            raise ValueError(msg)
        return read_units(call.answer["Items"], consistent=call.parameters.get("ConsistentRead", False))
    if call.operation == "GetItem":
        return units_of_items([call.answer.get("Item", {})], consistent=call.parameters.get("ConsistentRead", False))
    if call.operation == "BatchGetItem":
        return sum(
            units_of_items(
                [*call.answer["Responses"].get(name, []), *[{}] * len(asked["Keys"])][: len(asked["Keys"])],
                consistent=asked.get("ConsistentRead", False),
            )
            for name, asked in call.parameters["RequestItems"].items()
        )
    raise ValueError(call.operation)


def units_of_items(read: list[dict[str, Any]], *, consistent: bool) -> float:
    """Return the units of items that are read by key; {} stands for a missing item."""
    return sum(max(1, ceil(item_size(item) / READ_BYTES)) for item in read) * (1.0 if consistent else 0.5)


def refused_units(call: Call, before: Items) -> int:
    """Return the units of a write whose condition failed: those of the existing item."""
    at = call.parameters.get("Key") or call.parameters["Item"]
    return units(item_size(before.get((at["pk"]["S"], at["sk"]["S"]), {})))
