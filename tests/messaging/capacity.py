"""Compute capacity units by AWS's rules: emulators report them wrongly or not at all.

Source: the DynamoDB developer guide, "Capacity units" and "Item sizes". A write takes 1 unit for each started KB of the
larger of the old and the new item, 2 in a transaction. Each index adds 1 unit for each started KB of an entry that is
added, removed or changed in a projected attribute; a changed key counts as a removal and an addition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from messaging.dynamodb.table import MessageTable
from messaging.dynamodb.table_definition import GROUP_INDEX, INBOX_INDEX, INDEXES
from messaging.operations.capacity.patterns import Pattern

KILOBYTE = 1024
Indexes = Mapping[str, Mapping[str, Any]]
"""By name, as CreateTable takes them."""


def value_size(value: dict[str, Any]) -> int:
    """Return the bytes of an attribute's value."""
    ((kind, content),) = value.items()
    match kind:
        case "S" | "B":
            return len(content.encode() if kind == "S" else content)
        case "N":
            return ceil(len(content.strip("-").strip("0")) / 2) + 1
        case "BS":
            return sum(map(len, content))
        case "BOOL" | "NULL":
            return 1
        case "L":
            return 3 + sum(1 + value_size(each) for each in content)
        case "M":
            return 3 + sum(1 + len(name.encode()) + value_size(each) for name, each in content.items())
    raise AssertionError(kind)


def item_size(item: dict[str, Any]) -> int:
    """Return the bytes of an item: names and values."""
    return sum(len(name.encode()) + value_size(value) for name, value in item.items())


def units(size: int) -> int:
    return max(1, ceil(size / KILOBYTE))


def read_units(items: Sequence[dict[str, Any]], *, consistent: bool) -> float:
    """Return the units of a query that reads these items.

    That is 1 for each started 4 KB of them together, half when not consistent.
    """
    return max(1, ceil(sum(map(item_size, items)) / (4 * KILOBYTE))) * (1 if consistent else 0.5)


def projection(index: Mapping[str, Any], item: dict[str, Any]) -> dict[str, Any]:
    """Return an index's projection of an item, {} if the index does not contain it."""
    keys = [each["AttributeName"] for each in index["KeySchema"]]
    if any(key not in item for key in keys):
        return {}
    if index["Projection"]["ProjectionType"] == "ALL":
        return item
    projected = {"pk", "sk", *keys, *index["Projection"].get("NonKeyAttributes", [])}
    return {name: item[name] for name in projected if name in item}


def units_of_index(index: Mapping[str, Any], old: dict[str, Any], new: dict[str, Any]) -> int:
    """Return the units that one index adds when `old` becomes `new`; {} means no item."""
    before, after = projection(index, old), projection(index, new)
    if before == after:
        return 0
    keys = [each["AttributeName"] for each in index["KeySchema"]]
    moved = before and after and any(before[key] != after[key] for key in keys)
    return units(item_size(before)) + units(item_size(after)) if moved else units(item_size(before or after))


def write_units(old: dict[str, Any], new: dict[str, Any], *, transaction: bool, indexes: Indexes = INDEXES) -> int:
    """Return the units of the write that turns `old` into `new`, including the indexes."""
    size = max(item_size(old), item_size(new))
    return units(size) * (2 if transaction else 1) + sum(units_of_index(each, old, new) for each in indexes.values())


def items(table: MessageTable) -> dict[tuple[str, str], dict[str, Any]]:
    """Return all items by key."""
    found = table.client.scan(TableName=table.name, ConsistentRead=True)["Items"]
    return {(item["pk"]["S"], item["sk"]["S"]): item for item in found}


def units_written(
    before: dict[Any, Any], after: dict[Any, Any], *, transaction: bool, indexes: Indexes = INDEXES
) -> int:
    """Return the units of all items that differ."""
    changed = [key for key in {*before, *after} if before.get(key) != after.get(key)]
    return sum(
        write_units(before.get(key, {}), after.get(key, {}), transaction=transaction, indexes=indexes)
        for key in changed
    )


def index_units_written(index: str, before: dict[Any, Any], after: dict[Any, Any]) -> int:
    """Return the units of one index for all items that differ."""
    return sum(units_of_index(INDEXES[index], before.get(key, {}), after.get(key, {})) for key in {*before, *after})


def assert_written(pattern: Pattern, before: dict[Any, Any], after: dict[Any, Any], *, transaction: bool) -> None:
    """Assert that the items before and after differ by exactly the write units of the plan."""
    assert index_units_written(INBOX_INDEX, before, after) == pattern.inbox_writes
    assert index_units_written(GROUP_INDEX, before, after) == pattern.group_writes
    assert units_written(before, after, transaction=transaction) == pattern.writes
