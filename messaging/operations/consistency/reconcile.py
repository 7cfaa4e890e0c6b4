"""Compare every conversation with its messages and every entry with its conversation, and repair the differences.

Safe while people chat: suspected problems are checked again `SETTLE_SECONDS` later, when pending updates have arrived,
and each repair is a conditional write (`repairs`).

Memory holds a page of the table, never more than a page of one conversation's messages. The whole table costs one scan,
2 RCU per entry (itself and its conversation), and 1 RCU per entry that names another message as read than the newest. A
suspected conversation is read once or twice more.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

from messaging.dynamodb.codec import Item, key_of
from messaging.dynamodb.keys import CONVERSATION_SK, conversation_key, group_pk
from messaging.dynamodb.metering import metered, total
from messaging.dynamodb.table import MessageTable

from .comparison import BY_HAND, Snapshot, problems
from .findings import Finding, Kind
from .recheck import Recheck, may_hold
from .snapshot_reader import EntryOwner, ScanCursor, SnapshotReader, key_uuid, owner_of

SETTLE_SECONDS = 1.0
"""Delay before the second check.

Entries follow the stream, and the items of a transaction may become visible one by one.
"""

WHOLE_TABLE = ScanCursor(segment=0, segments=1)

Page = TypeVar("Page")


@dataclass(slots=True)
class Reconciliation:
    """One run: iterate one of `of_table`, `of_user`, `of_group`, which yield each finding once it is handled."""

    table: MessageTable
    dry_run: bool = False
    delete_strays: bool = False
    advance: Callable[[int], object] = int
    """Called with the number of the table's items, or the user's entries, that were processed."""
    sleep: Callable[[float], object] = time.sleep
    cursor: str | None = None
    """Where another run can continue if this one stops now; None at the beginning and the end."""
    compared: Counter[str] = field(default_factory=Counter)
    """Numbers of conversations, messages and entries."""
    read_units: float = 0.0
    """Read units as reported by DynamoDB."""

    @property
    def reads(self) -> SnapshotReader:
        return SnapshotReader(self.table)

    @property
    def settling(self) -> Recheck:
        return Recheck(self.table, dry_run=self.dry_run, delete_strays=self.delete_strays, sleep=self.sleep)

    def of_table(self, place: ScanCursor = WHOLE_TABLE) -> Iterator[Finding]:
        """Compare everything after this cursor position; `parse_cursor` reads one from text."""
        self.cursor = str(place) if place.segment or place.pk else None
        looks: list[Snapshot] = []
        for items, following in self._metered(self.reads.table_pages(place)):
            holders, malformed = self._sort(items, looks)
            yield from malformed
            # A conversation may continue on the next page.
            goes_on = bool(looks and following and following.pk == group_pk(looks[-1].group_uuid))
            finished = looks[:-1] if goes_on else looks[:]
            del looks[: len(finished)]
            self.reads.read_entries(finished)
            self.reads.read_positions(finished)
            yield from self._of_page(finished, holders)
            self.advance(len(items))
            self.cursor = str(following) if following else None

    def of_user(self, user_uuid: UUID, after: str | None = None) -> Iterator[Finding]:
        """Compare a user's entries after a sort key, and their conversations. The cursor is a sort key.

        Conversations in which the user's entry is missing are not found.
        """
        self.cursor = after
        for items, last_sk in self._metered(self.reads.entry_pages(user_uuid, after)):
            holders, malformed = self._sort(items, [])
            yield from malformed
            looks = (self.reads.look(holder.group_uuid) for holder in holders)
            yield from self._of_page(looks, holders)
            self.advance(len(items))
            self.cursor = last_sk

    def of_group(self, group_uuid: UUID) -> Iterator[Finding]:
        """Compare one conversation and all entries of it."""
        for holders in self._metered(self.reads.holder_pages(group_uuid)):
            yield from self._of_page([self.reads.look(group_uuid)], holders)
            self.advance(len(holders))

    def _metered(self, pages: Iterator[Page]) -> Iterator[Page]:
        """Yield the pages, and count the read units of fetching and processing each."""
        while True:
            with metered(self.table.client) as requests:
                try:
                    yield next(pages)
                except StopIteration:
                    return
                finally:
                    self.read_units += total(requests).read_units

    def _sort(self, items: Iterable[Item], looks: list[Snapshot]) -> tuple[list[EntryOwner], list[Finding]]:
        """Add a page's items to its snapshots; return the owners of entries, and findings for unknown items."""
        holders: list[EntryOwner] = []
        malformed: list[Finding] = []
        for item in items:
            pk, sk = key_of(item)
            if group_uuid := key_uuid(pk, group_pk):
                if not looks or looks[-1].group_uuid != group_uuid:
                    looks.append(Snapshot(group_uuid))
                if sk == CONVERSATION_SK:
                    looks[-1].set_item(item)
                else:
                    looks[-1].running.add(item)
            elif holder := owner_of(item):
                holders.append(holder)
            else:
                malformed.append(Finding(Kind.MALFORMED, pk, sk, "its keys are those of no item", BY_HAND))
        return holders, malformed

    def _of_page(self, looks: Iterable[Snapshot], holders: Sequence[EntryOwner]) -> Iterator[Finding]:
        """Yield the findings for the snapshots and entry owners of a page."""
        suspects: dict[UUID, int] = {}
        for look in looks:
            self.compared.update(conversations=int(look.item is not None), messages=look.running.count)
            version = look.conversation.version if look.conversation else 0
            if problems(look, settled_version=version):
                suspects[look.group_uuid] = version
        self.compared.update(entries=len(holders))
        strays = self._strays(holders)
        if suspects or strays:
            self.sleep(SETTLE_SECONDS)
        for group_uuid, version in suspects.items():
            yield from self.settling.conversation(group_uuid, version)
        for holder in strays:
            yield from self.settling.stray(holder)

    def _strays(self, holders: Sequence[EntryOwner]) -> list[EntryOwner]:
        """Return the owners who may not be members."""
        groups = {holder.group_uuid for holder in holders}
        found = self.reads.items(conversation_key(group_uuid) for group_uuid in groups)
        keys = {group_uuid: (group_pk(group_uuid), CONVERSATION_SK) for group_uuid in groups}
        return [holder for holder in holders if not may_hold(holder, found.get(keys[holder.group_uuid]))]
