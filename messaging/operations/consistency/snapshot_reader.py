"""Read pages of the table, and conversations with their messages and entries, for a reconciliation.

All reads are strongly consistent except those of an index. Throttled reads are retried (`with_retries`); in the end
each may raise Unavailable. None holds more than a page of messages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from messaging.dynamodb.codec import Item, key_of
from messaging.dynamodb.keys import CONVERSATION_SK, conversation_key, entry_key, group_pk, message_key
from messaging.dynamodb.keys import user_pk as pk_of_user
from messaging.dynamodb.malformed import MalformedItem
from messaging.dynamodb.paginate import Page
from messaging.dynamodb.retry import with_retries
from messaging.dynamodb.table import MessageTable

from .comparison import Snapshot, position_of

BATCH = 100
"""The number of keys that BatchGetItem accepts."""
BEFORE_ALL = " "
"""Sorts before all sort keys of a partition."""
CATCH_UPS = 10
"""How often messages that arrived during a read are read as well."""
ENTRIES_A_PAGE = 100
MESSAGES_A_PAGE = 1000
"""Half of a MB. Without a limit DynamoDB Local sorts the whole conversation for every page: 10 s for 100,000."""
UUID_CHARS = 36

Key = tuple[str, str]


class EntryOwner(NamedTuple):
    """A user with an entry for a group."""

    user_uuid: UUID
    group_uuid: UUID


class ScanCursor(NamedTuple):
    """A partition in a segment of the table scan, or the beginning of the segment."""

    segment: int
    """The segment's index, from 0."""
    segments: int
    pk: str | None = None

    def __str__(self) -> str:
        """Format the cursor as in `3/40` or `3/40/MSG#…`; `parse_cursor` reads it."""
        return "/".join(map(str, self if self.pk else self[:2]))


def parse_cursor(text: str) -> ScanCursor:
    """Parse a cursor. Raises ValueError."""
    segment, segments, *pk = text.split("/", 2)
    place = ScanCursor(int(segment), int(segments), pk[0] if pk and pk[0] else None)
    if not 0 <= place.segment < place.segments:
        msg = f"there is no segment {segment} of {segments}"
        raise ValueError(msg)
    return place


@dataclass(frozen=True, slots=True)
class SnapshotReader:
    """Reads one table for a reconciliation."""

    table: MessageTable

    def table_pages(self, place: ScanCursor) -> Iterator[tuple[Sequence[Item], ScanCursor | None]]:
        """Yield all items after a cursor in pages of 1 MB, each with the next cursor, None with the last.

        A partition's items come together, sorted by key: its conversation first, then its messages; a page may end
        between them. 1 RCU per 4 KB.
        """
        for segment in range(place.segment, place.segments):
            after = (place.pk, BEFORE_ALL) if place.pk and segment == place.segment else None
            for page in self.table.segment_pages(segment, place.segments, after=after, attempt=with_retries):
                if page.following:
                    yield page.items, ScanCursor(segment, place.segments, key_of(page.following)[0])
                else:
                    yield page.items, ScanCursor(segment + 1, place.segments) if segment + 1 < place.segments else None

    def entry_pages(self, user_uuid: UUID, after: str | None) -> Iterator[tuple[Sequence[Item], str | None]]:
        """Yield a user's entries after a sort key in pages, each with its last sort key, None with the last."""
        for page in self._partition(pk_of_user(user_uuid), after, ENTRIES_A_PAGE):
            yield page.items, key_of(page.following)[1] if page.following else None

    def look(self, group_uuid: UUID) -> Snapshot:
        """Read a conversation: 1 RCU per 4 KB of messages, and 1 for itself, each entry and each read position."""
        look = Snapshot(group_uuid)
        look.set_item(self.item(conversation_key(group_uuid)))
        before = look.conversation
        self._add_messages(look)
        # Read the entries before the conversation is read again, so that none is newer than what it is compared with.
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
        """Add the members' entries to each snapshot; all entries if the conversation is missing."""
        wanted = {look.group_uuid: self._who_should_have(look) for look in looks}
        found = self.items(entry_key(user, group) for group, users in wanted.items() for user in users)
        for look in looks:
            keys = {user: (pk_of_user(user), str(look.group_uuid)) for user in wanted[look.group_uuid]}
            look.entries = {user: found[key] for user, key in keys.items() if key in found}

    def read_positions(self, looks: Sequence[Snapshot]) -> None:
        """Add the messages that entries name as read to each snapshot, except the newest."""
        wanted = {look.group_uuid: set(_named_as_read(look)) for look in looks}
        found = self.items(message_key(group, created_at) for group, named in wanted.items() for created_at in named)
        for look in looks:
            keys = {created_at: (group_pk(look.group_uuid), created_at) for created_at in wanted[look.group_uuid]}
            look.read = {created_at: found[key] for created_at, key in keys.items() if key in found}

    def messages(self, group_uuid: UUID, *, after: str = "") -> Iterator[Item]:
        """Yield a conversation's items except its own in order, lazily; 1 RCU per 4 KB."""
        # Start before the first valid sort key of a message: malformed items may sort before it.
        for page in self._partition(group_pk(group_uuid), after, MESSAGES_A_PAGE):
            yield from (item for item in page.items if key_of(item)[1] != CONVERSATION_SK)

    def holder_pages(self, group_uuid: UUID) -> Iterator[list[EntryOwner]]:
        """Yield the owners of a group's entries from the index, which may lag behind recent writes."""
        for page in self.table.group_entry_pages(group_uuid, attempt=with_retries):
            holders = filter(None, map(owner_of, page.items))
            yield [holder for holder in holders if holder.group_uuid == group_uuid]

    def is_empty(self, group_uuid: UUID) -> bool:
        """Return whether there is neither a conversation nor a message; 1 RCU."""
        return not next(self._partition(group_pk(group_uuid), None, 1)).items

    def item(self, item_key: dict[str, Any]) -> Item | None:
        return with_retries(lambda: self.table.item(item_key))

    def items(self, keys: Iterable[dict[str, Any]]) -> dict[Key, Item]:
        """Return the existing items of these keys, by key; 1 RCU each."""
        wanted = list(keys)
        found: dict[Key, Item] = {}
        for first in range(0, len(wanted), BATCH):
            batch = wanted[first : first + BATCH]
            found |= with_retries(partial(self.table.items, batch))
        return found

    def _add_messages(self, look: Snapshot) -> bool:
        """Add the messages after the last one added; return False if there are none."""
        last_sk = look.running.last_sk
        for item in self.messages(look.group_uuid, after=last_sk):
            look.running.add(item)
        return look.running.last_sk != last_sk

    def _who_should_have(self, look: Snapshot) -> Iterable[UUID]:
        if look.conversation:
            return look.conversation.member_uuids
        # The conversation is missing or its members cannot be parsed: use the owners of entries.
        return [holder.user_uuid for page in self.holder_pages(look.group_uuid) for holder in page]

    def _partition(self, pk: str, after: str | None, limit: int) -> Iterator[Page]:
        return self.table.partition_pages(pk, after=after, limit=limit, attempt=with_retries)


def owner_of(item: Item) -> EntryOwner | None:
    """Return the owner of an entry; None if the keys are not those of an entry."""
    pk, sk = key_of(item)
    user, group = key_uuid(pk, pk_of_user), key_uuid(sk, str)
    return EntryOwner(user, group) if user and group else None


def key_uuid(text: str, write: Callable[[UUID], str]) -> UUID | None:
    """Return the uuid that `write` turns into this key; None if there is none."""
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
