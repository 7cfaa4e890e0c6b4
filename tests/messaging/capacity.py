"""Units by AWS's rules, worked out from the requests: emulators report them wrongly or not at all.

Source: the DynamoDB developer guide, "Capacity units" and "Item sizes": 1 unit for each started KB of the larger of the
old and the new item, two in a transaction; and for each index 1 unit a started KB for an entry that comes, goes or
changes in what is projected, one for each of the two when its key changes.
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
    """Bytes of an attribute's value."""
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
    """Bytes of an item: names and values."""
    return sum(len(name.encode()) + value_size(value) for name, value in item.items())


def units(size: int) -> int:
    return max(1, ceil(size / KILOBYTE))


def read_units(items: Sequence[dict[str, Any]], *, consistent: bool) -> float:
    """Units of a query that reads these items: 1 for each started 4 KB of them together, half when not consistent."""
    return max(1, ceil(sum(map(item_size, items)) / (4 * KILOBYTE))) * (1 if consistent else 0.5)


def projection(index: Mapping[str, Any], item: dict[str, Any]) -> dict[str, Any]:
    """What an index holds of an item; {} where it holds none."""
    keys = [each["AttributeName"] for each in index["KeySchema"]]
    if any(key not in item for key in keys):
        return {}
    if index["Projection"]["ProjectionType"] == "ALL":
        return item
    projected = {"pk", "sk", *keys, *index["Projection"].get("NonKeyAttributes", [])}
    return {name: item[name] for name in projected if name in item}


def units_of_index(index: Mapping[str, Any], old: dict[str, Any], new: dict[str, Any]) -> int:
    """Units that one index adds when `old` becomes `new`; {} is no item."""
    before, after = projection(index, old), projection(index, new)
    if before == after:
        return 0
    keys = [each["AttributeName"] for each in index["KeySchema"]]
    moved = before and after and any(before[key] != after[key] for key in keys)
    return units(item_size(before)) + units(item_size(after)) if moved else units(item_size(before or after))


def write_units(old: dict[str, Any], new: dict[str, Any], *, transaction: bool, indexes: Indexes = INDEXES) -> int:
    """Units of the write that makes `new` of `old`, with what the indexes add."""
    size = max(item_size(old), item_size(new))
    return units(size) * (2 if transaction else 1) + sum(units_of_index(each, old, new) for each in indexes.values())


def items(table: MessageTable) -> dict[tuple[str, str], dict[str, Any]]:
    """All there are, by key."""
    found = table.client.scan(TableName=table.name, ConsistentRead=True)["Items"]
    return {(item["pk"]["S"], item["sk"]["S"]): item for item in found}


def units_written(
    before: dict[Any, Any], after: dict[Any, Any], *, transaction: bool, indexes: Indexes = INDEXES
) -> int:
    """Units of all items that differ."""
    changed = [key for key in {*before, *after} if before.get(key) != after.get(key)]
    return sum(
        write_units(before.get(key, {}), after.get(key, {}), transaction=transaction, indexes=indexes)
        for key in changed
    )


def index_units_written(index: str, before: dict[Any, Any], after: dict[Any, Any]) -> int:
    """Units of one index for all items that differ."""
    return sum(units_of_index(INDEXES[index], before.get(key, {}), after.get(key, {})) for key in {*before, *after})


def assert_written(pattern: Pattern, before: dict[Any, Any], after: dict[Any, Any], *, transaction: bool) -> None:
    """That the items of the table, before and after, differ by just the write units that the plan reckons with."""
    assert index_units_written(INBOX_INDEX, before, after) == pattern.inbox_writes
    assert index_units_written(GROUP_INDEX, before, after) == pattern.group_writes
    assert units_written(before, after, transaction=transaction) == pattern.writes
