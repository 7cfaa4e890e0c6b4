"""How somebody leaves their conversations for good: what deleting an account does to the table.

First the conversation notes that they left, and from then on nothing they or, where nobody else is left, others write
goes in: what they have written is all there is. Then their messages become tombstones. Their entry goes last: while it
is there something may be left to do, so that all of this can stop anywhere and be done again. Knows no Django.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from messaging.domain.entities import Conversation, Message
from messaging.domain.transitions import deleted
from messaging.dynamodb import transactions
from messaging.dynamodb.client import ServiceError, Unavailable, error_code, translated_errors
from messaging.dynamodb.codec import (
    Item,
    conversation_from,
    message_from,
    number,
    uuid_bytes,
    uuid_in_key,
    uuid_text_at,
)
from messaging.dynamodb.keys import GROUP_PREFIX, conversation_key, entry_key, key, user_pk
from messaging.dynamodb.malformed import MalformedItem
from messaging.dynamodb.requests import TransactionRefused, refused, transact
from messaging.dynamodb.table import MessageTable

ENTRIES_A_PAGE = 100
MESSAGES_A_PAGE = 25
"""As many become tombstones in one transaction: 52 write units, which a table of 5 a second has saved up in 10 s."""
ATTEMPTS = 20
"""Each failed one means that the conversation or a message was changed in between."""


def entry_pages(table: MessageTable, user_uuid: UUID, *, limit: int = ENTRIES_A_PAGE) -> Iterator[list[Item]]:
    """A person's entries in all of their lists and in none, as they are stored. 1 call a page.

    Of the table itself, not of the index, which may lag and lacks what is hidden.
    """
    start: dict[str, Any] | None = {}
    while start is not None:
        items, start = entry_page(table, user_uuid, start, limit=limit)
        yield items


def entry_page(
    table: MessageTable, user_uuid: UUID, start: dict[str, Any], *, limit: int = ENTRIES_A_PAGE
) -> tuple[list[Item], dict[str, Any] | None]:
    """A page of them, and where the next begins, None at the end; `start` is {} at the beginning. 1 call."""
    with translated_errors():
        page: Any = table.client.query(
            TableName=table.name,
            KeyConditionExpression="pk = :user",
            ExpressionAttributeValues={":user": {"S": user_pk(user_uuid)}},
            ConsistentRead=True,
            Limit=limit,
            **({"ExclusiveStartKey": start} if start else {}),  # type: ignore[arg-type]
        )
    return page["Items"], page.get("LastEvaluatedKey")


def leave_all(table: MessageTable, user_uuid: UUID, *, now: datetime) -> Iterator[Conversation]:
    """Leave every conversation there is an entry of; yields each after each write into it, as it is then.

    What cannot be left because it is malformed keeps its entry; the first MalformedItem is raised when all others are
    left. 1 call for each 100 entries, and those of `leave_one`. Repeatable; raises Unavailable.
    """
    malformed: list[MalformedItem] = []
    for page in entry_pages(table, user_uuid):
        for item in page:
            try:
                group_uuid = uuid_in_key(item, "sk", "")
            except MalformedItem:
                # Nothing but their own partition tells of it: it is theirs, and of no conversation.
                with translated_errors():
                    table.client.delete_item(TableName=table.name, Key=key(item["pk"]["S"], item["sk"]["S"]))
                continue
            try:
                yield from leave_one(table, group_uuid, user_uuid, now=now)
            except MalformedItem as error:
                malformed.append(error)
    if malformed:
        raise malformed[0]


def leave_one(table: MessageTable, group_uuid: UUID, user_uuid: UUID, *, now: datetime) -> Iterator[Conversation]:
    """Leave a conversation: 1 call and 1 write unit; 1 for each 25 messages of it, and 1 more where some are one's own,
    with 2 write units for each of those and 2 for the conversation; at last 1 for the entry, with 3 write units.

    Raises MalformedItem, once what can be erased is erased, where the conversation or a message cannot be understood.
    """
    conversation, left_now = _note(table, group_uuid, user_uuid)
    if conversation is not None:
        if left_now:
            yield conversation
        yield from _erase(table, conversation, user_uuid, now=now)
    with translated_errors():
        table.client.delete_item(TableName=table.name, Key=entry_key(user_uuid, group_uuid))


def erase_outside(table: MessageTable, group_uuid: UUID, user_uuid: UUID, *, now: datetime) -> Iterator[Conversation]:
    """Erase what a person wrote into a conversation of others; yields it after each write. Costs as `leave_one`."""
    conversation = table.conversation(group_uuid)
    if conversation is not None:
        yield from _erase(table, conversation, user_uuid, now=now)


def _note(table: MessageTable, group_uuid: UUID, user_uuid: UUID) -> tuple[Conversation | None, bool]:
    """The conversation, which knows by then that the person left, and whether that is new.

    None when there is no such conversation or they are no member of it.
    """
    written: list[Item] = []

    def write() -> None:
        answer = table.client.update_item(
            TableName=table.name,
            Key=conversation_key(group_uuid),
            UpdateExpression=f"ADD left_uuids :members SET version = version + :one, {transactions.NAME_REQUEST}",
            ConditionExpression="contains(member_uuids, :me) "
            "AND (attribute_not_exists(left_uuids) OR NOT contains(left_uuids, :me))",
            ExpressionAttributeValues={
                ":members": {"BS": [user_uuid.bytes]},
                ":me": uuid_bytes(user_uuid),
                ":one": number(1),
                **transactions.request_value(),
            },
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
        written.append(answer["Attributes"])

    try:
        found = refused(write)
    except ServiceError as error:
        if error_code(error) == "ValidationException":
            # An attribute is of another type than the expression needs: reading it says which.
            table.conversation(group_uuid)
        raise
    if written and found is None:
        return conversation_from(written[-1]), True
    conversation = conversation_from(found) if found else None
    return (conversation if conversation and user_uuid in conversation.member_uuids else None), False


def _erase(
    table: MessageTable, conversation: Conversation, user_uuid: UUID, *, now: datetime
) -> Iterator[Conversation]:
    """Make tombstones of all that the person wrote there, the newest first; yields the conversation after each write.

    Only `version` and, where the newest message goes, the preview change: nothing becomes new and nothing moves. Of a
    malformed message its writer is enough; raises MalformedItem at the end for one without.
    """
    before: str | None = None
    unreadable: list[MalformedItem] = []
    while True:
        page = table.message_items_before(conversation.group_uuid, before, limit=MESSAGES_A_PAGE)
        if own := [message for item in page if (message := _to_erase(item, user_uuid, unreadable.append))]:
            changed = _amend(table, conversation, [deleted(message, now=now) for message in own])
            if changed is None:
                # Something else was written meanwhile, perhaps one of these messages: look again.
                conversation = _as_it_is(table, conversation)
                continue
            conversation = changed
            yield conversation
        if len(page) < MESSAGES_A_PAGE:
            break
        before = page[0]["sk"]["S"]
    if unreadable:
        raise unreadable[0]


def _to_erase(item: Item, user_uuid: UUID, unreadable: Callable[[MalformedItem], object]) -> Message | None:
    """The message of an item if this person wrote it and it is not erased; without what cannot be read of it."""
    if "deleted_at" in item and "message" not in item:
        return None
    try:
        message = message_from(item)
    except MalformedItem as error:
        try:
            writer = uuid_text_at(item, "user_uuid")
        except MalformedItem as nobody:
            unreadable(nobody)
            return None
        if writer != user_uuid:
            return None
        if "deleted_at" in item:
            # Its text is there, and no update of ours would take it away.
            unreadable(error)
            return None
        message = Message(uuid_in_key(item, "pk", GROUP_PREFIX), item["sk"]["S"], 0, "", UUID(int=0), user_uuid)
    return message if message.user_uuid == user_uuid and not message.deleted_at else None


def _amend(table: MessageTable, conversation: Conversation, tombstones: list[Message]) -> Conversation | None:
    """The conversation once these are stored, all or none; None when a condition failed. 1 call."""
    newest = tombstones[-1]
    outside = newest.user_uuid not in conversation.member_uuids
    change = transactions.amend_conversation(table.name, conversation, newest, by_outsider=outside)
    try:
        transact(table.client, [change, *(transactions.amend_message(table.name, each) for each in tombstones)])
    except TransactionRefused:
        return None
    is_newest = newest.created_at == conversation.last_sk
    return replace(conversation, version=conversation.version + 1, message="" if is_newest else conversation.message)


def _as_it_is(table: MessageTable, conversation: Conversation) -> Conversation:
    now = table.conversation(conversation.group_uuid)
    if now is None:
        raise Unavailable
    return now
