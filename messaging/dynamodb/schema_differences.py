"""Compare a table, as DescribeTable tells it, with the definition in `messaging/dynamodb/table_definition.py`. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from .table_definition import INDEXES, KEY_SCHEMA, STREAM, attribute_definitions

TYPES = {"S": "a String", "N": "a Number", "B": "Binary"}
STREAM_PART = "the stream"


class Remedy(Enum):
    """How a difference can be removed."""

    ANOTHER_TABLE = "another table"
    """DynamoDB cannot change it: the table has to be dropped, or another name used."""
    REPLACE = "replace"
    """DynamoDB cannot change it, but the part can be deleted and made again from the table."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which a table is not as the definition demands."""

    part: str
    """`the table`, the name of an index, or `the stream`."""
    what: str
    remedy: Remedy

    @property
    def sentence(self) -> str:
        """Return what differs, without a full stop: `index inbox-index has …`."""
        part = f"index {self.part}" if self.part in INDEXES else self.part
        return f"{part} {self.what}"


def differences(described: Mapping[str, Any]) -> list[Difference]:
    """Return what differs from the definition and cannot be changed in place: keys, their types, projections, stream.

    What is only missing (an index, the stream) is no difference, and neither are capacity and additional indexes.
    """
    types = {each["AttributeName"]: each["AttributeType"] for each in described.get("AttributeDefinitions", ())}
    found = [
        Difference("the table", what, Remedy.ANOTHER_TABLE) for what in _keys(described["KeySchema"], KEY_SCHEMA, types)
    ]
    for index in described.get("GlobalSecondaryIndexes", ()):
        wanted = INDEXES.get(index["IndexName"])
        if wanted is not None:
            wrong = (*_keys(index["KeySchema"], wanted["KeySchema"], types), *_projection(index, wanted))
            found += [Difference(index["IndexName"], what, Remedy.REPLACE) for what in wrong]
    stream = described.get("StreamSpecification", {})
    if stream.get("StreamEnabled") and stream.get("StreamViewType") != STREAM["StreamViewType"]:
        what = f"has the view {stream.get('StreamViewType')}, not {STREAM['StreamViewType']}"
        found.append(Difference(STREAM_PART, what, Remedy.REPLACE))
    return found


def remarks(described: Mapping[str, Any]) -> Iterator[str]:
    """Yield what differs, works, and costs: capacity of an index below the table's, indexes of somebody else."""
    if described.get("BillingModeSummary", {}).get("BillingMode") != "PAY_PER_REQUEST":
        units = _units(described)
        for index in described.get("GlobalSecondaryIndexes", ()):
            if index["IndexName"] in INDEXES and _units(index) != units:
                read, write = _units(index)
                yield (
                    f"Index {index['IndexName']} has {read} read and {write} write units, the table {units[0]} and "
                    f"{units[1]}: where the index has fewer writes, it throttles the table's"
                )
    for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        for index in described.get(kind, ()):
            if index["IndexName"] not in INDEXES:
                yield f"Index {index['IndexName']} is not used here and costs write units; it stays"


def _keys(
    schema: Sequence[Mapping[str, str]], wanted: Sequence[Mapping[str, str]], types: Mapping[str, str]
) -> Iterator[str]:
    if _by_role(schema) != _by_role(wanted):
        yield f"has the keys {_in_words(schema)}, not {_in_words(wanted)}"
        return
    wanted_types = {each["AttributeName"]: each["AttributeType"] for each in attribute_definitions()}
    for key in schema:
        name = key["AttributeName"]
        if types.get(name) != wanted_types[name]:
            is_now = TYPES.get(types.get(name, ""), "of no type")
            yield f"has a key {name} that is {is_now}, not {TYPES[wanted_types[name]]}"


def _projection(index: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[str]:
    now, then = index["Projection"], wanted["Projection"]
    if now["ProjectionType"] != then["ProjectionType"]:
        yield f"projects {now['ProjectionType']}, not {then['ProjectionType']}"
        return
    has, needs = set(now.get("NonKeyAttributes", ())), set(then.get("NonKeyAttributes", ()))
    if missing := sorted(needs - has):
        yield f"does not project {', '.join(missing)}"
    if more := sorted(has - needs):
        yield f"also projects {', '.join(more)}, which costs read and write units"


def _by_role(schema: Sequence[Mapping[str, str]]) -> frozenset[tuple[str, str]]:
    return frozenset((key["KeyType"], key["AttributeName"]) for key in schema)


def _in_words(schema: Sequence[Mapping[str, str]]) -> str:
    return " and ".join(f"{key['AttributeName']} ({key['KeyType']})" for key in schema)


def _units(described: Mapping[str, Any]) -> tuple[int, int]:
    units = described.get("ProvisionedThroughput", {})
    return units.get("ReadCapacityUnits", 0), units.get("WriteCapacityUnits", 0)
