"""Brings the table of an account to the definition in `table.py`, step by step, and never deletes anything."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

from cruddur.problem import Problem
from messaging.aws import AwsProblem, ServiceError, error_code, translated_errors
from messaging.table import (
    INDEXES,
    KEY_SCHEMA,
    STREAM,
    THROUGHPUT,
    attribute_definitions,
    index_definition,
    table_definition,
)

if TYPE_CHECKING:
    from messaging.dynamodb import MessageTable

WAIT_SECONDS = 900
"""Adding an index fills it from the whole table, which takes minutes on a large one."""
POLL_SECONDS = 2.0


class NotReady(Problem):
    """DynamoDB took longer than `WAIT_SECONDS`."""


class SchemaRefused(Problem):
    """The table differs from the definition in something that DynamoDB cannot change. The message says in what."""


def load_schema(
    table: MessageTable, *, on_demand: bool = False, sleep: Callable[[float], object] = time.sleep
) -> Iterator[str]:
    """Create the table, or add what it lacks; yields a sentence before or after each step.

    `on_demand` creates the table with, or switches it to, payment per request.
    Raises SchemaRefused, NotReady, Unavailable.
    """
    existing = describe(table)
    if existing is None:
        yield f"Creating table {table.name}"
        with translated_errors():
            table.client.create_table(**cast("Any", table_definition(table.name, on_demand=on_demand)))
        _wait_until_active(table, sleep)
        yield f"Table {table.name} is there, with {', '.join(INDEXES)} and its stream"
        return
    _refuse_what_cannot_change(table.name, existing)
    if existing["TableStatus"] != "ACTIVE":
        yield f"Waiting for table {table.name}, which is {existing['TableStatus'].lower()}"
        existing = _wait_until_active(table, sleep)
    yield f"Table {table.name} exists"
    yield from _load_billing(table, existing, on_demand, sleep)
    yield from _load_indexes(table, existing, sleep)
    yield from _load_stream(table, existing, sleep)


def describe(table: MessageTable) -> dict[str, Any] | None:
    """The table's description, or None when there is none (1 call)."""
    try:
        with translated_errors():
            return cast("dict[str, Any]", table.client.describe_table(TableName=table.name)["Table"])
    except ServiceError as error:
        if error_code(error) != "ResourceNotFoundException":
            raise
        return None


def stream_arn(table: MessageTable) -> str:
    """The ARN of the table's stream (1 call). Raises AwsProblem when the table or its stream is missing."""
    existing = describe(table)
    if existing is None or "LatestStreamArn" not in existing:
        msg = (
            f"Table {table.name} {'has no stream' if existing else 'does not exist'}: run `manage.py ddb_schema_load`."
        )
        raise AwsProblem(msg)
    return str(existing["LatestStreamArn"])


def _refuse_what_cannot_change(name: str, existing: dict[str, Any]) -> None:
    if _by_name(existing["KeySchema"]) != _by_name(KEY_SCHEMA):
        msg = f"Table {name} has other keys than pk and sk: use another DDB_MESSAGE_TABLE or drop it."
        raise SchemaRefused(msg)
    for index in existing.get("GlobalSecondaryIndexes", []):
        wanted = INDEXES.get(index["IndexName"])
        if wanted is not None and _shape(index) != _shape(wanted):
            msg = (
                f"Index {index['IndexName']} of {name} has other keys or attributes, which DynamoDB cannot change: "
                "delete the index, then run this again."
            )
            raise SchemaRefused(msg)
    stream = existing.get("StreamSpecification", {})
    if stream.get("StreamEnabled") and stream.get("StreamViewType") != STREAM["StreamViewType"]:
        msg = f"The stream of {name} has {stream.get('StreamViewType')}: disable it, then run this again."
        raise SchemaRefused(msg)


def _load_billing(
    table: MessageTable, existing: dict[str, Any], on_demand: bool, sleep: Callable[[float], object]
) -> Iterator[str]:
    is_on_demand = _is_on_demand(existing)
    if on_demand and not is_on_demand:
        yield "Switching to payment per request"
        with translated_errors():
            table.client.update_table(TableName=table.name, BillingMode="PAY_PER_REQUEST")
        _wait_until_active(table, sleep)
    elif is_on_demand:
        yield "Billing: per request"
    else:
        throughput = existing.get("ProvisionedThroughput", THROUGHPUT)
        units = f"{throughput['ReadCapacityUnits']} read and {throughput['WriteCapacityUnits']} write units"
        yield f"Billing: provisioned, {units}"


def _load_indexes(table: MessageTable, existing: dict[str, Any], sleep: Callable[[float], object]) -> Iterator[str]:
    present = {index["IndexName"] for index in existing.get("GlobalSecondaryIndexes", [])}
    for name in INDEXES:
        if name in present:
            yield f"Index {name} exists"
            continue
        yield f"Adding index {name}"
        definition = index_definition(name, on_demand=_is_on_demand(existing))
        with translated_errors():
            table.client.update_table(
                TableName=table.name,
                AttributeDefinitions=cast("Any", attribute_definitions_for(present | {name})),
                GlobalSecondaryIndexUpdates=[{"Create": cast("Any", definition)}],
            )
        present.add(name)
        _wait_until_active(table, sleep)


def _load_stream(table: MessageTable, existing: dict[str, Any], sleep: Callable[[float], object]) -> Iterator[str]:
    if existing.get("StreamSpecification", {}).get("StreamEnabled"):
        yield "Stream exists"
        return
    yield "Adding the stream"
    with translated_errors():
        table.client.update_table(TableName=table.name, StreamSpecification=cast("Any", STREAM))
    _wait_until_active(table, sleep)


def attribute_definitions_for(indexes: set[str]) -> list[dict[str, str]]:
    """The definitions of the key attributes of the table and these indexes: DynamoDB refuses any other."""
    schemas = [KEY_SCHEMA, *(INDEXES[name]["KeySchema"] for name in indexes if name in INDEXES)]
    names = {key["AttributeName"] for schema in schemas for key in schema}
    return [definition for definition in attribute_definitions() if definition["AttributeName"] in names]


def _wait_until_active(table: MessageTable, sleep: Callable[[float], object]) -> dict[str, Any]:
    waited = 0.0
    while waited < WAIT_SECONDS:
        existing = describe(table)
        if existing and existing["TableStatus"] == "ACTIVE":
            indexes = existing.get("GlobalSecondaryIndexes", [])
            if all(index.get("IndexStatus", "ACTIVE") == "ACTIVE" for index in indexes):
                return existing
        sleep(POLL_SECONDS)
        waited += POLL_SECONDS
    msg = f"Table {table.name} was not ready after {WAIT_SECONDS} seconds: run this again to go on waiting."
    raise NotReady(msg)


def _is_on_demand(existing: dict[str, Any]) -> bool:
    return bool(existing.get("BillingModeSummary", {}).get("BillingMode") == "PAY_PER_REQUEST")


def _shape(index: dict[str, Any]) -> tuple[object, ...]:
    projection = index["Projection"]
    attributes = frozenset(projection.get("NonKeyAttributes", []))
    return _by_name(index["KeySchema"]), projection["ProjectionType"], attributes


def _by_name(schema: list[dict[str, str]]) -> frozenset[tuple[str, str]]:
    return frozenset((key["AttributeName"], key["KeyType"]) for key in schema)
