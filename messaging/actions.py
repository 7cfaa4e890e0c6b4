"""The actions of the transactions, with the conditions that keep the promises. Pure."""

from __future__ import annotations

from typing import Any

from .items import Conversation, Message, conversation_key, message_key, number, sent_value, uuid_bytes
from .text import preview


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

    On condition that nothing was written in between, the writer is a member, and nobody blocks.
    """
    writer = after.last_user_uuid
    return {
        "Update": {
            "TableName": table_name,
            "Key": conversation_key(conversation.group_uuid),
            "UpdateExpression": "SET seq = :seq, version = version + :one, last_sk = :sk, message = :message, "
            "last_user_uuid = :me, sent.#me = :sent",
            "ConditionExpression": "seq = :read_seq AND last_sk = :read_sk AND contains(member_uuids, :me) "
            "AND attribute_not_exists(blocked_by)",
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
            },
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }


def amend_conversation(table_name: str, conversation: Conversation, message: Message) -> dict[str, Any]:
    """Give a conversation a new version because a message was edited or deleted; its preview if that is the newest.

    On condition that nothing changed since it was read, so that the preview stays the newest message's and an edit that
    was long on its way undoes no later one; that the writer is a member; and, for an edit, that nobody blocks.
    """
    is_newest = message.created_at == conversation.last_sk
    may_write = "" if message.deleted_at else " AND attribute_not_exists(blocked_by)"
    return {
        "Update": {
            "TableName": table_name,
            "Key": conversation_key(conversation.group_uuid),
            "UpdateExpression": "SET version = version + :one" + (", message = :message" if is_newest else ""),
            "ConditionExpression": "version = :read_version AND contains(member_uuids, :me)" + may_write,
            "ExpressionAttributeValues": {
                ":one": number(1),
                ":me": uuid_bytes(message.user_uuid),
                ":read_version": number(conversation.version),
                **({":message": {"S": preview(message.message)}} if is_newest else {}),
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
