"""Check suspected problems again, and repair them until they are fixed or cannot be.

Each repair is conditional and fails if the item changed since it was read. After each repair everything is read and
compared again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from uuid import UUID

from messaging.domain.entities import Conversation, Message
from messaging.dynamodb.codec import Item, key_of, message_from, moment_at, number_at
from messaging.dynamodb.keys import CONVERSATION_SK, conversation_key, entry_key, group_pk
from messaging.dynamodb.keys import user_pk as pk_of_user
from messaging.dynamodb.malformed import MalformedItem
from messaging.dynamodb.repairs import Repairs
from messaging.dynamodb.retry import with_retries
from messaging.dynamodb.table import MessageTable

from .comparison import (
    Snapshot,
    legible,
    newer_version,
    own_as_it_should_be,
    position_of,
    problems,
    rebuilt,
    wrong_numbers,
)
from .findings import Finding, Kind
from .snapshot_reader import EntryOwner, SnapshotReader

ATTEMPTS = 10
BETWEEN_SECONDS = 0.1
"""How long to wait before reading a conversation again that changed while it was read."""
CONSENT = "add --delete-strays to delete it"
CHANGING = "the conversation changed at every attempt: run this again"


@dataclass(frozen=True, slots=True)
class Recheck:
    """`dry_run` repairs nothing. Stray entries are deleted only with `delete_strays`."""

    table: MessageTable
    dry_run: bool = False
    delete_strays: bool = False
    sleep: Callable[[float], object] = time.sleep

    @property
    def reads(self) -> SnapshotReader:
        return SnapshotReader(self.table)

    @property
    def repairs(self) -> Repairs:
        return Repairs(self.table)

    def conversation(self, group_uuid: UUID, settled_version: int) -> list[Finding]:
        """Find and repair the problems of a conversation and its members' entries; report which are repaired.

        Entries must have at least `settled_version`. Problems that a repair reveals are reported, too, except entries
        that only have to follow the rewritten conversation.
        """
        found: dict[object, Finding] = {}
        left: dict[object, Finding] = {}
        rewritten = False
        for _ in range(ATTEMPTS):
            look = self.reads.look(group_uuid)
            if rewritten and look.conversation:
                settled_version = look.conversation.version
            wrong = problems(look, settled_version=settled_version)
            if wrong and not look.quiet:
                left = found or {Kind.UNSETTLED: _unsettled(group_uuid)}
                self.sleep(BETWEEN_SECONDS)
                continue
            left = {each.identity: each for each in wrong}
            for each in wrong:
                if not (rewritten and each.kind == Kind.ENTRY_BEHIND):
                    found.setdefault(each.identity, each)
            if self.dry_run or all(each.obstacle for each in wrong):
                break
            rewritten = self._repair(look, wrong) or rewritten
        else:
            found = {**found, **{key: replace(each, obstacle=CHANGING) for key, each in left.items()}}
        return [each if key in left else replace(each, repaired=True, obstacle="") for key, each in found.items()]

    def stray(self, holder: EntryOwner) -> list[Finding]:
        """Report an entry whose owner is not a member, or whose group does not exist; delete it if that is allowed."""
        keys = conversation_key(holder.group_uuid), entry_key(*holder)
        found = self.reads.items(keys)
        entry = found.get((pk_of_user(holder.user_uuid), str(holder.group_uuid)))
        item = found.get((group_pk(holder.group_uuid), CONVERSATION_SK))
        repaired: list[Finding] = []
        if item is None and not self.reads.is_empty(holder.group_uuid):
            # Problems that cannot be repaired are reported where the group's messages are read.
            if not self.dry_run:
                repaired = [each for each in self.conversation(holder.group_uuid, 0) if each.repaired]
            item = self.reads.item(conversation_key(holder.group_uuid))
            if item is None:
                return repaired
        if entry is None or may_hold(holder, item):
            return repaired
        what = "it is the entry of somebody who is no member" if item else "its group has no conversation, no messages"
        stray = Finding(Kind.ENTRY_STRAY, *key_of(entry), what)
        return [*repaired, self._without_stray(stray, entry, holder)]

    def _without_stray(self, stray: Finding, entry: Item, holder: EntryOwner) -> Finding:
        if not self.delete_strays:
            return replace(stray, obstacle=CONSENT)
        if self.dry_run:
            return stray
        deleted = self.repairs.delete_stray(entry, *holder)
        return replace(stray, repaired=deleted, obstacle="" if deleted else CHANGING)

    def _repair(self, look: Snapshot, wrong: Sequence[Finding]) -> bool:
        """Repair what this snapshot allows; return whether the conversation's item was written."""
        for each in wrong:
            if each.obstacle:
                continue
            if each.kind == Kind.NUMBERS_WRONG:
                for item, seq in wrong_numbers(self.reads.messages(look.group_uuid)):
                    self.repairs.number_message(item, seq)
            elif look.conversation is None or each.kind in (Kind.CONVERSATION_DIFFERS, Kind.ENTRY_AHEAD):
                return self._write_conversation(look, each.kind)
            else:
                self._repair_entry(look, look.conversation, each)
        return False

    def _write_conversation(self, look: Snapshot, kind: Kind) -> bool:
        if look.item is None:
            return self.repairs.make_conversation(rebuilt(look))
        if look.conversation is None:
            return self.repairs.rewrite_conversation(look.item, rebuilt(look), with_members=True)
        ahead = replace(look.conversation, version=newer_version(look))
        return self.repairs.rewrite_conversation(look.item, ahead if kind == Kind.ENTRY_AHEAD else rebuilt(look))

    def _repair_entry(self, look: Snapshot, conversation: Conversation, wrong: Finding) -> None:
        member = UUID(wrong.pk.removeprefix("GRP#"))
        item = look.entries.get(member)
        if item is None or wrong.kind == Kind.ENTRY_BEHIND:
            self.repairs.project(conversation, member)
        elif wrong.kind == Kind.ENTRY_DIFFERS:
            self.repairs.copy_again(item, conversation, member)
        elif wrong.kind == Kind.CHOICE_WRONG:
            self.repairs.set_own(item, own_as_it_should_be(conversation, member, item))
        else:
            self.repairs.set_position(item, self._newest_read(look, item))

    def _newest_read(self, look: Snapshot, item: Item) -> Message | None:
        """Return the message that an entry names as read, or else the newest before that time; None without one."""
        try:
            position = position_of(item)
        except MalformedItem:
            position = None
        if position is None:
            return self._read_by_halves(look, item)
        created_at = position[1]
        if created_at in look.read:
            return message_from(look.read[created_at])
        return self._at_or_before(look, created_at)

    def _read_by_halves(self, look: Snapshot, item: Item) -> Message | None:
        """Return the message named by the readable half of a position: its time or its number."""
        with suppress(MalformedItem):
            return self._at_or_before(look, moment_at(item, "read_sk"))
        with suppress(MalformedItem):
            seq = number_at(item, "read_seq")
            numbered = islice(self.reads.messages(look.group_uuid), max(0, seq - 1), seq)
            return next(map(message_from, numbered), None)
        return None

    def _at_or_before(self, look: Snapshot, created_at: str) -> Message | None:
        at = with_retries(lambda: self.table.message(look.group_uuid, created_at))
        older = [at] if at else with_retries(lambda: self.table.messages_before(look.group_uuid, created_at, limit=1))
        return older[0] if older else None


def may_hold(holder: EntryOwner, item: Item | None) -> bool:
    """Return whether an entry belongs to a member of the conversation; True if its item cannot be parsed."""
    conversation = legible(item)[0] if item else None
    return holder.user_uuid in conversation.member_uuids if conversation else item is not None


def _unsettled(group_uuid: UUID) -> Finding:
    what = "it could not be compared with its messages"
    return Finding(Kind.UNSETTLED, group_pk(group_uuid), CONVERSATION_SK, what)
