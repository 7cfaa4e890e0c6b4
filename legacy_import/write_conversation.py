"""Write one conversation or complete it; write nothing twice, whatever exists and wherever an earlier run ended.

A message exists if one with the same sender and message_uuid does. For a new conversation the messages are written
first, then its own item and the entries together, so that readers never see an incomplete one.

An existing conversation (the two have chatted here before, or the old system went on after the last import) gets the
missing messages inserted in order. Numbers, conversation and entries are then repaired as `ddb_reconcile` does it,
which is safe while people chat.

Everything imported counts as read: the old system does not record what was.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import takewhile
from uuid import UUID

from messaging.domain.entities import Conversation, Message
from messaging.domain.timestamps import format_created_at
from messaging.domain.transitions import conversation_from_messages, entry_from_conversation
from messaging.dynamodb.bulk import BulkWriter, Stopped
from messaging.dynamodb.codec import message_from, message_item
from messaging.dynamodb.keys import conversation_key
from messaging.dynamodb.malformed import MalformedItem, readable
from messaging.dynamodb.retry import with_retries
from messaging.dynamodb.table import ConversationMoved, MessageTable, optimistically
from messaging.operations.consistency.comparison import Snapshot, problems
from messaging.operations.consistency.recheck import Recheck
from messaging.operations.consistency.snapshot_reader import SnapshotReader

from .merge_conversations import fitted_in

ATTEMPTS = 5
"""Each failed attempt means that the two wrote to each other at the same moment."""
AT_THIS_MOMENT = timedelta(minutes=15)
"""Older messages cannot be concurrent sends, whatever the clocks; newer ones are only written with a condition."""


class Unrepaired(Exception):
    """The existing conversation is damaged in a way that `ddb_reconcile` cannot repair. The argument says how."""


@dataclass(frozen=True, slots=True)
class WriteResult:
    """The result of writing a conversation."""

    written: int
    """Messages that were missing."""
    found: int
    """Messages that existed."""
    is_new: bool


@dataclass(slots=True)
class ConversationWriter:
    """Writes conversations to the table, from any number of threads; `dry_run` only reports what would be written."""

    writer: BulkWriter
    now: datetime
    dry_run: bool = False

    @property
    def table(self) -> MessageTable:
        return self.writer.table

    def conversation(
        self, messages: Sequence[Message], *, members: frozenset[UUID], left: AbstractSet[UUID]
    ) -> WriteResult:
        """Store these messages, all of one conversation of these two, of which some may have left for good.

        Raises Unavailable, Stopped, and Unrepaired.
        """
        group_uuid = messages[0].group_uuid

        def write(found: tuple[Snapshot, list[Message]], _attempt: int) -> WriteResult:
            look, there = found
            known = {(message.user_uuid, message.message_uuid) for message in there}
            missing = [each for each in messages if (each.user_uuid, each.message_uuid) not in known]
            arrived = WriteResult(len(missing), len(messages) - len(missing), is_new=look.item is None)
            if self.dry_run:
                return arrived
            together = fitted_in(missing, there)
            if look.item is None:
                is_done = self._begin(together, there, members, left)
            else:
                is_done = self._complete(look, together, there)
            if not is_done:
                raise ConversationMoved(look.conversation)
            self._note_as_read(messages, members)
            return arrived

        return optimistically(
            write, self._look(group_uuid), read_again=lambda _: self._look(group_uuid), attempts=ATTEMPTS
        )

    def _look(self, group_uuid: UUID) -> tuple[Snapshot, list[Message]]:
        """Read the conversation, its entries and all of its messages."""
        reads, look, there = SnapshotReader(self.table), Snapshot(group_uuid), list[Message]()
        look.set_item(reads.item(conversation_key(group_uuid)))
        for item in reads.messages(group_uuid):
            look.running.add(item)
            try:
                there.append(message_from(item))
            except MalformedItem as error:
                raise Unrepaired(f"{error.attribute} {error.why} in the message at {error.sk} of it here") from None
        if look.item is not None:
            reads.read_entries([look])
            reads.read_positions([look])
        return look, there

    def _begin(
        self,
        messages: Sequence[Message],
        there: Sequence[Message],
        members: frozenset[UUID],
        left: AbstractSet[UUID],
    ) -> bool:
        """Write a new conversation of these messages; return False if one was created meanwhile."""
        stored, keys = set(there), {message.created_at for message in there}
        changed = [message for message in messages if message not in stored]
        # Batch writes cannot have conditions.
        recent = format_created_at(self.now - AT_THIS_MOMENT)
        by_itself = [each for each in changed if each.created_at > recent and each.created_at not in keys]
        self.writer.put(message_item(message) for message in changed if message not in by_itself)
        if not all(map(self._put_new, by_itself)):
            return False
        conversation = conversation_from_messages(messages, member_uuids=members)
        conversation = replace(conversation, left_uuids=frozenset(left & members))
        newest = messages[-1]
        entries = [
            replace(entry_from_conversation(conversation, member), read_seq=newest.seq, read_sk=newest.created_at)
            for member in sorted(members - left)
        ]
        try:
            with_retries(lambda: self.table.create(conversation, None, entries))
        except ConversationMoved as moved:
            if moved.now is not None:
                return False
            # Entries without a conversation, left by something else.
            return self._begin_beside_entries(conversation)
        return True

    def _begin_beside_entries(self, conversation: Conversation) -> bool:
        try:
            with_retries(lambda: self.table.create(conversation, None, ()))
        except ConversationMoved:
            return False
        self._repair(conversation.group_uuid, conversation.version)
        return True

    def _complete(self, look: Snapshot, messages: Sequence[Message], there: Sequence[Message]) -> bool:
        """Insert missing messages into an existing conversation, and repair what follows from them.

        Return False when another message took the place of one meanwhile.
        """
        keys = {message.created_at for message in there}
        missing = [message for message in messages if message.created_at not in keys]
        version = look.conversation.version if look.conversation else 0
        if not all(map(self._put_new, missing)):
            return False
        if missing or problems(look, settled_version=version):
            self._repair(look.group_uuid, version)
        return True

    def _put_new(self, message: Message) -> bool:
        """Store a message unless one exists at its time. 1 call."""
        if self.writer.stop.is_set():
            raise Stopped
        return with_retries(lambda: self.table.put_new_message(message))

    def _repair(self, group_uuid: UUID, version: int) -> None:
        found = with_retries(lambda: Recheck(self.table).conversation(group_uuid, version))
        if wrong := [each for each in found if not each.repaired]:
            raise Unrepaired(wrong[0].what)

    def _note_as_read(self, messages: Sequence[Message], members: frozenset[UUID]) -> None:
        """Mark the imported messages as read for everyone.

        Members have read at least up to the last imported message before any message written here. A position one lower
        comes from "Mark unread" and stays.
        """
        group_uuid = messages[0].group_uuid
        imported = {message.message_uuid for message in messages}
        entries = with_retries(lambda: self.table.entries(group_uuid, members))
        behind = [entry for entry in entries if entry.read_seq < len(messages) - 1]
        if not behind:
            return
        stored = readable(SnapshotReader(self.table).messages(group_uuid), message_from)
        before_all = list(takewhile(lambda message: message.message_uuid in imported, stored))
        for entry in behind:
            if before_all and entry.read_seq < before_all[-1].seq - 1:
                self._mark_read(entry.user_uuid, before_all[-1])

    def _mark_read(self, user_uuid: UUID, message: Message) -> None:
        with_retries(lambda: self.table.mark_read(user_uuid, message))
