"""Brings the table of an account to the definition in `table.py`, step by step, and never deletes anything."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

from cruddur.problem import Problem

from .client import AwsProblem, ServiceError, error_code, translated_errors
from .schema_differences import STREAM_PART, Difference, Remedy, differences, remarks
from .table_definition import (
    INDEXES,
    KEY_SCHEMA,
    STREAM,
    THROUGHPUT,
    attribute_definitions,
    index_definition,
    table_definition,
)

if TYPE_CHECKING:
    from .table import MessageTable

WAIT_SECONDS = 900
"""Adding an index fills it from the whole table, which takes minutes on a large one."""
POLL_SECONDS = 2.0
INDEX_KINDS = ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")


class NotReady(Problem):
    """DynamoDB took longer than `WAIT_SECONDS`."""


class SchemaRefused(Problem):
    """The table differs from the definition in something that DynamoDB cannot change. The message says in what."""


def load_schema(
    table: MessageTable,
    *,
    on_demand: bool = False,
    replace: bool = False,
    sleep: Callable[[float], object] = time.sleep,
) -> Iterator[str]:
    """Create the table, or add what it lacks; yields a sentence before or after each step.

    `on_demand` creates the table with, or switches it to, payment per request. `replace` deletes indexes and the stream
    where they differ, and adds them as they should be; items stay.
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
    found = differences(existing)
    _refuse(table.name, [each for each in found if not (replace and each.remedy is Remedy.REPLACE)])
    if existing["TableStatus"] != "ACTIVE":
        yield f"Waiting for table {table.name}, which is {existing['TableStatus'].lower()}"
        existing = _wait_until_active(table, sleep)
    yield f"Table {table.name} exists"
    if found:
        yield from _delete_to_replace(table, found, sleep)
        existing = _wait_until_active(table, sleep)
    yield from _load_billing(table, existing, on_demand, sleep)
    yield from _load_indexes(table, existing, sleep)
    yield from _load_stream(table, existing, sleep)
    yield from remarks(existing)


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


def _refuse(name: str, found: Sequence[Difference]) -> None:
    """Raise SchemaRefused when anything differs that is not going to be replaced; it names all of it."""
    if not found:
        return
    what = "; ".join(each.sentence for each in found)
    if any(each.remedy is Remedy.ANOTHER_TABLE for each in found):
        way_out = (
            f"Set DDB_MESSAGE_TABLE to another name, or drop this table (`manage.py ddb_drop {name}`), then run this "
            "again."
        )
    else:
        way_out = (
            "Run this again with --replace, which deletes that and makes it again; lists cannot be read until an index "
            "is filled."
        )
    raise SchemaRefused(f"DynamoDB cannot change this of {name}: {what}. {way_out}")


def _delete_to_replace(
    table: MessageTable, found: Sequence[Difference], sleep: Callable[[float], object]
) -> Iterator[str]:
    """Delete the indexes and the stream that differ, so that they can be added as if they had been missing."""
    for part in dict.fromkeys(each.part for each in found):
        yield f"Deleting {part if part == STREAM_PART else f'index {part}'}, which differs"
        with translated_errors():
            if part == STREAM_PART:
                table.client.update_table(TableName=table.name, StreamSpecification={"StreamEnabled": False})
            else:
                delete: Any = {"Delete": {"IndexName": part}}
                table.client.update_table(TableName=table.name, GlobalSecondaryIndexUpdates=[delete])
        _wait_until_active(table, sleep)


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
                AttributeDefinitions=cast("Any", _attribute_definitions(existing, present | {name})),
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


def _attribute_definitions(existing: dict[str, Any], indexes: set[str]) -> list[dict[str, str]]:
    """Return the definitions of the key attributes of the table and these indexes: DynamoDB rejects any other."""
    others = [index for kind in INDEX_KINDS for index in existing.get(kind, ()) if index["IndexName"] not in INDEXES]
    used = {key["AttributeName"] for index in others for key in index["KeySchema"]}
    schemas = [KEY_SCHEMA, *(INDEXES[name]["KeySchema"] for name in indexes if name in INDEXES)]
    names = {key["AttributeName"] for schema in schemas for key in schema}
    own = [definition for definition in attribute_definitions() if definition["AttributeName"] in names]
    return own + [each for each in existing["AttributeDefinitions"] if each["AttributeName"] in used - names]


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
