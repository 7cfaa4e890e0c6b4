"""After draining: the table equals the model, promise by promise, in raw items and in what people are shown."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any
from uuid import UUID

from messaging.domain.entities import SENDS_KEPT, Conversation, Entry, Message, Send, Sent
from messaging.domain.folders import INBOX, REQUESTS, list_key
from messaging.dynamodb.codec import conversation_from, entry_from, message_from
from messaging.dynamodb.keys import CONVERSATION_SK, user_pk
from messaging.queries import conversations
from messaging.queries.conversations import ConversationNotFound
from tests.messaging.unread_total import unread_total

from .looks import whole_list
from .model import Story, preview
from .tally import Broken, BrokenPromise
from .world import OUTSIDER, World


def check(world: World) -> None:
    """Hold the whole table against the model. Nothing may be on its way. Raises BrokenPromise."""
    found, messages, entries = items_of(world)
    for message in messages:
        _story(world, message.group_uuid).see(message)
    pairs = [conversation.member_uuids for conversation in found]
    if len(set(pairs)) < len(pairs):
        raise BrokenPromise(Broken.DUPLICATED, f"two people have two conversations: {pairs}")
    for conversation in found:
        _check_conversation(world, _story(world, conversation.group_uuid), conversation)
    for story in world.stories.values():
        if story.newest and story.group_uuid not in {conversation.group_uuid for conversation in found}:
            raise BrokenPromise(Broken.LOST, f"the conversation of {story.members} is gone")
        _check_sendings(world, story)
    _check_entries(world, found, entries)
    for person in world.people:
        _check_list(world, person, found, entries)
    for conversation in filter(lambda each: each.begun, found):
        one, other = sorted(conversation.member_uuids)
        _check_reach_backwards(one, world.stories[conversation.group_uuid])
        _check_reach_forwards(other, world.stories[conversation.group_uuid])
    _check_outsider(found)
    world.noted("tables checked")
    world.tally.outcomes["messages found as acknowledged"] += sum(len(story.stored) for story in world.stories.values())


def items_of(world: World) -> tuple[list[Conversation], list[Message], list[Entry]]:
    """Return all conversations, messages and entries by key."""
    found: list[Conversation] = []
    messages: list[Message] = []
    entries: list[Entry] = []
    pages = world.table.client.get_paginator("scan").paginate(TableName=world.table.name, ConsistentRead=True)
    items: Iterable[Any] = (item for page in pages for item in page["Items"])
    for item in sorted(items, key=lambda item: (item["pk"]["S"], item["sk"]["S"])):
        try:
            if item["sk"]["S"] == CONVERSATION_SK:
                found.append(conversation_from(item))
            elif item["pk"]["S"].startswith("MSG#"):
                messages.append(message_from(item))
            else:
                entries.append(entry_from(item))
        except (KeyError, ValueError) as error:
            raise BrokenPromise(Broken.OTHER, f"{item} is no item") from error
    return found, messages, entries


def _story(world: World, group_uuid: UUID) -> Story:
    if group_uuid not in world.stories:
        raise BrokenPromise(Broken.DUPLICATED, f"nobody has a conversation {group_uuid}")
    return world.stories[group_uuid]


def _check_conversation(world: World, story: Story, conversation: Conversation) -> None:
    """Check that messages are numbered 1 to n in the order of time and that the conversation matches them."""
    if not conversation.begun:
        if story.stored or conversation.blocked_by != story.blockers or conversation.awaiting:
            raise BrokenPromise(Broken.OTHER, f"{conversation} is not what blocking made: {story}")
        return
    messages = [story.stored[seq].now for seq in sorted(story.stored)]
    if [message.seq for message in messages] != list(range(1, conversation.seq + 1)):
        raise BrokenPromise(Broken.LOST, f"{conversation} has the messages {[each.seq for each in messages]}")
    if any(one.created_at >= other.created_at for one, other in pairwise(messages)):
        raise BrokenPromise(Broken.OUT_OF_ORDER, f"{[each.created_at for each in messages]}")
    story.hold_block(messages)
    story.hold_requests()
    newest = messages[-1]
    sent = {
        member: Sent(
            mine[-1].seq, tuple(Send(each.message_uuid, each.created_at) for each in mine[: -SENDS_KEPT - 1 : -1])
        )
        for member in story.members
        if (mine := [message for message in messages if message.user_uuid == member])
    }
    expected = Conversation(
        group_uuid=story.group_uuid,
        member_uuids=story.members,
        seq=len(messages),
        version=conversation.version,
        last_sk=newest.created_at,
        message=preview(newest.message),
        last_user_uuid=newest.user_uuid,
        sent=sent,
        blocked_by=story.blockers,
        awaiting=story.awaiting,
    )
    if conversation != expected or conversation.version < conversation.seq:
        raise BrokenPromise(Broken.OTHER, f"{conversation} does not follow from its messages: {expected}")


def _check_sendings(world: World, story: Story) -> None:
    """Check that acknowledged messages are stored, and unacknowledged ones at most once."""
    for sending in story.sendings.values():
        if sending.must_be_stored and sending.seq is None:
            raise BrokenPromise(Broken.LOST, f"said to be stored, it is not: {sending}")
        if sending.unknown:
            world.noted(
                "sends of unknown outcome: not stored"
                if sending.seq is None
                else "sends of unknown outcome: stored once"
            )


def _check_entries(world: World, found: list[Conversation], entries: list[Entry]) -> None:
    """Check that each member, and nobody else, has the entry that follows from the conversation."""
    wanted = {(member, each.group_uuid): each for each in found if each.begun for member in each.member_uuids}
    there = {(entry.user_uuid, entry.group_uuid): entry for entry in entries}
    if missing := wanted.keys() - there.keys():
        raise BrokenPromise(Broken.LOST, f"these entries are missing: {missing}")
    if extra := there.keys() - wanted.keys():
        raise BrokenPromise(Broken.LEAKED, f"these entries are of no member: {extra}")
    for key, entry in there.items():
        conversation, reading = wanted[key], world.stories[entry.group_uuid].readings[entry.user_uuid]
        messages = world.stories[entry.group_uuid].stored
        if entry.read_seq < reading.acknowledged or entry.read_seq not in reading.tried:
            raise BrokenPromise(Broken.UNREAD, f"{reading}, but the entry is {entry}")
        reading.acknowledged = entry.read_seq
        expected = Entry(
            user_uuid=entry.user_uuid,
            group_uuid=conversation.group_uuid,
            member_uuids=conversation.member_uuids,
            last_message_at=conversation.last_sk,
            message=conversation.message,
            last_user_uuid=conversation.last_user_uuid,
            last_seq=conversation.seq,
            sent_seq=conversation.sent_by(entry.user_uuid).seq,
            version=conversation.version,
            inbox=_list_of(world.stories[entry.group_uuid], entry.user_uuid),
            read_seq=entry.read_seq,
            read_sk=messages[entry.read_seq].now.created_at if entry.read_seq else "",
        )
        if entry != expected:
            raise BrokenPromise(Broken.LISTS, f"{entry} should be {expected}")
        last = max(entry.read_seq, entry.sent_seq)
        others = sum(seq > last and each.now.user_uuid != entry.user_uuid for seq, each in messages.items())
        if entry.unread != others:
            raise BrokenPromise(Broken.UNREAD, f"{others} messages are unread, but the entry is {entry}")


def _list_of(story: Story, person: UUID) -> str | None:
    """Return the list in which the person has the conversation."""
    if person in story.blockers or (story.awaiting == person and story.declined):
        return None
    return list_key(person, REQUESTS if story.awaiting == person else INBOX)


def _check_list(world: World, person: UUID, found: list[Conversation], entries: list[Entry]) -> None:
    """Check a person's list page by page: all conversations, newest first, and the unread total."""
    shown = whole_list(person)
    mine = {entry.group_uuid: entry for entry in entries if entry.inbox == user_pk(person)}
    order = [entry.last_message_at for entry in shown]
    if order != sorted(order, reverse=True) or sorted(entry.group_uuid for entry in shown) != sorted(mine):
        raise BrokenPromise(Broken.LISTS, f"the list of {person} is {shown}, of {found}")
    if any(entry.unread != mine[entry.group_uuid].unread for entry in shown):
        raise BrokenPromise(Broken.UNREAD, f"the list of {person} is {shown}, its entries are {mine}")
    if unread_total(user_uuid=person, now=world.time).count != sum(entry.unread for entry in mine.values()):
        raise BrokenPromise(Broken.UNREAD, f"the total of {person} is not the sum of {mine}")


