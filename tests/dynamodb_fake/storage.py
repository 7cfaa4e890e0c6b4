"""The items of a table, in the order of its keys and of those of its indexes, and what its stream tells of them."""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import md5
from itertools import count
from typing import Any

from .expressions import And, Between, Compare, Condition, Function, Path, Scope
from .values import Item, Value, comparable, invalid, item_identity, item_size

Primary = tuple[Any, ...]
"""What identifies an item in its table: what its partition key and its sort key are ordered by."""
Position = tuple[Any, Primary]
"""Where an item is in a partition: its sort key there, and its primary key."""

_ids = count(1)


def parts_of(condition: Condition) -> tuple[Condition, ...]:
    return condition.conditions if isinstance(condition, And) else (condition,)


@dataclass(slots=True)
class Index:
    """The order of items by a partition key and a sort key: that of a table, or of a secondary index."""

    definition: dict[str, Any]
    """As in a table's description: KeySchema and Projection."""
    partitions: dict[Any, list[Position]] = field(default_factory=dict)
    _hashed: list[tuple[int, Any]] = field(default_factory=list)
    """The partitions by the hash of their key, which is the order of a scan."""

    @property
    def key_names(self) -> list[str]:
        """Return the names of the partition key and, if there is one, of the sort key."""
        return [each["AttributeName"] for each in self.definition["KeySchema"]]

    def position(self, item: Mapping[str, Value], primary: Primary) -> tuple[Any, Position]:
        """Return the partition of an item and its place there. Raises KeyError for an item without the keys."""
        partition, *sort = (comparable(item[name]) for name in self.key_names)
        return partition, (sort[0] if sort else "", primary)

    def covers(self, item: Item | None) -> bool:
        return item is not None and all(name in item for name in self.key_names)

    def replace(self, old: Item | None, new: Item | None, primary: Primary) -> None:
        before = self.position(old, primary) if old is not None and self.covers(old) else None
        after = self.position(new, primary) if new is not None and self.covers(new) else None
        if before == after:
            return
        if before:
            partition, position = before
            positions = self.partitions[partition]
            del positions[bisect_left(positions, position)]
            if not positions:
                del self.partitions[partition]
                del self._hashed[bisect_left(self._hashed, _hashed(partition))]
        if after:
            partition, position = after
            if partition not in self.partitions:
                self.partitions[partition] = []
                insort(self._hashed, _hashed(partition))
            insort(self.partitions[partition], position)

    def scanned(self, start: tuple[Any, Position] | None, *, segment: int = 0, segments: int = 1) -> Iterator[Position]:
        """Yield the positions of all partitions, or of those of a segment, after `start`."""
        hashed = self._hashed
        if start:
            hashed = hashed[bisect_left(hashed, _hashed(start[0])) :]
        for place, partition in hashed:
            if place * segments >> 128 != segment:
                continue
            positions = self.partitions[partition]
            begins = bisect_right(positions, start[1]) if start and partition == start[0] else 0
            yield from positions[begins:]

    def queried(self, condition: Condition, scope: Scope) -> list[Position]:
        """Return the positions of one partition that a key condition selects. Raises Refused."""
        partition_key, *sort_key = self.key_names
        partition, rest = None, []
        for part in parts_of(condition):
            if _key_of(part, scope) == partition_key and isinstance(part, Compare) and part.operator == "=":
                partition = comparable(_value(part.right, scope))
            else:
                rest.append(part)
        if partition is None:
            raise invalid(f"Query condition missed key schema element: {partition_key}")
        positions = self.partitions.get(partition, [])
        if not rest:
            return positions
        if len(rest) > 1 or [_key_of(rest[0], scope)] != sort_key:
            raise invalid("Query key condition not supported")
        begin, end = _range(positions, rest[0], scope)
        return positions[begin:end]

    def shown(self, item: Item, table_keys: list[str]) -> Item:
        """Return what the index holds of an item."""
        projection = self.definition.get("Projection", {"ProjectionType": "ALL"})
        if projection["ProjectionType"] == "ALL":
            return item
        names = {*table_keys, *self.key_names, *projection.get("NonKeyAttributes", ())}
        return {name: value for name, value in item.items() if name in names}


def _hashed(partition: Any) -> tuple[int, Any]:
    return int.from_bytes(md5(str(partition).encode()).digest()), partition  # noqa: S324 - spreads, hides nothing


def _key_of(condition: Condition, scope: Scope) -> str | None:
    match condition:
        case Compare(left=Path() as path) | Between(operand=Path() as path):
            return str(path.resolved(scope.names)[0])
        case Function(name="begins_with", arguments=(Path() as path, _)):
            return str(path.resolved(scope.names)[0])
    return None


def _value(operand: Any, scope: Scope) -> Value:
    value: Value | None = operand.value(scope)
    if value is None:
        raise invalid("Query key condition not supported")
    return value


