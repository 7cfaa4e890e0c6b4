"""The actions of the transactions, with the conditions that keep the promises.

Pure, but that what is written of a conversation names the request that this code works for.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from cruddur.observability.request_context import current_request_id
from messaging.domain.entities import Conversation, Entry, Message
from messaging.domain.text import preview

from .codec import REQUEST_ID, conversation_item, entry_item, number, sent_value, uuid_bytes, uuid_set
from .keys import conversation_key, entry_key, message_key

MAY_WRITE = (
    "contains(member_uuids, :me) AND attribute_not_exists(blocked_by) "
    "AND (attribute_not_exists(left_uuids) OR (size(left_uuids) < :others AND NOT contains(left_uuids, :me)))"
)
"""Nobody blocks, the writer has not left for good, and of the `:others` somebody has not either."""


NAME_REQUEST = f"{REQUEST_ID} = :request"


def request_value() -> dict[str, Any]:
    """The value that `NAME_REQUEST` sets."""
    return {":request": {"S": current_request_id()}}


def put_conversation(table_name: str, conversation: Conversation) -> dict[str, Any]:
    """Put a conversation on condition that there is none."""
    return put_new(table_name, {**conversation_item(conversation), REQUEST_ID: {"S": current_request_id()}})


def put_new(table_name: str, item: dict[str, Any]) -> dict[str, Any]:
    """Put an item on condition that there is none."""
    return {
        "Put": {
            "TableName": table_name,
            "Item": item,
            "ConditionExpression": "attribute_not_exists(pk)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }


def advance_conversation(table_name: str, conversation: Conversation, after: Conversation) -> dict[str, Any]:
    """Turn a conversation as it was read into the one `after` its next message.

    On condition that nothing was written in between, that the writer may write (see `MAY_WRITE`), and that nobody else
    is awaited to accept.
    """
    writer = after.last_user_uuid
    becomes_request = after.awaiting is not None and not conversation.begun
    return {
        "Update": {
            "TableName": table_name,
            "Key": conversation_key(conversation.group_uuid),
            "UpdateExpression": "SET seq = :seq, version = version + :one, last_sk = :sk, message = :message, "
            f"last_user_uuid = :me, sent.#me = :sent, {NAME_REQUEST}"
            + (", awaiting = :awaiting" if becomes_request else "")
            + (" REMOVE awaiting" if conversation.awaiting == writer else ""),
            "ConditionExpression": f"seq = :read_seq AND last_sk = :read_sk AND {MAY_WRITE} "
            "AND (attribute_not_exists(awaiting) OR awaiting = :me)",
            "ExpressionAttributeNames": {"#me": str(writer)},
            "ExpressionAttributeValues": {
                ":seq": number(after.seq),
                ":one": number(1),
                ":sk": {"S": after.last_sk},
                ":message": {"S": after.message},
                ":me": uuid_bytes(writer),
                ":sent": sent_value(after.sent_by(writer)),
                ":read_seq": number(conversation.seq),
                ":read_sk": {"S": conversation.last_sk},
                ":others": _others(conversation),
                **request_value(),
                **({":awaiting": uuid_bytes(after.awaiting)} if becomes_request and after.awaiting else {}),
            },
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }


def block(table_name: str, conversation: Conversation, by: UUID) -> dict[str, Any]:
    """Let a member block a conversation; of one without messages on condition that it still has none.

    Had a first message come in between, the blocker's new entry would have to be hidden, too.
    """
    condition, values = ("", {}) if conversation.begun else ("seq = :none", {":none": number(0)})
    members = {":by": uuid_set(frozenset((by,))), ":me": uuid_bytes(by)}
    return _change_conversation(table_name, conversation.group_uuid, "ADD blocked_by :by", condition, members | values)


def unblock(table_name: str, conversation: Conversation, by: UUID) -> dict[str, Any]:
    """Remove a member's block, on condition that there is one."""
    values = {":by": uuid_set(frozenset((by,))), ":me": uuid_bytes(by)}
    condition = "contains(blocked_by, :me)"
    return _change_conversation(table_name, conversation.group_uuid, "DELETE blocked_by :by", condition, values)


def accept(table_name: str, group_uuid: UUID, user_uuid: UUID) -> dict[str, Any]:
    """Accept a message request, on condition that this member is awaited and does not block."""
    condition, values = "awaiting = :me AND NOT contains(blocked_by, :me)", {":me": uuid_bytes(user_uuid)}
    return _change_conversation(table_name, group_uuid, "REMOVE awaiting", condition, values)