def _check_reach_backwards(person: UUID, story: Story) -> None:
    """Check that a member reaches every message by cursors from the newest."""
    window = conversations.load_conversation(user_uuid=person, group_uuid=story.group_uuid)
    shown = [*window.messages]
    while window.older:
        window = conversations.load_conversation(user_uuid=person, group_uuid=story.group_uuid, before=window.older)
        shown = [*window.messages, *shown]
    _hold_reach(person, story, shown)


def _check_reach_forwards(person: UUID, story: Story) -> None:
    """Check that a member reaches every message by cursors from the first."""
    window = conversations.load_conversation(
        user_uuid=person, group_uuid=story.group_uuid, around=story.stored[1].now.created_at
    )
    shown = [*window.messages]
    while window.newer:
        window = conversations.load_conversation(user_uuid=person, group_uuid=story.group_uuid, after=window.newer)
        shown += window.messages
    _hold_reach(person, story, shown)


def _hold_reach(person: UUID, story: Story, shown: list[Message]) -> None:
    everything = [story.stored[seq].now for seq in sorted(story.stored)]
    if shown != everything:
        raise BrokenPromise(Broken.LOST, f"{person} reaches {shown} of {everything}")


def _check_outsider(found: list[Conversation]) -> None:
    for conversation in found:
        try:
            conversations.load_conversation(user_uuid=OUTSIDER, group_uuid=conversation.group_uuid)
        except ConversationNotFound:
            continue
        raise BrokenPromise(Broken.LEAKED, f"an outsider is shown {conversation}")
    if conversations.list_conversations(user_uuid=OUTSIDER).entries:
        raise BrokenPromise(Broken.LEAKED, "an outsider has a list")
