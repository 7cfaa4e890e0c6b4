"""The service module: every read and write of the table.

It takes client and table as arguments and does not know Django, so that web, worker, commands and Lambda share it.
Every read of a conversation, a message or an own entry is strongly consistent; only an index may lag.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from random import uniform
from time import sleep
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from messaging.domain.entities import Conversation, Entry, Message
from messaging.domain.folders import list_key
from messaging.domain.transitions import entry_from_conversation

from . import transactions
from .client import ServiceError, Unavailable, error_code, translated_errors
from .codec import (
    Item,
    conversation_from,
    entry_from,
    entry_item,
    key_of,
    message_from,
    message_item,
    number,
    number_at,
    uuid_bytes,
    uuid_set,
)
from .keys import CONVERSATION_SK, FIRST_MESSAGE_SK, conversation_key, entry_key, group_pk, key, message_key, user_pk
from .malformed import MalformedItem, readable, report
from .paginate import Attempt, Page, once, paginate, read_page
from .requests import TransactionRefused, batch_get, conditional_write, get, transact
from .table_definition import GROUP_INDEX, INBOX_INDEX

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

LATER = "sk > :after"
BETWEEN = "sk BETWEEN :after AND :last"
ENTRIES_A_PAGE = 100
ATTEMPTS = 20
"""Each failed one means that the conversation or the message was changed in between."""

Found = TypeVar("Found")
T = TypeVar("T")


class ConversationMoved(Exception):
    """The conversation changed after it was read. `now` is its current state, or None if it does not exist."""

    def __init__(self, now: Conversation | None) -> None:
        super().__init__("the conversation changed")
        self.now = now


def optimistically(
    attempt: Callable[[Found, int], T],
    found: Found,
    *,
    read_again: Callable[[ConversationMoved], Found],
    attempts: int = ATTEMPTS,
    back_off: float = 0.0,
) -> T:
    """Decide and write by what was `found`; repeat with what `read_again` returns when that changed in between.

    `attempt` takes what was found and its own number from 0, and raises ConversationMoved. Between attempts wait for
    uniform(0, back_off / n) seconds: a sender that failed more waits less, so that none starves. Raises Unavailable
    after so many attempts.
    """
    for number_of_attempt in range(attempts):
        try:
            return attempt(found, number_of_attempt)
        except ConversationMoved as moved:
            found = read_again(moved)
        if back_off:
            sleep(uniform(0, back_off / (number_of_attempt + 1)))  # noqa: S311 - hides nothing
    raise Unavailable


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Some entries of one of a person's lists, and those that could not be read."""

    entries: list[Entry]
    left_out: list[MalformedItem]

    def leave_out(self, error: MalformedItem) -> None:
        report(error)
        self.left_out.append(error)


