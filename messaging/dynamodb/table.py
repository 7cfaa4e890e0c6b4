"""The service module: every read and write of the table.

It takes client and table as arguments and does not know Django, so that web, worker, commands and Lambda share it.
Every read of a conversation, a message or an own entry is strongly consistent; only the inbox index may lag.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from messaging.domain.entities import Conversation, Entry, Message
from messaging.domain.transitions import entry_from_conversation

from . import transactions
from .client import Unavailable, translated_errors
from .codec import Item, conversation_from, entry_from, entry_item, message_from, message_item
from .entry_table import EntryTable
from .keys import CONVERSATION_SK, FIRST_MESSAGE_SK, conversation_key, entry_key, group_pk, message_key
from .malformed import readable
from .requests import TransactionRefused, batch_get, get, transact

LATER = "sk > :after"
BETWEEN = "sk BETWEEN :after AND :last"


class ConversationMoved(Exception):
    """The conversation is no longer the one that was read; `now` is how it stands, or None when there is none."""

    def __init__(self, now: Conversation | None) -> None:
        super().__init__("the conversation changed")
        self.now = now


@dataclass(frozen=True, slots=True)
class MessageTable(EntryTable):
    """The table's reads and writes. Any of them raises `Unavailable`; each says how many calls it costs.

    A conversation or message that is read by its key raises MalformedItem when it cannot be understood; of several
    messages, malformed ones are logged and left out.
    """

    def answer(self) -> None:
        """Ask for an item that does not exist, to see whether the table answers. 1 call, 0.5 read units."""
        with translated_errors():
            self.client.get_item(TableName=self.name, Key={"pk": {"S": "READY"}, "sk": {"S": "READY"}})

    def conversation(self, group_uuid: UUID) -> Conversation | None:
        """1 call."""
        item = get(self.client, self.name, conversation_key(group_uuid))
        return conversation_from(item) if item else None

    def message(self, group_uuid: UUID, created_at: str) -> Message | None:
        """1 call."""
        item = get(self.client, self.name, message_key(group_uuid, created_at))
        return message_from(item) if item else None

    def conversation_and_entry(self, group_uuid: UUID, user_uuid: UUID) -> tuple[Conversation | None, Entry | None]:
        """A conversation and one member's entry. 1 call; more only when DynamoDB leaves keys unprocessed.

        A malformed entry is logged and counts as lost: the conversation can be shown without it.
        """
        conversation: Conversation | None = None
        entry: Entry | None = None
        for item in batch_get(self.client, self.name, [conversation_key(group_uuid), entry_key(user_uuid, group_uuid)]):
            if item["pk"]["S"] == group_pk(group_uuid):
                conversation = conversation_from(item)
            else:
                entry = next(readable([item], entry_from), None)
        return conversation, entry

    def conversation_and_message(self, group_uuid: UUID, created_at: str) -> tuple[Conversation | None, Message | None]:
        """A conversation and one of its messages. 1 call; more only when DynamoDB leaves keys unprocessed."""
        conversation: Conversation | None = None
        message: Message | None = None
        for item in batch_get(
            self.client, self.name, [conversation_key(group_uuid), message_key(group_uuid, created_at)]
        ):
            if item["sk"]["S"] == created_at:
                message = message_from(item)
            else:
                conversation = conversation_from(item)
        return conversation, message

    def messages_before(self, group_uuid: UUID, created_at: str | None, *, limit: int) -> list[Message]:
        """The newest messages, or the newest before `created_at`; oldest first. 1 call.

        The cursor is a start key: with `sk < :cursor` the range would begin at the conversation's own item. It is the
        range's end, too, which changes nothing on AWS; DynamoDB Local's time would grow with what lies after it.
        """
        return list(readable(self.message_items_before(group_uuid, created_at, limit=limit), message_from))

    def message_items_before(self, group_uuid: UUID, created_at: str | None, *, limit: int) -> list[Item]:
        """The items of `messages_before`, malformed or not. 1 call."""
        how: dict[str, Any] = {"ScanIndexForward": False, "Limit": limit}
        if created_at:
            how |= {"keys": BETWEEN, "values": {":last": {"S": created_at}}}
            how |= {"ExclusiveStartKey": message_key(group_uuid, created_at)}
        items: list[Item] = self._query_messages(group_uuid, FIRST_MESSAGE_SK, **how)["Items"]
        return items[::-1]

    def messages_after(self, group_uuid: UUID, created_at: str, *, limit: int) -> list[Message]:
        """The messages that follow `created_at` ("" for the first ones), oldest first. 1 call."""
        return list(readable(self.message_items_after(group_uuid, created_at, limit=limit), message_from))

    def message_items_after(self, group_uuid: UUID, created_at: str, *, limit: int) -> list[Item]:
        """The items of `messages_after`, malformed or not. 1 call."""
        after = max(created_at, FIRST_MESSAGE_SK)
        items: list[Item] = self._query_messages(group_uuid, after, Limit=limit)["Items"]
        return items

    def messages_between(self, group_uuid: UUID, first: str, last: str, *, limit: int) -> list[Message]:
        """The messages from created_at `first` on, up to `last`, both included, oldest first. 1 call."""
        page = self._query_messages(group_uuid, first, values={":last": {"S": last}}, Limit=limit, keys=BETWEEN)
        return list(readable(page["Items"], message_from))

    def sends_after(self, group_uuid: UUID, user_uuid: UUID, created_at: str) -> Iterator[Message]:
        """A member's own messages later than `created_at`, newest first. 1 call for each MB of messages since."""
        return readable(self.send_items_after(group_uuid, user_uuid, created_at), message_from)

    def send_items_after(self, group_uuid: UUID, user_uuid: UUID, created_at: str) -> Iterator[Item]:
        """The items of `sends_after`, malformed or not."""
        start: dict[str, Any] = {}
        while True:
            page = self._query_messages(
                group_uuid,
                max(created_at, FIRST_MESSAGE_SK),
                ScanIndexForward=False,
                FilterExpression="user_uuid = :me",
                values={":me": {"S": str(user_uuid)}},
                **start,
            )
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def conversations(self) -> Iterator[Conversation]:
        """Every conversation of the table; reads the whole table. Raises MalformedItem."""
        start: dict[str, Any] | None = {}
        while start is not None:
            items, start = self.conversation_items(start)
            yield from map(conversation_from, items)

    def conversation_items(self, start: dict[str, Any]) -> tuple[list[Item], dict[str, Any] | None]:
        """The conversations among the next MB of the table, as they stand there, and where to go on, None at its end.

        `start` is {} at the beginning. 1 call.
        """
        with translated_errors():
            page: Any = self.client.scan(
                TableName=self.name,
                ConsistentRead=True,
                FilterExpression="sk = :conversation",
                ExpressionAttributeValues={":conversation": {"S": CONVERSATION_SK}},
                **({"ExclusiveStartKey": start} if start else {}),  # type: ignore[arg-type]
            )
        return page["Items"], page.get("LastEvaluatedKey")

    def append(self, conversation: Conversation, message: Message, after: Conversation) -> None:
        """Store `message` and turn `conversation`, as it was read, into `after`: both or neither. 1 call, 4 WCU.

        The first message into a conversation that had none makes the entries, too; who was awaited to accept has the
        entry moved into the inbox. Raises ConversationMoved when anything was written in between, the writer is no
        member, a member blocks, or another one has not accepted.
        """
        advance = transactions.advance_conversation(self.name, conversation, after)
        steps = [advance, transactions.put_new(self.name, message_item(message))]
        if conversation.awaiting == message.user_uuid:
            self.change_with_entry(steps, entry_from_conversation(after, message.user_uuid))
            return
        if not conversation.begun:
            entries = (entry_from_conversation(after, member) for member in sorted(after.member_uuids))
            steps += [transactions.put_new(self.name, entry_item(entry)) for entry in entries]
        self.transact(conversation.group_uuid, steps)

    def amend(self, conversation: Conversation, message: Message) -> None:
        """Write a message anew that was edited or deleted, and the preview if it is the newest. 1 call, 4 WCU.

        Number, order and who has read what stay. Raises ConversationMoved when the conversation got a newer message
        than the one it was read with, a member blocks an edit, or the message cannot be changed any more.
        """
        change = transactions.amend_conversation(self.name, conversation, message)
        self.transact(conversation.group_uuid, [change, transactions.amend_message(self.name, message)])

    def create(self, conversation: Conversation, message: Message | None, entries: Iterable[Entry]) -> None:
        """Store a conversation, its message and its entries: all or nothing. 1 call, 12 WCU for two members.

        Raises ConversationMoved when there is one already.
        """
        items = [*([message_item(message)] if message else []), *map(entry_item, entries)]
        self.transact(
            conversation.group_uuid,
            [
                transactions.put_conversation(self.name, conversation),
                *(transactions.put_new(self.name, item) for item in items),
            ],
        )

    def _query_messages(
        self, group_uuid: UUID, after: str, *, values: dict[str, Any] | None = None, keys: str = LATER, **how: Any
    ) -> Any:
        with translated_errors():
            return self.client.query(
                TableName=self.name,
                KeyConditionExpression=f"pk = :group AND {keys}",
                ExpressionAttributeValues={
                    ":group": {"S": group_pk(group_uuid)},
                    ":after": {"S": after},
                    **(values or {}),
                },
                ConsistentRead=True,
                **how,
            )

    def transact(self, group_uuid: UUID, steps: list[Any]) -> None:
        """Do all of the actions or none; the first is the one on the conversation. 1 call.

        Raises ConversationMoved, with the conversation as its failed condition returns it.
        """
        try:
            transact(self.client, steps)
        except TransactionRefused as error:
            now = error.items[0]
            raise ConversationMoved(conversation_from(now) if now else self.conversation(group_uuid)) from error

    def change_with_entry(self, steps: list[Any], entry: Entry) -> None:
        """Likewise, and in the same transaction move a member's entry into the list that `entry` names. 1 call.

        Where there is none, `entry` is put. Raises ConversationMoved.
        """
        moves = [transactions.move_entry(self.name, entry), transactions.put_new(self.name, entry_item(entry))]
        for move in (*moves, *moves):
            try:
                transact(self.client, [*steps, move])
            except TransactionRefused as error:
                if not any(error.failed[:-1]):
                    continue  # There is none, or there is one meanwhile.
                now = error.items[0]
                raise ConversationMoved(
                    conversation_from(now) if now else self.conversation(entry.group_uuid)
                ) from error
            return
        raise Unavailable
