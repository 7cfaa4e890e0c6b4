"""Many items at once, by BatchWriteItem; what DynamoDB leaves unprocessed is written again."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any
from uuid import UUID

from .aws import Unavailable, translated_errors
from .dynamodb import MessageTable
from .items import Message, message_item, message_key

BATCH = 25
"""Items a call, DynamoDB's limit."""
TRIES = 8
FIRST_WAIT = 0.05
"""Seconds before unprocessed items are written again, doubled each time."""


def put_messages(table: MessageTable, messages: Iterable[Message]) -> None:
    """Write messages as they are, over any that are there. 1 call for 25 of them. Raises Unavailable."""
    _write(table, ({"PutRequest": {"Item": message_item(message)}} for message in messages))


def delete_messages(table: MessageTable, group_uuid: UUID) -> None:
    """Delete all messages of a group that has no conversation. Raises Unavailable."""
    while messages := table.messages_after(group_uuid, "", limit=100):
        _write(table, ({"DeleteRequest": {"Key": message_key(group_uuid, each.created_at)}} for each in messages))


def _write(table: MessageTable, requests: Iterable[dict[str, Any]]) -> None:
    for batch in _batches(requests):
        unprocessed: Any = {table.name: batch}
        for attempt in range(TRIES):
            with translated_errors():
                unprocessed = table.client.batch_write_item(RequestItems=unprocessed).get("UnprocessedItems")
            if not unprocessed:
                break
            time.sleep(FIRST_WAIT * 2**attempt)
        else:
            raise Unavailable


def _batches(requests: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    rest = iter(requests)
    while batch := list(islice(rest, BATCH)):
        yield batch
