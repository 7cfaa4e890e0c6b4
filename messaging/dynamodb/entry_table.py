"""The reads and writes of entries: the half of the service module that lists and the projection are made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from messaging.domain.entities import Conversation, Entry, Message
from messaging.domain.transitions import entry_from_conversation

from . import transactions
from .client import translated_errors
from .codec import Item, conversation_from, entry_from, number, number_at, uuid_bytes, uuid_set
from .keys import conversation_key, entry_key
from .malformed import MalformedItem, readable, report
from .requests import TransactionRefused, batch_get, get, refused, transact
from .table_definition import INBOX_INDEX

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Some entries of one of a person's lists, and those that could not be read."""

    entries: list[Entry]
    left_out: list[MalformedItem]

    def leave_out(self, error: MalformedItem) -> None:
        report(error)
        self.left_out.append(error)


@dataclass(frozen=True, slots=True)
class EntryTable:
    """Entries: read, and written by their member or by the projection. Any of them raises `Unavailable`."""

    client: DynamoDBClient
    name: str

    def entries(self, group_uuid: UUID, user_uuids: Iterable[UUID]) -> list[Entry]:
        """The entries these people have of a conversation; malformed ones are left out. 1 call for 100 of them."""
        keys = [entry_key(user_uuid, group_uuid) for user_uuid in user_uuids]
        return list(readable(batch_get(self.client, self.name, keys), entry_from))

    def own_entries(self, user_uuid: UUID, group_uuids: Iterable[UUID]) -> list[Entry]:
        """The entries that a person has of these conversations; malformed ones are left out. 1 call for 100 of them."""
        keys = [entry_key(user_uuid, group_uuid) for group_uuid in group_uuids]
        return list(readable(batch_get(self.client, self.name, keys), entry_from))

    def inbox(self, inbox: str, user_uuid: UUID, *, before: tuple[str, UUID] | None, limit: int) -> EntryPage:
        """The entries of one of a person's lists, newest first, or those before (last_message_at, group). 1 call.

        Malformed ones are left out, and others read in their place (1 call more a time). The only read that may lag: an
        index cannot be read consistently.
        """
        start: dict[str, Any] = {}
        if before:
            last_message_at, group_uuid = before
            position = {"inbox": {"S": inbox}, "last_message_at": {"S": last_message_at}}
            start["ExclusiveStartKey"] = position | entry_key(user_uuid, group_uuid)
        found = EntryPage([], [])
        while True:
            with translated_errors():
                page: Any = self.client.query(
                    TableName=self.name,
                    IndexName=INBOX_INDEX,
                    KeyConditionExpression="inbox = :inbox",
                    ExpressionAttributeValues={":inbox": {"S": inbox}},
                    ScanIndexForward=False,
                    Limit=limit - len(found.entries),
                    **start,
                )
            found.entries.extend(readable(page["Items"], entry_from, found.leave_out))
            # Without malformed ones a page that has more after it is full.
            if len(found.entries) >= limit or not found.left_out or "LastEvaluatedKey" not in page:
                return found
            start["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def mark_read(self, user_uuid: UUID, message: Message) -> Entry | None:
        """Note in a member's entry that `message` is read, unless a later one is. 1 call, 2 WCU.

        Returns the entry as it is then; None when there is none. Raises MalformedItem.
        """
        written, found = self.update_entry(
            user_uuid,
            message.group_uuid,
            "SET read_seq = :seq, read_sk = :sk",
            "attribute_exists(pk) AND (attribute_not_exists(read_seq) OR read_seq < :seq)",
            {":seq": number(message.seq), ":sk": {"S": message.created_at}},
        )
        item = written or found
        return entry_from(item) if item else None

    def copy_to_entry(self, conversation: Conversation, user_uuid: UUID) -> bool:
        """Copy a conversation into a member's entry unless that has this or a newer version. 1 call, 3 WCU.

        False when the entry stays as it is. An entry that was lost is made anew, unread, in the list where it belongs
        now, which an old image cannot tell: 2 calls more. Not for a member who has left for good since: an old record
        must not bring their entry back. Raises MalformedItem for an entry whose version cannot be read, which would
        follow nothing any more.
        """
        _, found = self.update_entry(
            user_uuid,
            conversation.group_uuid,
            "SET message_group_uuid = :group, member_uuids = :members, last_message_at = :at, message = :message, "
            "last_user_uuid = :by, last_seq = :seq, sent_seq = :sent_seq, version = :version",
            "version < :version",
            {
                ":group": {"S": str(conversation.group_uuid)},
                ":members": uuid_set(conversation.member_uuids),
                ":at": {"S": conversation.last_sk},
                ":message": {"S": conversation.message},
                ":by": uuid_bytes(conversation.last_user_uuid),
                ":seq": number(conversation.seq),
                ":sent_seq": number(conversation.sent_by(user_uuid).seq),
                ":version": number(conversation.version),
            },
            shown=False,
        )
        if found != {}:
            if found is not None:
                number_at(found, "version")
            return found is None
        now = get(self.client, self.name, conversation_key(conversation.group_uuid))
        conversation = conversation_from(now) if now else conversation
        return self.make_entry(entry_from_conversation(conversation, user_uuid))

    def make_entry(self, entry: Entry) -> bool:
        """Store an entry that was lost, unless there is one, or its member has left for good. 1 call, 8 WCU."""
        try:
            transact(self.client, transactions.make_entry(self.name, entry))
        except TransactionRefused:
            return False
        return True

    def update_entry(
        self, user_uuid: UUID, group_uuid: UUID, update: str, condition: str, values: dict[str, Any], shown: bool = True
    ) -> tuple[Item | None, dict[str, Any] | None]:
        """The entry as it was written, {} unless `shown`; or as it stands, {} for none, where the condition failed."""
        request: dict[str, Any] = {
            "TableName": self.name,
            "Key": entry_key(user_uuid, group_uuid),
            "UpdateExpression": update,
            "ConditionExpression": condition,
            "ReturnValues": "ALL_NEW" if shown else "NONE",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            **({"ExpressionAttributeValues": values} if values else {}),
        }
        written: list[Item] = []

        def write() -> None:
            written.append(self.client.update_item(**request).get("Attributes", {}))

        found = refused(write)
        return (written[-1] if written else None), found
