"""Read the old table with Scan and Query only. Does not use Django."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cruddur.problem import Problem
from messaging.dynamodb.client import translated_errors
from messaging.dynamodb.codec import Item
from messaging.dynamodb.retry import patiently
from messaging.dynamodb.tables import Table
from messaging.operations.scan import Scan, segments_for

from .legacy_items import MESSAGE_PREFIX, LegacyEntry, LegacyMessage, NotTheLegacyLayout, UnknownItem, read_item

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


class WrongTable(Problem):
    """The named table is not one of the old system."""


@dataclass(frozen=True, slots=True)
class LegacyTable:
    """The old table, read only. Reads are strongly consistent and wait while throttled."""

    client: DynamoDBClient
    described: Table

    @property
    def name(self) -> str:
        return self.described.name

    def pages(
        self, *, readers: int, on_throttled: Callable[[], object]
    ) -> Iterator[list[LegacyMessage | LegacyEntry | UnknownItem]]:
        """Yield all items in pages of 1 MB; partitions may be split and come in no particular order. 1 RCU per 4 KB.

        Raises WrongTable at the first item of this system's own layout, Unavailable.
        """
        segments = segments_for(self.described.size_bytes, readers=readers)
        with Scan(self.client, self.name, readers, segments, on_throttled=on_throttled) as scan:
            for page in scan:
                yield [self._known(item) for item in page.items]

    def messages(self, group: str) -> Iterator[LegacyMessage]:
        """Yield a group's messages in the order of their sort keys, which is not quite chronological.

        1 RCU per 4 KB. Raises Unavailable.
        """
        request: dict[str, Any] = {
            "TableName": self.name,
            "ConsistentRead": True,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": MESSAGE_PREFIX + group}},
        }

        def ask() -> Any:
            with translated_errors():
                return self.client.query(**request)

        while True:
            page = patiently(ask)
            yield from (each for each in map(self._known, page["Items"]) if isinstance(each, LegacyMessage))
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _known(self, item: Item) -> LegacyMessage | LegacyEntry | UnknownItem:
        known = read_item(item)
        if isinstance(known, NotTheLegacyLayout):
            raise WrongTable(
                f"The table {self.name} holds conversations of this system, not of the old one: nothing was written."
            )
        return known
