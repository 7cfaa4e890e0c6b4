"""Read the old table with Scan and Query only. Does not use Django."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cruddur.problem import Problem
from messaging.dynamodb.codec import Item
from messaging.dynamodb.retry import with_retries
from messaging.dynamodb.scan import Scan, segments_for
from messaging.dynamodb.table import MessageTable
from messaging.dynamodb.tables import Table

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
        own = MessageTable(self.client, self.name)
        for page in own.partition_pages(MESSAGE_PREFIX + group, attempt=with_retries):
            yield from (each for each in map(self._known, page.items) if isinstance(each, LegacyMessage))

    def _known(self, item: Item) -> LegacyMessage | LegacyEntry | UnknownItem:
        known = read_item(item)
        if isinstance(known, NotTheLegacyLayout):
            raise WrongTable(
                f"The table {self.name} holds conversations of this system, not of the old one: nothing was written."
            )
        return known