def _change_conversation(
    table_name: str, group_uuid: UUID, update: str, condition: str, values: dict[str, Any]
) -> dict[str, Any]:
    """Change who may write into a conversation, for a member `:me` who has not left for good.

    `update` sets nothing: it adds, deletes or removes.
    """
    stays = "contains(member_uuids, :me) AND NOT contains(left_uuids, :me)"
    return {
        "Update": {
            "TableName": table_name,
            "Key": conversation_key(group_uuid),
            "UpdateExpression": f"SET {NAME_REQUEST} {update}",
            "ConditionExpression": " AND ".join(filter(None, (stays, condition))),
            "ExpressionAttributeValues": {**values, **request_value()},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }


def move_entry(table_name: str, entry: Entry) -> dict[str, Any]:
    """Put a member's entry into the list that `entry` names, on condition that there is one."""
    return {
        "Update": {
            "TableName": table_name,
            "Key": entry_key(entry.user_uuid, entry.group_uuid),
            "UpdateExpression": "SET inbox = :inbox" if entry.inbox else "REMOVE inbox",
            "ConditionExpression": "attribute_exists(pk)",
            **({"ExpressionAttributeValues": {":inbox": {"S": entry.inbox}}} if entry.inbox else {}),
        }
    }


def amend_conversation(
    table_name: str, conversation: Conversation, message: Message, *, by_outsider: bool = False
) -> dict[str, Any]:
    """Give a conversation a new version because a message was edited or deleted; its preview if that is the newest.

    On condition that nothing changed since it was read, so that the preview stays the newest message's and an edit that
    was long on its way undoes no later one; that the writer is a member; and, for an edit, that they may write. What
    somebody from outside wrote, in the old system, can only be deleted.
    """
    is_newest = message.created_at == conversation.last_sk
    as_outsider = by_outsider and bool(message.deleted_at)
    may_amend = "contains(member_uuids, :me)" if message.deleted_at else MAY_WRITE
    return {
        "Update": {
            "TableName": table_name,
            "Key": conversation_key(conversation.group_uuid),
            "UpdateExpression": f"SET version = version + :one, {NAME_REQUEST}"
            + (", message = :message" if is_newest else ""),
            "ConditionExpression": "version = :read_version" + ("" if as_outsider else f" AND {may_amend}"),
            "ExpressionAttributeValues": {
                ":one": number(1),
                **request_value(),
                **({} if as_outsider else {":me": uuid_bytes(message.user_uuid)}),
                ":read_version": number(conversation.version),
                **({":message": {"S": preview(message.message)}} if is_newest else {}),
                **({} if message.deleted_at else {":others": _others(conversation)}),
            },
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }


def amend_message(table_name: str, message: Message) -> dict[str, Any]:
    """Write the new text or the tombstone, on condition that the message is its writer's and not deleted."""
    if message.deleted_at:
        changes, values = "SET deleted_at = :at REMOVE message, edited_at", {":at": {"S": message.deleted_at}}
    else:
        changes = "SET message = :message, edited_at = :at"
        values = {":message": {"S": message.message}, ":at": {"S": message.edited_at}}
    return {
        "Update": {
            "TableName": table_name,
            "Key": message_key(message.group_uuid, message.created_at),
            "UpdateExpression": changes,
            "ConditionExpression": "user_uuid = :me AND attribute_not_exists(deleted_at)",
            "ExpressionAttributeValues": {":me": {"S": str(message.user_uuid)}, **values},
        }
    }


def make_entry(table_name: str, entry: Entry) -> list[dict[str, Any]]:
    """Put a member's entry on condition that there is none, and that the member has not left for good."""
    has_not_left = {
        "TableName": table_name,
        "Key": conversation_key(entry.group_uuid),
        "ConditionExpression": "attribute_not_exists(left_uuids) OR NOT contains(left_uuids, :member)",
        "ExpressionAttributeValues": {":member": uuid_bytes(entry.user_uuid)},
    }
    return [{"ConditionCheck": has_not_left}, put_new(table_name, entry_item(entry))]


def _others(conversation: Conversation) -> dict[str, str]:
    return number(len(conversation.member_uuids) - 1)