def _range(positions: list[Position], condition: Condition, scope: Scope) -> tuple[int, int]:
    """Return the first position that a condition on the sort key selects, and the one after the last."""

    def before(operand: Any) -> int:
        return bisect_left(positions, comparable(_value(operand, scope)), key=_sort_key)

    def after(operand: Any) -> int:
        return bisect_right(positions, comparable(_value(operand, scope)), key=_sort_key)

    match condition:
        case Between(first=first, last=last):
            return before(first), after(last)
        case Function(name="begins_with", arguments=(_, prefix)):
            begin = end = before(prefix)
            text = comparable(_value(prefix, scope))
            while end < len(positions) and _sort_key(positions[end]).startswith(text):
                end += 1
            return begin, end
        case Compare(operator="=" | "<" | "<=" | ">" | ">=" as operator, right=bound):
            begin = {"=": before, ">": after, ">=": before}.get(operator, lambda _: 0)(bound)
            end = {"=": after, "<": before, "<=": after}.get(operator, lambda _: len(positions))(bound)
            return begin, end
    raise invalid("Query key condition not supported")


def _sort_key(position: Position) -> Any:
    return position[0]


@dataclass(slots=True)
class Stream:
    """What changed in a table, in order: one shard, which never ends and of which nothing is trimmed."""

    arn: str
    label: str
    view: str
    shard: str = field(default_factory=lambda: f"shardId-{next(_ids):020}")
    records: list[dict[str, Any]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: count(100_000_000_000_000_000_001))

    def tell(self, keys: Item, old: Item | None, new: Item | None) -> None:
        images: dict[str, Any] = {}
        if new is not None and self.view in ("NEW_IMAGE", "NEW_AND_OLD_IMAGES"):
            images["NewImage"] = new
        if old is not None and self.view in ("OLD_IMAGE", "NEW_AND_OLD_IMAGES"):
            images["OldImage"] = old
        told = {
            "ApproximateCreationDateTime": int(time.time()),
            "Keys": keys,
            **images,
            "SequenceNumber": str(next(self._numbers)),
            "SizeBytes": item_size(keys) + sum(map(item_size, images.values())),
            "StreamViewType": self.view,
        }
        self.records.append(
            {
                "eventID": f"{next(_ids):032x}",
                "eventName": "INSERT" if old is None else "REMOVE" if new is None else "MODIFY",
                "eventVersion": "1.1",
                "eventSource": "aws:dynamodb",
                "awsRegion": "us-east-1",
                "dynamodb": told,
            }
        )


@dataclass(slots=True)
class Table:
    """A table as it is described, its items and its indexes."""

    description: dict[str, Any]
    items: dict[Primary, Item] = field(default_factory=dict)
    order: Index = field(init=False)
    indexes: dict[str, Index] = field(default_factory=dict)
    stream: Stream | None = None

    def __post_init__(self) -> None:
        self.order = Index(self.description)

    @property
    def name(self) -> str:
        return str(self.description["TableName"])

    @property
    def key_names(self) -> list[str]:
        return self.order.key_names

    def primary(self, item: Mapping[str, Value]) -> Primary:
        return tuple(comparable(item[name]) for name in self.key_names)

    def keys_of(self, item: Item) -> Item:
        return {name: item[name] for name in self.key_names}

    def add_index(self, definition: dict[str, Any]) -> None:
        index = self.indexes[definition["IndexName"]] = Index(definition)
        for primary, item in self.items.items():
            index.replace(None, item, primary)

    def write(self, primary: Primary, new: Item | None) -> float:
        """Put an item, or delete it, and tell the stream if that changes anything; returns the units it takes."""
        old = self.items.get(primary)
        for index in (self.order, *self.indexes.values()):
            index.replace(old, new, primary)
        if new is None:
            self.items.pop(primary, None)
        else:
            self.items[primary] = new
        if self.stream and item_identity(old) != item_identity(new):
            self.stream.tell(self.keys_of(new or old or {}), old, new)
        return self.write_units(old, new)

    def write_units(self, old: Item | None, new: Item | None) -> float:
        units = max(kilobytes(old or {}), kilobytes(new or {}), 1)
        return units + sum(self._index_units(index, old, new) for index in self.indexes.values())

    def _index_units(self, index: Index, old: Item | None, new: Item | None) -> int:
        before = index.shown(old, self.key_names) if old is not None and index.covers(old) else None
        after = index.shown(new, self.key_names) if new is not None and index.covers(new) else None
        if item_identity(before) == item_identity(after):
            return 0
        if before and after and all(before[name] == after[name] for name in index.key_names):
            return max(kilobytes(before), kilobytes(after))
        return kilobytes(before or {}) + kilobytes(after or {})


def kilobytes(item: Mapping[str, Value]) -> int:
    """Return the started KB of an item."""
    return -(-item_size(item) // 1024)
