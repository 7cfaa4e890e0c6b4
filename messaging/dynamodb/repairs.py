"""The writes of a reconciliation: each one request, on condition that what it repairs is still what was read.

Whoever sends, edits, reads or projects in between wins: the repair is refused, returns False, and what to do is decided
again. Throttling is waited for; in the end each may raise Unavailable. No member's own attribute is touched but by
`set_position` and `set_own`.
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
"""A member's own attributes of an entry: the copy has none of them."""
READ_AGAIN = ("version", "seq", "last_sk")
"""What of a conversation changes with everything that is written into it."""


@dataclass(frozen=True, slots=True)
class Repairs:
    """What a reconciliation writes into one table."""

    table: MessageTable

    def make_conversation(self, conversation: Conversation) -> bool:
        """Store a conversation where there is none. 1 call."""
        return with_retries(lambda: self.table.put_new(conversation_item(conversation)))

    def rewrite_conversation(self, item: Item, conversation: Conversation, *, with_members: bool = False) -> bool:
        """Write what follows from the messages, and the version; what they do not tell stays. 1 call.

        `with_members` writes those, too, for an item whose own cannot be read. No request has written it then.
        """
        written = conversation_item(conversation)
        stays = {"pk", "sk", "member_uuids", "left_uuids", "blocked_by", "awaiting"}
        stays -= {"member_uuids"} if with_members else set()
        changes = {name: value for name, value in written.items() if name not in stays} | {REQUEST_ID: None}
        return self._update(conversation_key(conversation.group_uuid), changes, item, READ_AGAIN)

    def number_message(self, item: Item, seq: int) -> bool:
        """Give a message another number; its text, which may be edited at this moment, is not touched. 1 call."""
        return self._update(_key(item), {"seq": number(seq)}, item, ("seq",))

    def project(self, conversation: Conversation, member: UUID) -> bool:
        """Bring a member's entry up to the conversation, or make it. 1 call, 2 to make it."""
        return with_retries(lambda: self.table.copy_to_entry(conversation, member))

    def copy_again(self, item: Item, conversation: Conversation, member: UUID) -> bool:
        """Copy a conversation over an entry of any version that was not projected since. 1 call."""
        return self._update(_key(item), copy_of(conversation, member), item, ("version",))

    def set_own(self, item: Item, changes: Mapping[str, Any]) -> bool:
        """Set what a member chose and cannot be read, or remove it (None). 1 call."""
        return self._update(_key(item), changes, item, tuple(changes))

    def set_position(self, item: Item, message: Message | None) -> bool:
        """Let an entry say that its member has read up to this message, or nothing. 1 call."""
        if message is None:
            changes: Mapping[str, Any] = {"read_seq": None, "read_sk": None}
        else:
            changes = {"read_seq": number(message.seq), "read_sk": text(message.created_at)}
        return self._update(_key(item), changes, item, ("read_seq", "read_sk"))

    def delete_stray(self, item: Item, user_uuid: UUID, group_uuid: UUID) -> bool:
        """Delete an entry whose holder is not a member of the conversation, or that has none. 1 call."""
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
        """Set attributes, remove those that are to be None."""
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
    """Return the condition that an item is there and these attributes of it are what they were, and its values."""
    parts = [f"{name} = :read_{name}" if name in item else f"attribute_not_exists({name})" for name in names]
    values = {f":read_{name}": item[name] for name in names if name in item}
    return " AND ".join(("attribute_exists(pk)", *parts)), values


def _key(item: Item) -> dict[str, Any]:
    return {"pk": item["pk"], "sk": item["sk"]}


def copy_of(conversation: Conversation, member: UUID) -> dict[str, Any]:
    """Return the attributes that a member's entry has from the conversation."""
    entry = entry_item(entry_from_conversation(conversation, member))
    return {name: value for name, value in entry.items() if name not in ("pk", "sk", *OWN)}
