"""The messages of a span of time, in either direction, however many: for commands. Knows no Django."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from uuid import UUID

from messaging.domain.entities import Message

from .codec import message_from
from .keys import FIRST_MESSAGE_SK, group_pk
from .malformed import MalformedItem, readable, report
from .paginate import paginate
from .retry import with_retries

if TYPE_CHECKING:
    from .table import MessageTable

PAGE = 1000
"""Messages a request when there is a limit: without one a page is 1 MB, DynamoDB's own."""


def messages_between(
    table: MessageTable,
    group_uuid: UUID,
    first: str,
    last: str,
    *,
    newest_first: bool = False,
    limit: int | None = None,
    left_out: Callable[[MalformedItem], object] = report,
) -> Iterator[Message]:
    """The messages from created_at `first` to `last`, both included; read page by page as they are taken, consistently.

    Malformed ones are told to `left_out`; others come in their place where there is a limit.
    Costs a call for each MB of messages, one at least. A page that does not come is asked for again while
    patience lasts (see `retry`); then raises Unavailable.
    """
    # The conversation's own item has a sort key too, and it is before every created_at.
    first = max(first, FIRST_MESSAGE_SK)
    if first > last or limit == 0:
        return
    request: dict[str, Any] = {
        "TableName": table.name,
        "KeyConditionExpression": "pk = :group AND sk BETWEEN :first AND :last",
        "ExpressionAttributeValues": {
            ":group": {"S": group_pk(group_uuid)},
            ":first": {"S": first},
            ":last": {"S": last},
        },
        "ScanIndexForward": not newest_first,
        "ConsistentRead": True,
    }
    left = limit
    if left is not None:
        request["Limit"] = min(left, PAGE)
    for page in paginate(table.client.query, request, attempt=with_retries):
        messages = list(readable(page.items, message_from, left_out))
        yield from messages
        if left is not None:
            left -= len(messages)
            if left <= 0:
                return
            request["Limit"] = min(left, PAGE)
