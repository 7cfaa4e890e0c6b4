"""The tables of an account and region: which there are, and how one is dropped. Knows no Django."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cruddur.problem import Problem

from .client import ServiceError, Unavailable, error_code, translated_errors
from .schema import describe
from .table import MessageTable

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

NAME = re.compile(r"[A-Za-z0-9_.-]{3,255}")
DELETING = "DELETING"
WAIT_SECONDS = 600
"""Longer than AWS was ever seen to take."""
POLL_SECONDS = 1.0


class NoSuchTable(Problem):
    """There is no table of that name. The message lists those there are."""


class Protected(Problem):
    """The table has deletion protection. The message says how to switch it off."""


class NotGone(Problem):
    """DynamoDB took longer than `WAIT_SECONDS`."""


@dataclass(frozen=True, slots=True)
class Units:
    """Provisioned capacity, a second."""

    read: int
    write: int


@dataclass(frozen=True, slots=True)
class Table:
    """A table as DescribeTable tells it."""

    name: str
    arn: str
    status: str
    items: int
    """As DynamoDB last counted them, on AWS about every six hours; so `size_bytes`."""
    size_bytes: int
    provisioned: Units | None
    """None when every request is paid for."""
    indexes: tuple[str, ...]
    stream: str | None
    """What a record holds, as in NEW_AND_OLD_IMAGES; None without a stream."""
    deletion_protection: bool


def stream_in_words(view_type: str | None) -> str:
    """As in `new and old images`; empty for none."""
    return (view_type or "").lower().replace("_", " ")


def list_tables(client: DynamoDBClient) -> Iterator[Table]:
    """Every table, by name. 1 call for 100 tables and 1 for each. Raises Unavailable."""
    for name in table_names(client):
        # A table may vanish between the two calls.
        if (table := find_table(client, name)) is not None:
            yield table


def table_names(client: DynamoDBClient) -> Iterator[str]:
    """1 call for 100 tables. Raises Unavailable."""
    pages = iter(client.get_paginator("list_tables").paginate())
    while True:
        with translated_errors():
            page = next(pages, None)
        if page is None:
            return
        yield from page["TableNames"]


def find_table(client: DynamoDBClient, name: str) -> Table | None:
    """The table of exactly this name, or None. 1 call. Raises Unavailable."""
    described = describe(MessageTable(client, name)) if NAME.fullmatch(name) else None
    return None if described is None else _table(described)


def table_to_drop(client: DynamoDBClient, name: str) -> Table:
    """The table of exactly this name. Raises NoSuchTable, Protected, Unavailable."""
    table = find_table(client, name)
    if table is None:
        names = ", ".join(table_names(client))
        raise NoSuchTable(f"There is no table {name}. There {f'are: {names}' if names else 'is none at all'}.")
    if table.deletion_protection:
        msg = (
            f"The table {name} has deletion protection: nothing was dropped. To switch it off, in the AWS console: the "
            "table, Additional settings, Deletion protection; or run `aws dynamodb update-table "
            f"--no-deletion-protection-enabled --table-name {name}`."
        )
        raise Protected(msg)
    return table


def delete(client: DynamoDBClient, name: str) -> None:
    """Tell DynamoDB to delete the table, which goes on by itself. 1 call. Raises Unavailable."""
    try:
        with translated_errors():
            client.delete_table(TableName=name)
    except ServiceError as error:
        if error_code(error) != "ResourceNotFoundException":  # somebody else was faster
            raise


def wait_until_gone(client: DynamoDBClient, name: str, *, sleep: Callable[[float], object] = time.sleep) -> None:
    """Return when the table is no more. Raises NotGone."""
    waited = 0.0
    while _is_there(client, name):
        if waited >= WAIT_SECONDS:
            raise NotGone(f"Table {name} is still there after {WAIT_SECONDS} seconds: see `manage.py ddb_list_tables`.")
        sleep(POLL_SECONDS)
        waited += POLL_SECONDS


def _is_there(client: DynamoDBClient, name: str) -> bool:
    try:
        return find_table(client, name) is not None
    except Unavailable:  # which stops nobody from deleting it
        return True


def _table(described: dict[str, Any]) -> Table:
    on_demand = described.get("BillingModeSummary", {}).get("BillingMode") == "PAY_PER_REQUEST"
    units = described.get("ProvisionedThroughput", {})
    indexes = [*described.get("GlobalSecondaryIndexes", []), *described.get("LocalSecondaryIndexes", [])]
    stream = described.get("StreamSpecification", {})
    return Table(
        name=described["TableName"],
        arn=described["TableArn"],
        status=described["TableStatus"],
        items=described.get("ItemCount", 0),
        size_bytes=described.get("TableSizeBytes", 0),
        provisioned=None if on_demand else Units(units.get("ReadCapacityUnits", 0), units.get("WriteCapacityUnits", 0)),
        indexes=tuple(sorted(index["IndexName"] for index in indexes)),
        stream=stream.get("StreamViewType") if stream.get("StreamEnabled") else None,
        deletion_protection=described.get("DeletionProtectionEnabled", False),
    )
