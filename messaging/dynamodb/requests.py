"""Run single requests to the table, with consistent reads and retries, and report which condition failed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from .client import ServiceError, Unavailable, cancellation_reasons, error_code, translated_errors
from .retry import retried_conflicts

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

KEYS_A_BATCH = 100
BATCH_GET_TRIES = 5
BATCH_GET_WAIT = 0.05
"""Seconds before asking again for unprocessed keys, doubled each time."""


class TransactionRefused(Exception):
    """A condition failed. `items` are the items of the actions as they are, where an action asked for that."""

    def __init__(self, items: list[dict[str, Any] | None], failed: list[bool]) -> None:
        super().__init__("a condition failed")
        self.items = items
        self.failed = failed
        """For each action, whether it was its condition."""


def get(client: DynamoDBClient, table_name: str, key: dict[str, Any]) -> dict[str, Any] | None:
    """An item as it is now, or None. Raises Unavailable."""
    with translated_errors():
        return client.get_item(TableName=table_name, Key=key, ConsistentRead=True).get("Item")


def batch_get(client: DynamoDBClient, table_name: str, keys: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The items there are of these keys, as they are now. Raises Unavailable when some stay unprocessed."""
    for start in range(0, len(keys), KEYS_A_BATCH):
        yield from _batch_get(client, table_name, keys[start : start + KEYS_A_BATCH])


def _batch_get(client: DynamoDBClient, table_name: str, keys: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    wanted: Any = {table_name: {"Keys": keys, "ConsistentRead": True}}
    for attempt in range(BATCH_GET_TRIES):
        with translated_errors():
            answer = client.batch_get_item(RequestItems=wanted)
        yield from answer["Responses"].get(table_name, [])
        wanted = answer.get("UnprocessedKeys")
        if not wanted:
            return
        time.sleep(BATCH_GET_WAIT * 2**attempt)
    # Unprocessed is not absent: answering "no such conversation" here would be a lie.
    raise Unavailable


def transact(client: DynamoDBClient, actions: list[Any]) -> None:
    """Do all of the actions or none. Raises TransactionRefused, Unavailable."""
    try:
        for attempt in retried_conflicts():
            with attempt, translated_errors():
                client.transact_write_items(TransactItems=actions)
    except ServiceError as error:
        reasons = cancellation_reasons(error)
        failed = [reason.get("Code") == "ConditionalCheckFailed" for reason in reasons]
        if not any(failed):
            raise
        raise TransactionRefused([reason.get("Item") for reason in reasons], failed) from error


def conditional_write(write: Callable[[], object]) -> dict[str, Any] | None:
    """Run a conditional write. Return None on success, or the current item ({} if absent) when the condition failed."""
    try:
        for attempt in retried_conflicts():
            with attempt, translated_errors():
                write()
    except ServiceError as error:
        if error_code(error) != "ConditionalCheckFailedException":
            raise
        item: Any = error.response.get("Item", {})
        return dict(item)
    return None
