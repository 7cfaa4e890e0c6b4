"""How somebody leaves their conversations for good: what deleting an account does to the table.

First the conversation notes that they left, and from then on nothing they or, where nobody else is left, others write
goes in: what they have written is all there is. Then their messages become tombstones. Their entry goes last: while it
is there something may be left to do, so that all of this can stop anywhere and be done again. Knows no Django.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from uuid import UUID

from messaging.domain.entities import Conversation, Message
from messaging.domain.transitions import deleted
from messaging.dynamodb.client import Unavailable
from messaging.dynamodb.codec import Item, key_of, message_from, uuid_in_key, uuid_text_at
from messaging.dynamodb.keys import GROUP_PREFIX, key
from messaging.dynamodb.malformed import MalformedItem
from messaging.dynamodb.table import ConversationMoved, MessageTable, optimistically

MESSAGES_A_PAGE = 25
"""As many become tombstones in one transaction: 52 write units, which a table of 5 a second has saved up in 10 s."""


def leave_all(table: MessageTable, user_uuid: UUID, *, now: datetime) -> Iterator[Conversation]:
    """Leave every conversation there is an entry of; yields each after each write into it, as it is then.

    What cannot be left because it is malformed keeps its entry; the first MalformedItem is raised when all others are
    left. 1 call for each 100 entries, and those of `leave_one`. Repeatable; raises Unavailable.
    """
    malformed: list[MalformedItem] = []
    for page in table.entry_pages(user_uuid):
        for item in page.items:
            try:
                group_uuid = uuid_in_key(item, "sk", "")
            except MalformedItem:
                # Nothing but their own partition tells of it: it is theirs, and of no conversation.
                table.delete_item(key(*key_of(item)))
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
    conversation, left_now = table.leave(group_uuid, user_uuid)
    if conversation is not None:
        if left_now:
            yield conversation
        yield from _erase(table, conversation, user_uuid, now=now)
    table.delete_entry(user_uuid, group_uuid)


def erase_outside(table: MessageTable, group_uuid: UUID, user_uuid: UUID, *, now: datetime) -> Iterator[Conversation]:
    """Erase what a person wrote into a conversation of others; yields it after each write. Costs as `leave_one`."""
    conversation = table.conversation(group_uuid)
    if conversation is not None:
        yield from _erase(table, conversation, user_uuid, now=now)


def _erase(
    table: MessageTable, conversation: Conversation, user_uuid: UUID, *, now: datetime
) -> Iterator[Conversation]:
    """Make tombstones of all that the person wrote there, the newest first; yields the conversation after each write.

    Only `version` and, where the newest message goes, the preview change: nothing becomes new and nothing moves. Of a
    malformed message its writer is enough; raises MalformedItem at the end for one without.
    """
    before: str | None = None
    unreadable: list[MalformedItem] = []

    def write(current: Conversation, _attempt: int) -> tuple[Sequence[Item], Conversation, bool]:
        """Return the page, the conversation as it is then, and whether it was written."""
        page = table.message_items_before(current.group_uuid, before, limit=MESSAGES_A_PAGE)
        own = [message for item in page if (message := _to_erase(item, user_uuid, unreadable.append))]
        if not own:
            return page, current, False
        return page, table.erase(current, [deleted(message, now=now) for message in own]), True

    while True:
        # Something else may be written meanwhile, perhaps one of these messages: then the page is read again.
        page, conversation, written = optimistically(write, conversation, read_again=_current)
        if written:
            yield conversation
        if len(page) < MESSAGES_A_PAGE:
            break
        before = key_of(page[0])[1]
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
        message = Message(uuid_in_key(item, "pk", GROUP_PREFIX), key_of(item)[1], 0, "", UUID(int=0), user_uuid)
    return message if message.user_uuid == user_uuid and not message.deleted_at else None


def _current(moved: ConversationMoved) -> Conversation:
    if moved.now is None:
        raise Unavailable
    return moved.now
