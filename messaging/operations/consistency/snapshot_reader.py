"""The reads of a reconciliation: pages of the table, and conversations with their messages and entries.

All are strongly consistent but the one of an index. Throttling is waited for (`patiently`); in the end each may raise
Unavailable. None holds more than a page of messages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from messaging.dynamodb.client import translated_errors
from messaging.dynamodb.codec import Item
from messaging.dynamodb.items import CONVERSATION_SK, conversation_key, entry_key, group_pk, key, message_key
from messaging.dynamodb.items import user_pk as pk_of_user
from messaging.dynamodb.malformed import MalformedItem
from messaging.dynamodb.requests import batch_get, get
from messaging.dynamodb.retry import patiently
from messaging.dynamodb.table import MessageTable
from messaging.dynamodb.table_definition import GROUP_INDEX

from .comparison import Snapshot, position_of

BATCH = 100
"""Keys that BatchGetItem takes."""
BEFORE_ALL = " "
"""Sorts before the sort keys of a partition, whatever it holds."""
CATCH_UPS = 10
"""How often the messages that came while others were read are read as well."""
ENTRIES_A_PAGE = 100
MESSAGES_A_PAGE = 1000
"""Half of a MB. Without a limit DynamoDB Local sorts the whole conversation for every page: 10 s for 100,000."""
UUID_CHARS = 36

Key = tuple[str, str]


class EntryOwner(NamedTuple):
    """Somebody who has an entry of a group."""

    user_uuid: UUID
    group_uuid: UUID


class ScanCursor(NamedTuple):
    """A partition in one of the segments in which a table is read, or the beginning of the segment."""

    segment: int
    """From 0."""
    segments: int
    pk: str | None = None

    def __str__(self) -> str:
        """As in `3/40` or `3/40/MSG#…`; `parse_cursor` reads it."""
        return "/".join(map(str, self if self.pk else self[:2]))


def parse_cursor(text: str) -> ScanCursor:
    """The place that is written so. Raises ValueError when it is none."""
    segment, segments, *pk = text.split("/", 2)
    place = ScanCursor(int(segment), int(segments), pk[0] if pk and pk[0] else None)
    if not 0 <= place.segment < place.segments:
        msg = f"there is no segment {segment} of {segments}"
        raise ValueError(msg)
    return place


@dataclass(frozen=True, slots=True)
class SnapshotReader:
    """What a reconciliation reads of one table."""

    table: MessageTable

    def table_pages(self, place: ScanCursor) -> Iterator[tuple[Sequence[Item], ScanCursor | None]]:
        """All items from a place on, by pages of 1 MB; with each the place where it goes on, None with the last.

        A partition's items come together, sorted by key: its conversation first, then its messages; a page may end
        among them. 1 RCU for 4 KB.
        """
        for segment in range(place.segment, place.segments):
            first_pk = place.pk if segment == place.segment else None
            part = {"Segment": segment, "TotalSegments": place.segments}
            for page in self._pages(
                "scan", key(first_pk, BEFORE_ALL) if first_pk else None, ConsistentRead=True, **part
            ):
                if "LastEvaluatedKey" in page:
                    yield page["Items"], ScanCursor(segment, place.segments, page["LastEvaluatedKey"]["pk"]["S"])
                else:
                    yield (
                        page["Items"],
                        ScanCursor(segment + 1, place.segments) if segment + 1 < place.segments else None,
                    )

    def entry_pages(self, user_uuid: UUID, after: str | None) -> Iterator[tuple[Sequence[Item], str | None]]:
        """A person's entries after a sort key, by pages; with each its last sort key, None with the last."""
        for page in self._partition(pk_of_user(user_uuid), after, Limit=ENTRIES_A_PAGE):
            yield page["Items"], page["LastEvaluatedKey"]["sk"]["S"] if "LastEvaluatedKey" in page else None

    def look(self, group_uuid: UUID) -> Snapshot:
        """A conversation as it is now: 1 RCU for 4 KB of messages, and 1 for itself, each entry and read position."""
        look = Snapshot(group_uuid)
        look.set_item(self.item(conversation_key(group_uuid)))
        before = look.conversation
        self._add_messages(look)
        # The entries before the conversation is read again: no entry can then be newer than what it is compared with.
        self.read_entries([look])
        for _ in range(CATCH_UPS):
            look.set_item(self.item(conversation_key(group_uuid)))
            caught_up = look.conversation is None or look.conversation.last_sk <= look.running.last_sk
            if caught_up or not self._add_messages(look):
                break
        look.quiet = before == look.conversation
        self.read_positions([look])
        return look

    def read_entries(self, looks: Sequence[Snapshot]) -> None:
        """Put into each look the entries of its members; of everybody who has one when the conversation is missing."""
        wanted = {look.group_uuid: self._who_should_have(look) for look in looks}
        found = self.items(entry_key(user, group) for group, users in wanted.items() for user in users)
        for look in looks:
            keys = {user: (pk_of_user(user), str(look.group_uuid)) for user in wanted[look.group_uuid]}
            look.entries = {user: found[key] for user, key in keys.items() if key in found}

    def read_positions(self, looks: Sequence[Snapshot]) -> None:
        """Put into each look the messages that its entries name as read, unless that is the newest."""
        wanted = {look.group_uuid: set(_named_as_read(look)) for look in looks}
        found = self.items(message_key(group, created_at) for group, named in wanted.items() for created_at in named)
        for look in looks:
            keys = {created_at: (group_pk(look.group_uuid), created_at) for created_at in wanted[look.group_uuid]}
            look.read = {created_at: found[key] for created_at, key in keys.items() if key in found}

    def messages(self, group_uuid: UUID, *, after: str = "") -> Iterator[Item]:
        """Everything in a conversation but its own item, in order, read while it is taken; 1 RCU for 4 KB."""
        # Not from the first sort key of a message on: what is malformed may stand before that.
        for page in self._partition(group_pk(group_uuid), after, Limit=MESSAGES_A_PAGE):
            yield from (item for item in page["Items"] if item["sk"]["S"] != CONVERSATION_SK)

    def holder_pages(self, group_uuid: UUID) -> Iterator[list[EntryOwner]]:
        """Who has an entry of this group, by the index: it may lag behind what was written a moment ago."""
        for page in self._pages(
            "query",
            None,
            IndexName=GROUP_INDEX,
            KeyConditionExpression="message_group_uuid = :group",
            ExpressionAttributeValues={":group": {"S": str(group_uuid)}},
        ):
            holders = filter(None, map(owner_of, page["Items"]))
            yield [holder for holder in holders if holder.group_uuid == group_uuid]

    def is_empty(self, group_uuid: UUID) -> bool:
        """Whether there is neither a conversation nor a message; 1 RCU."""
        return not next(self._partition(group_pk(group_uuid), None, Limit=1))["Items"]

    def item(self, item_key: dict[str, Any]) -> Item | None:
        return patiently(lambda: get(self.table.client, self.table.name, item_key))

    def items(self, keys: Iterable[dict[str, Any]]) -> dict[Key, Item]:
        """The items there are of these keys, by key; 1 RCU each."""
        wanted = list(keys)
        found: dict[Key, Item] = {}
        for first in range(0, len(wanted), BATCH):
            batch = wanted[first : first + BATCH]
            items = patiently(lambda batch=batch: list(batch_get(self.table.client, self.table.name, batch)))  # type: ignore[misc]
            found |= {(item["pk"]["S"], item["sk"]["S"]): item for item in items}
        return found

    def _add_messages(self, look: Snapshot) -> bool:
        """Add the messages that follow those it has; False when there are none."""
        last_sk = look.running.last_sk
        for item in self.messages(look.group_uuid, after=last_sk):
            look.running.add(item)
        return look.running.last_sk != last_sk

    def _who_should_have(self, look: Snapshot) -> Iterable[UUID]:
        if look.conversation:
            return look.conversation.member_uuids
        # Missing, or its members cannot be read: those who have entries may tell.
        return [holder.user_uuid for page in self.holder_pages(look.group_uuid) for holder in page]

    def _partition(self, pk: str, after: str | None, **how: Any) -> Iterator[Any]:
        return self._pages(
            "query",
            key(pk, after) if after else None,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": pk}},
            **how,
        )

    def _pages(self, operation: str, start: Any, **how: Any) -> Iterator[Any]:
        request = {"TableName": self.table.name, **how, **({"ExclusiveStartKey": start} if start else {})}

        def ask() -> Any:
            with translated_errors():
                return getattr(self.table.client, operation)(**request)

        while True:
            page = patiently(ask)
            yield page
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def owner_of(item: Item) -> EntryOwner | None:
    """Whose entry this is; None when its keys are no entry's."""
    user, group = key_uuid(item["pk"]["S"], pk_of_user), key_uuid(item["sk"]["S"], str)
    return EntryOwner(user, group) if user and group else None


def key_uuid(text: str, write: Callable[[UUID], str]) -> UUID | None:
    """The uuid that `write` turns into this key; None when there is none."""
    try:
        value = UUID(text[-UUID_CHARS:])
    except ValueError:
        return None
    return value if write(value) == text else None


def _named_as_read(look: Snapshot) -> Iterator[str]:
    for item in look.entries.values():
        try:
            position = position_of(item)
        except MalformedItem:
            continue
        if look.conversation and position and position != (look.conversation.seq, look.conversation.last_sk):
            yield position[1]
