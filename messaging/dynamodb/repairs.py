"""Repair items with conditional writes: one request each, which fails if the item changed since it was read.

Concurrent sends, edits, reads and projections win: the repair returns False, and the caller decides again. Throttled
writes are retried; in the end each may raise Unavailable. Only `set_position` and `set_own` touch a member's own
attributes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from messaging.domain.entities import Conversation, Message
from messaging.domain.transitions import entry_from_conversation

from .codec import REQUEST_ID, Item, conversation_item, entry_item, number, text, uuid_bytes
from .keys import conversation_key
from .requests import TransactionRefused, conditional_write, transact
from .retry import with_retries
from .table import MessageTable

OWN = ("inbox", "read_seq", "read_sk", "muted_until")
"""A member's own attributes of an entry, which are not copied from the conversation."""
READ_AGAIN = ("version", "seq", "last_sk")
"""The attributes of a conversation that every write to it changes."""


@dataclass(frozen=True, slots=True)
class Repairs:
    """Writes repairs to one table."""

    table: MessageTable

    def make_conversation(self, conversation: Conversation) -> bool:
        """Store a conversation unless one exists. 1 call."""
        return with_retries(lambda: self.table.put_new(conversation_item(conversation)))

    def rewrite_conversation(self, item: Item, conversation: Conversation, *, with_members: bool = False) -> bool:
        """Write the attributes that follow from the messages, and the version; keep the others. 1 call.

        `with_members` also writes the members, for an item whose own cannot be parsed. The request id is removed,
        because no request wrote the item.
        """
        written = conversation_item(conversation)
        stays = {"pk", "sk", "member_uuids", "left_uuids", "blocked_by", "awaiting"}
        stays -= {"member_uuids"} if with_members else set()
        changes = {name: value for name, value in written.items() if name not in stays} | {REQUEST_ID: None}
        return self._update(conversation_key(conversation.group_uuid), changes, item, READ_AGAIN)

    def number_message(self, item: Item, seq: int) -> bool:
        """Change a message's number; leave its text alone, which may be edited concurrently. 1 call."""
        return self._update(_key(item), {"seq": number(seq)}, item, ("seq",))

    def project(self, conversation: Conversation, member: UUID) -> bool:
        """Update a member's entry to the conversation, or create it. 1 call, 2 to create it."""
        return with_retries(lambda: self.table.copy_to_entry(conversation, member))

    def copy_again(self, item: Item, conversation: Conversation, member: UUID) -> bool:
        """Copy a conversation over an entry of any version, unless it was projected since. 1 call."""
        return self._update(_key(item), copy_of(conversation, member), item, ("version",))

    def set_own(self, item: Item, changes: Mapping[str, Any]) -> bool:
        """Set the member's own attributes that cannot be parsed, or remove them (None). 1 call."""
        return self._update(_key(item), changes, item, tuple(changes))

    def set_position(self, item: Item, message: Message | None) -> bool:
        """Set the message up to which the member has read, or remove the position (None). 1 call."""
        if message is None:
            changes: Mapping[str, Any] = {"read_seq": None, "read_sk": None}
        else:
            changes = {"read_seq": number(message.seq), "read_sk": text(message.created_at)}
        return self._update(_key(item), changes, item, ("read_seq", "read_sk"))

    def delete_stray(self, item: Item, user_uuid: UUID, group_uuid: UUID) -> bool:
        """Delete an entry whose owner is not a member or whose conversation does not exist. 1 call."""
        as_read, values = _as_read(item, ("version",))
        stray: dict[str, Any] = {"TableName": self.table.name, "Key": _key(item), "ConditionExpression": as_read}
        if values:
            stray["ExpressionAttributeValues"] = values
        no_member = {
            "TableName": self.table.name,
            "Key": conversation_key(group_uuid),
            "ConditionExpression": "attribute_not_exists(pk) OR NOT contains(member_uuids, :user)",
            "ExpressionAttributeValues": {":user": uuid_bytes(user_uuid)},
        }
        try:
            with_retries(lambda: transact(self.table.client, [{"ConditionCheck": no_member}, {"Delete": stray}]))
        except TransactionRefused:
            return False
        return True

    def _update(self, key: Any, changes: Mapping[str, Any], item: Item, unless_changed: Sequence[str]) -> bool:
        """Set attributes; a value of None removes the attribute."""
        as_read, values = _as_read(item, unless_changed)
        names = {f"#{index}": name for index, name in enumerate(changes)}
        new = {f":{index}": value for index, value in enumerate(changes.values()) if value is not None}
        sets = [f"#{place[1:]} = {place}" for place in new]
        removes = [place for place in names if f":{place[1:]}" not in new]
        update = " ".join(f"{verb} {', '.join(each)}" for verb, each in (("SET", sets), ("REMOVE", removes)) if each)
        request: dict[str, Any] = {
            "TableName": self.table.name,
            "Key": key,
            "UpdateExpression": update,
            "ConditionExpression": as_read,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": new | values,
        }
        return self._done(lambda: self.table.client.update_item(**request))

    def _done(self, write: Callable[[], object]) -> bool:
        return with_retries(lambda: conditional_write(write)) is None


def _as_read(item: Item, names: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """Return the condition that an item exists with these attributes unchanged, and the condition's values."""
    parts = [f"{name} = :read_{name}" if name in item else f"attribute_not_exists({name})" for name in names]
    values = {f":read_{name}": item[name] for name in names if name in item}
    return " AND ".join(("attribute_exists(pk)", *parts)), values


def _key(item: Item) -> dict[str, Any]:
    return {"pk": item["pk"], "sk": item["sk"]}


def copy_of(conversation: Conversation, member: UUID) -> dict[str, Any]:
    """Return the attributes that a member's entry copies from the conversation."""
    entry = entry_item(entry_from_conversation(conversation, member))
    return {name: value for name, value in entry.items() if name not in ("pk", "sk", *OWN)}