@dataclass(frozen=True, slots=True)
class MessageTable:
    """The table's reads and writes. Any of them raises `Unavailable`; each says how many calls it costs.

    A conversation or message that is read by its key raises MalformedItem when it cannot be understood; of several
    messages or entries, malformed ones are logged and left out.
    """

    client: DynamoDBClient
    name: str

    # --- Conversations and messages -----------------------------------------------------------------------------------

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
            how |= {
                "keys": BETWEEN,
                "values": {":last": {"S": created_at}},
                "start": message_key(group_uuid, created_at),
            }
        return self._query_messages(group_uuid, FIRST_MESSAGE_SK, **how).items[::-1]

    def messages_after(self, group_uuid: UUID, created_at: str, *, limit: int) -> list[Message]:
        """The messages that follow `created_at` ("" for the first ones), oldest first. 1 call."""
        return list(readable(self.message_items_after(group_uuid, created_at, limit=limit), message_from))

    def message_items_after(self, group_uuid: UUID, created_at: str, *, limit: int) -> list[Item]:
        """The items of `messages_after`, malformed or not. 1 call."""
        after = max(created_at, FIRST_MESSAGE_SK)
        return self._query_messages(group_uuid, after, Limit=limit).items

    def messages_between(self, group_uuid: UUID, first: str, last: str, *, limit: int) -> list[Message]:
        """The messages from created_at `first` on, up to `last`, both included, oldest first. 1 call."""
        page = self._query_messages(group_uuid, first, values={":last": {"S": last}}, Limit=limit, keys=BETWEEN)
        return list(readable(page.items, message_from))

    def sends_after(self, group_uuid: UUID, user_uuid: UUID, created_at: str) -> Iterator[Message]:
        """A member's own messages later than `created_at`, newest first. 1 call for each MB of messages since."""
        return readable(self.send_items_after(group_uuid, user_uuid, created_at), message_from)

    def send_items_after(self, group_uuid: UUID, user_uuid: UUID, created_at: str) -> Iterator[Item]:
        """Yield the items of `sends_after`, malformed or not."""
        request = self._messages_request(
            group_uuid,
            max(created_at, FIRST_MESSAGE_SK),
            ScanIndexForward=False,
            FilterExpression="user_uuid = :me",
            values={":me": {"S": str(user_uuid)}},
        )
        for page in paginate(self.client.query, request):
            yield from page.items

    def conversation_items_of(self, group_uuids: Iterable[UUID]) -> list[Item]:
        """Return the items of these conversations, malformed or not. 1 call for 100 of them."""
        return list(batch_get(self.client, self.name, [conversation_key(group_uuid) for group_uuid in group_uuids]))

    def conversations(self) -> Iterator[Conversation]:
        """Every conversation of the table; reads the whole table. Raises MalformedItem."""
        for page in self.conversation_pages():
            yield from map(conversation_from, page.items)

    def conversation_pages(self, *, attempt: Attempt = once) -> Iterator[Page]:
        """Yield the conversations in each MB of the table, as they are stored. 1 call a page, made by `attempt`."""
        request = {
            "TableName": self.name,
            "ConsistentRead": True,
            "FilterExpression": "sk = :conversation",
            "ExpressionAttributeValues": {":conversation": {"S": CONVERSATION_SK}},
        }
        return paginate(self.client.scan, request, attempt=attempt)

    # --- Entries ------------------------------------------------------------------------------------------------------

    def entries(self, group_uuid: UUID, user_uuids: Iterable[UUID]) -> list[Entry]:
        """The entries these people have of a conversation; malformed ones are left out. 1 call for 100 of them."""
        keys = [entry_key(user_uuid, group_uuid) for user_uuid in user_uuids]
        return list(readable(batch_get(self.client, self.name, keys), entry_from))

    def own_entries(self, user_uuid: UUID, group_uuids: Iterable[UUID]) -> list[Entry]:
        """The entries that a person has of these conversations; malformed ones are left out. 1 call for 100 of them."""
        keys = [entry_key(user_uuid, group_uuid) for group_uuid in group_uuids]
        return list(readable(batch_get(self.client, self.name, keys), entry_from))

    def has_entry(self, user_uuid: UUID, group_uuid: str) -> bool:
        """Return whether a person has an entry of this conversation, readable or not. 1 call."""
        return get(self.client, self.name, key(user_pk(user_uuid), group_uuid)) is not None

    def inbox(self, inbox: str, user_uuid: UUID, *, before: tuple[str, UUID] | None, limit: int) -> EntryPage:
        """The entries of one of a person's lists, newest first, or those before (last_message_at, group). 1 call.

        Malformed ones are left out, and others read in their place (1 call more a time). The only read that may lag: an
        index cannot be read consistently.
        """
        request: dict[str, Any] = {
            "TableName": self.name,
            "IndexName": INBOX_INDEX,
            "KeyConditionExpression": "inbox = :inbox",
            "ExpressionAttributeValues": {":inbox": {"S": inbox}},
            "ScanIndexForward": False,
            "Limit": limit,
        }
        start: dict[str, Any] | None = None
        if before:
            last_message_at, group_uuid = before
            position = {"inbox": {"S": inbox}, "last_message_at": {"S": last_message_at}}
            start = position | entry_key(user_uuid, group_uuid)
        found = EntryPage([], [])
        for page in paginate(self.client.query, request, start=start):
            found.entries.extend(readable(page.items, entry_from, found.leave_out))
            # Without malformed ones a page that has more after it is full.
            if len(found.entries) >= limit or not found.left_out:
                break
            request["Limit"] = limit - len(found.entries)
        return found

    def entry_pages(self, user_uuid: UUID, *, limit: int = ENTRIES_A_PAGE) -> Iterator[Page]:
        """Yield a person's entries in all of their lists and in none, as they are stored. 1 call a page.

        From the table itself, not from the index, which may lag and lacks what is hidden.
        """
        return self.partition_pages(user_pk(user_uuid), limit=limit)

    def entry_page(self, user_uuid: UUID, start: Mapping[str, Any] | None, *, limit: int = ENTRIES_A_PAGE) -> Page:
        """Return the page of `entry_pages` that begins after a key, or the first one. 1 call."""
        return read_page(self.client.query, self._partition_request(user_pk(user_uuid), limit), start)

    # --- Items, whatever they are -------------------------------------------------------------------------------------

    def is_empty(self) -> bool:
        """Return whether there is not one item in the table. 1 call."""
        request = {"TableName": self.name, "ConsistentRead": True, "Limit": 1}
        return not read_page(self.client.scan, request).items

    def item(self, item_key: dict[str, Any]) -> Item | None:
        """Return the item with this key. 1 call."""
        return get(self.client, self.name, item_key)

    def items(self, keys: Iterable[dict[str, Any]]) -> dict[tuple[str, str], Item]:
        """Return the existing items among these keys, by partition and sort key. 1 call for 100 of them."""
        return {key_of(item): item for item in batch_get(self.client, self.name, list(keys))}

    def partition_pages(
        self, pk: str, *, after: str | None = None, limit: int | None = None, attempt: Attempt = once
    ) -> Iterator[Page]:
        """Yield the items of a partition after a sort key, in order. 1 call a page, made by `attempt`."""
        start = key(pk, after) if after else None
        return paginate(self.client.query, self._partition_request(pk, limit), start=start, attempt=attempt)

    def segment_pages(
        self, segment: int, segments: int, *, after: tuple[str, str] | None = None, attempt: Attempt = once
    ) -> Iterator[Page]:
        """Yield the items of one of the segments in which a table is read, after a key. 1 call a page of 1 MB."""
        request = {"TableName": self.name, "ConsistentRead": True, "Segment": segment, "TotalSegments": segments}
        return paginate(self.client.scan, request, start=key(*after) if after else None, attempt=attempt)

    def group_entry_pages(self, group_uuid: UUID, *, attempt: Attempt = once) -> Iterator[Page]:
        """Yield the keys of all entries of a group by the index, which may lag. 1 call a page, made by `attempt`."""
        request = {
            "TableName": self.name,
            "IndexName": GROUP_INDEX,
            "KeyConditionExpression": "message_group_uuid = :group",
            "ExpressionAttributeValues": {":group": {"S": str(group_uuid)}},
        }
        return paginate(self.client.query, request, attempt=attempt)

    # --- Writes of conversations and messages -------------------------------------------------------------------------

    def append(self, conversation: Conversation, message: Message, after: Conversation) -> None:
        """Store `message` and turn `conversation`, as it was read, into `after`: both or neither. 1 call, 4 WCU.

        The first message into a conversation that had none makes the entries, too; who was awaited to accept has the
        entry moved into the inbox. Raises ConversationMoved when anything was written in between, the writer is no
        member, a member blocks, or another one has not accepted.
        """
        advance = transactions.advance_conversation(self.name, conversation, after)
        steps = [advance, transactions.put_new(self.name, message_item(message))]
        if conversation.awaiting == message.user_uuid:
            self._change_with_entry(steps, entry_from_conversation(after, message.user_uuid))
            return
        if not conversation.begun:
            entries = (entry_from_conversation(after, member) for member in sorted(after.member_uuids))
            steps += [transactions.put_new(self.name, entry_item(entry)) for entry in entries]
        self._transact(conversation.group_uuid, steps)

    def amend(self, conversation: Conversation, message: Message) -> None:
        """Store an edited or deleted message, and the preview if it is the newest. 1 call, 4 WCU.

        Number, order and who has read what stay. Raises ConversationMoved when the conversation got a newer message
        than the one it was read with, a member blocks an edit, or the message cannot be changed any more.
        """
        change = transactions.amend_conversation(self.name, conversation, message)
        self._transact(conversation.group_uuid, [change, transactions.amend_message(self.name, message)])

    def erase(self, conversation: Conversation, tombstones: list[Message]) -> Conversation:
        """Store a sender's tombstones, oldest first, all or none; return the conversation as it is then. 1 call.

        2 WCU for each and 2 for the conversation. Raises ConversationMoved like `amend`.
        """
        newest = tombstones[-1]
        outside = newest.user_uuid not in conversation.member_uuids
        change = transactions.amend_conversation(self.name, conversation, newest, by_outsider=outside)
        steps = [transactions.amend_message(self.name, each) for each in tombstones]
        self._transact(conversation.group_uuid, [change, *steps])
        preview = "" if newest.created_at == conversation.last_sk else conversation.message
        return replace(conversation, version=conversation.version + 1, message=preview)

    def create(self, conversation: Conversation, message: Message | None, entries: Iterable[Entry]) -> None:
        """Store a conversation, its message and its entries: all or nothing. 1 call, 12 WCU for two members.

        Raises ConversationMoved when there is one already.
        """
        items = [*([message_item(message)] if message else []), *map(entry_item, entries)]
        self._transact(
            conversation.group_uuid,
            [
                transactions.put_conversation(self.name, conversation),
                *(transactions.put_new(self.name, item) for item in items),
            ],
        )

    def put_new_message(self, message: Message) -> bool:
        """Store a message unless there is one at its moment; return whether it was stored. 1 call."""
        return self.put_new(message_item(message))

    def put_new(self, item: Item) -> bool:
        """Store an item unless there is one with its key; return whether it was stored. 1 call."""
        put = transactions.put_new(self.name, dict(item))["Put"]
        return conditional_write(lambda: self.client.put_item(**put)) is None

    def block(self, conversation: Conversation, by: UUID) -> None:
        """Let a member block the conversation, and hide their entry if it has messages. 1 call.

        Raises ConversationMoved when they have left, or the first message came in between.
        """
        step = transactions.block(self.name, conversation, by)
        after = replace(conversation, blocked_by=conversation.blocked_by | {by})
        self._change_permission(step, after, by)

    def unblock(self, conversation: Conversation, by: UUID) -> None:
        """Let a member block the conversation no more, and show their entry again. 1 call.

        Raises ConversationMoved when they have left or do not block it.
        """
        step = transactions.unblock(self.name, conversation, by)
        after = replace(conversation, blocked_by=conversation.blocked_by - {by})
        self._change_permission(step, after, by)

    def accept(self, conversation: Conversation, user_uuid: UUID) -> Conversation:
        """Accept a message request, and move the entry into the inbox; return the conversation. 1 call.

        Raises ConversationMoved when the member is not awaited or blocks.
        """
        step = transactions.accept(self.name, conversation.group_uuid, user_uuid)
        after = replace(conversation, awaiting=None)
        self._change_with_entry([step], entry_from_conversation(after, user_uuid))
        return after

    def leave(self, group_uuid: UUID, user_uuid: UUID) -> tuple[Conversation | None, bool]:
        """Note in a conversation that a member has left for good. 1 call, 1 WCU.

        Returns the conversation, or None when there is none or they are not a member, and whether they left just now.
        Raises MalformedItem.
        """
        written: list[Item] = []
        values: dict[str, Any] = {
            ":members": uuid_set(frozenset((user_uuid,))),
            ":me": uuid_bytes(user_uuid),
            ":one": number(1),
            **transactions.request_value(),
        }

        def write() -> None:
            answer: Any = self.client.update_item(
                TableName=self.name,
                Key=conversation_key(group_uuid),
                UpdateExpression=f"ADD left_uuids :members SET version = version + :one, {transactions.NAME_REQUEST}",
                ConditionExpression="contains(member_uuids, :me) "
                "AND (attribute_not_exists(left_uuids) OR NOT contains(left_uuids, :me))",
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
            written.append(answer["Attributes"])

        try:
            current = conditional_write(write)
        except ServiceError as error:
            if error_code(error) == "ValidationException":
                # An attribute is of another type than the expression needs: reading it says which.
                self.conversation(group_uuid)
            raise
        if current is None:
            return conversation_from(written[-1]), True
        conversation = conversation_from(current) if current else None
        return (conversation if conversation and user_uuid in conversation.member_uuids else None), False

    # --- Writes of entries --------------------------------------------------------------------------------------------
    # Those of a member's own attributes cost 1 call and return the entry as it is then, or None when there is none;
    # where their condition fails, it stays. They raise MalformedItem, after the change, when it cannot be read.

    def mark_read(self, user_uuid: UUID, message: Message) -> Entry | None:
        """Note that `message` is read, unless a later one is. 2 WCU."""
        return self._change_entry(
            user_uuid,
            message.group_uuid,
            "SET read_seq = :seq, read_sk = :sk",
            "(attribute_not_exists(read_seq) OR read_seq < :seq)",
            {":seq": number(message.seq), ":sk": {"S": message.created_at}},
        )

    def mark_unread(self, conversation: Conversation, user_uuid: UUID, before: Message | None) -> Entry | None:
        """Set what is read back to `before`, the message before the newest, if the newest is read."""
        group_uuid, read = conversation.group_uuid, "read_seq >= :newest"
        values: dict[str, Any] = {":newest": number(conversation.seq)}
        if before is None:
            return self._change_entry(user_uuid, group_uuid, "REMOVE read_seq, read_sk", read, values)
        values |= {":seq": number(before.seq), ":sk": {"S": before.created_at}}
        return self._change_entry(user_uuid, group_uuid, "SET read_seq = :seq, read_sk = :sk", read, values)

    def mute(self, user_uuid: UUID, group_uuid: UUID, until: int) -> Entry | None:
        """Mute a conversation until then, in seconds since 1970."""
        return self._change_entry(user_uuid, group_uuid, "SET muted_until = :until", "", {":until": number(until)})

    def unmute(self, user_uuid: UUID, group_uuid: UUID) -> Entry | None:
        """Undo `mute`."""
        return self._change_entry(user_uuid, group_uuid, "REMOVE muted_until", "", {})

    def move(self, user_uuid: UUID, group_uuid: UUID, origin: str, target: str | None) -> Entry | None:
        """Move an entry from the list `origin` to another, or to none, if it is there: lists as in `folders`."""
        values: dict[str, Any] = {":from": {"S": list_key(user_uuid, origin)}}
        if target is None:
            return self._change_entry(user_uuid, group_uuid, "REMOVE inbox", "inbox = :from", values)
        values |= {":to": {"S": list_key(user_uuid, target)}}
        return self._change_entry(user_uuid, group_uuid, "SET inbox = :to", "inbox = :from", values)

    def copy_to_entry(self, conversation: Conversation, user_uuid: UUID) -> bool:
        """Copy a conversation into a member's entry unless that has this or a newer version. 1 call, 3 WCU.

        False when the entry stays as it is. An entry that was lost is made again, unread, in the list where it belongs
        now, which an old image cannot tell: 2 calls more. Not for a member who has left for good since: an old record
        must not bring their entry back. Raises MalformedItem for an entry whose version cannot be read, which would
        follow nothing any more.
        """
        values: dict[str, Any] = {
            ":group": {"S": str(conversation.group_uuid)},
            ":members": uuid_set(conversation.member_uuids),
            ":at": {"S": conversation.last_sk},
            ":message": {"S": conversation.message},
            ":by": uuid_bytes(conversation.last_user_uuid),
            ":seq": number(conversation.seq),
            ":sent_seq": number(conversation.sent_by(user_uuid).seq),
            ":version": number(conversation.version),
        }
        current = conditional_write(
            lambda: self.client.update_item(
                TableName=self.name,
                Key=entry_key(user_uuid, conversation.group_uuid),
                UpdateExpression="SET message_group_uuid = :group, member_uuids = :members, last_message_at = :at, "
                "message = :message, last_user_uuid = :by, last_seq = :seq, sent_seq = :sent_seq, version = :version",
                ConditionExpression="version < :version",
                ExpressionAttributeValues=values,
                ReturnValues="NONE",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        )
        if current is None:
            return True
        if current:
            number_at(current, "version")
            return False
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

    def delete_entry(self, user_uuid: UUID, group_uuid: UUID) -> None:
        """Delete a member's entry, if there is one. 1 call, 3 WCU."""
        self.delete_item(entry_key(user_uuid, group_uuid))

    def delete_item(self, item_key: dict[str, Any]) -> None:
        """Delete the item with this key, whatever it is. 1 call."""
        with translated_errors():
            self.client.delete_item(TableName=self.name, Key=item_key)

    # --- Requests -----------------------------------------------------------------------------------------------------

    def _query_messages(
        self, group_uuid: UUID, after: str, *, start: Mapping[str, Any] | None = None, **how: Any
    ) -> Page:
        return read_page(self.client.query, self._messages_request(group_uuid, after, **how), start)

    def _messages_request(
        self, group_uuid: UUID, after: str, *, values: dict[str, Any] | None = None, keys: str = LATER, **how: Any
    ) -> dict[str, Any]:
        pk = {":group": {"S": group_pk(group_uuid)}, ":after": {"S": after}}
        return {
            "TableName": self.name,
            "KeyConditionExpression": f"pk = :group AND {keys}",
            "ExpressionAttributeValues": pk | (values or {}),
            "ConsistentRead": True,
            **how,
        }

    def _partition_request(self, pk: str, limit: int | None) -> dict[str, Any]:
        return {
            "TableName": self.name,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": pk}},
            "ConsistentRead": True,
            **({"Limit": limit} if limit else {}),
        }

    def _change_entry(
        self, user_uuid: UUID, group_uuid: UUID, update: str, condition: str, values: dict[str, Any]
    ) -> Entry | None:
        request: dict[str, Any] = {
            "TableName": self.name,
            "Key": entry_key(user_uuid, group_uuid),
            "UpdateExpression": update,
            "ConditionExpression": " AND ".join(filter(None, ("attribute_exists(pk)", condition))),
            "ReturnValues": "ALL_NEW",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            **({"ExpressionAttributeValues": values} if values else {}),
        }
        written: list[Item] = []
        current = conditional_write(lambda: written.append(self.client.update_item(**request)["Attributes"]))
        item = written[-1] if current is None else current
        return entry_from(item) if item else None

    def _change_permission(self, step: dict[str, Any], after: Conversation, member: UUID) -> None:
        if after.begun:
            self._change_with_entry([step], entry_from_conversation(after, member))
        else:
            self._transact(after.group_uuid, [step])

    def _transact(self, group_uuid: UUID, steps: list[Any]) -> None:
        """Do all of the actions or none; the first is the one on the conversation. 1 call.

        Raises ConversationMoved, with the conversation as its failed condition returns it.
        """
        try:
            transact(self.client, steps)
        except TransactionRefused as error:
            now = error.items[0]
            raise ConversationMoved(conversation_from(now) if now else self.conversation(group_uuid)) from error

    def _change_with_entry(self, steps: list[Any], entry: Entry) -> None:
        """Do all of the actions, and move a member's entry into the list that `entry` names, or none. 1 call.

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
