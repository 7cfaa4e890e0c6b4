"""A conversation as its template shows it: days, bubbles, and where the new messages begin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby, pairwise
from urllib.parse import urlencode
from uuid import UUID

from django.utils import timezone

from cruddur.web.cached_urls import cached_url
from messaging.dynamodb.items import Conversation, Message
from messaging.queries.conversations import Thread
from users.models import User

from .avatar import Face, deleted_face, face, faces_of, joined_names
from .dates import Moment, clock_time, day_label
from .rich_text import Part, is_emoji, parts
from .write_permission import Standing, standing

CONTINUED_WITHIN = timedelta(minutes=5)
PROFILE_OF_ONE = 1


@dataclass(frozen=True, slots=True)
class Bubble:
    """A message."""

    created_at: str
    """Its address."""
    seq: int
    user_uuid: str
    sender: Face
    own: bool
    parts: tuple[Part, ...]
    emoji: bool
    """Whether it is a few emoji and nothing else."""
    time: Moment
    continued: bool = False
    """Whether it follows the same person's message closely, and so needs no picture."""
    new: int = 0
    """Above 0 on the first new message: how many are new."""
    sent: bool = False
    """Whether "Sent" stands under it, where script says when it was seen: the newest of the reader's own."""
    edited: bool = False
    deleted: bool = False
    """Whether only its tombstone is left."""
    menu_url: str = ""
    """Where the reader finds what can be done with it; empty when nothing can."""


@dataclass(frozen=True, slots=True)
class Day:
    """The messages of one day in the reader's time zone."""

    date: str
    label: str
    messages: Sequence[Bubble]


@dataclass(frozen=True, slots=True)
class ThreadPage:
    """A window of a conversation."""

    group_uuid: UUID
    name: str
    avatar: Face
    handle: str
    """Empty for groups and deleted users."""
    profile_url: str
    url: str
    days: Sequence[Day]
    live: LivePlace
    newest_url: str
    newest_window_url: str
    """Where the newest messages alone are, for the script; likewise the older and newer ones below."""
    older_url: str = ""
    older_window_url: str = ""
    newer_url: str = ""
    newer_window_url: str = ""
    new: int = 0
    """How many messages are new, in this window or after it."""
    read_seq: int = 0
    read_url: str = ""
    write_permission: Standing = Standing.OPEN
    answer_url: str = ""
    """Where a request is accepted or declined."""

    @property
    def writable(self) -> bool:
        return self.write_permission in (Standing.OPEN, Standing.REQUEST)


@dataclass(frozen=True, slots=True)
class LivePlace:
    """What a page says of its conversation, so that its script can tell what has happened since."""

    version: int
    last_seq: int
    newest: str
    """created_at of the newest message there was."""
    sync_url: str
    typing_url: str


def thread_page(thread: Thread, people: Mapping[UUID, User], *, now: datetime) -> ThreadPage:
    """The window as the member sees it who loaded it."""
    faces = faces_of(thread.entry.other_uuids, people)
    only = faces[0] if len(faces) == PROFILE_OF_ONE else deleted_face()
    url = cached_url("conversation", thread.conversation.group_uuid)
    window_url = cached_url("message_window", thread.conversation.group_uuid)
    return ThreadPage(
        group_uuid=thread.conversation.group_uuid,
        name=joined_names(faces),
        avatar=faces[0] if faces else deleted_face(),
        handle=only.handle,
        profile_url=only.url,
        url=url,
        days=days(thread, people, now=now),
        newest_url=f"{url}?newest",
        newest_window_url=window_url,
        live=live_place(thread.conversation),
        older_url=_cursor(url, "before", thread.older),
        older_window_url=_cursor(window_url, "before", thread.older),
        newer_url=_cursor(url, "after", thread.newer),
        newer_window_url=_cursor(window_url, "after", thread.newer),
        new=new_count(thread),
        read_seq=thread.entry.read_seq,
        read_url=cached_url("mark_read", thread.conversation.group_uuid),
        write_permission=standing(thread.conversation, thread.entry.user_uuid),
        answer_url=cached_url("answer_request", thread.conversation.group_uuid),
    )


def live_place(conversation: Conversation) -> LivePlace:
    group_uuid = conversation.group_uuid
    return LivePlace(
        version=conversation.version,
        last_seq=conversation.seq,
        newest=conversation.last_sk,
        sync_url=cached_url("catch_up", group_uuid),
        typing_url=cached_url("typing", group_uuid),
    )


def days(thread: Thread, people: Mapping[UUID, User], *, now: datetime) -> list[Day]:
    """The window's messages, by day."""
    today = timezone.localdate(now)
    return [
        Day(date=day.isoformat(), label=day_label(day, today=today), messages=list(group))
        for day, group in _by_day(bubbles(thread, people), thread.messages)
    ]


def bubbles(thread: Thread, people: Mapping[UUID, User]) -> list[Bubble]:
    """The window's messages, oldest first."""
    reader, first_unread = thread.entry.user_uuid, thread.first_unread
    last_sent = thread.conversation.sent_by(reader).seq
    faces = {uuid: face(people.get(uuid)) for uuid in {message.user_uuid for message in thread.messages}}
    found = [
        replace(
            bubble(message, faces[message.user_uuid], own=message.user_uuid == reader),
            new=new_count(thread) if message is first_unread else 0,
            sent=message.seq == last_sent and not message.deleted_at,
        )
        for message in thread.messages
    ]
    for index, (before, message) in enumerate(pairwise(thread.messages), start=1):
        if _continues(before, message) and not found[index].new:
            found[index] = replace(found[index], continued=True)
    return found


def own_message(user_uuid: UUID) -> Bubble:
    """What script copies for a message that is being sent: the person's own, without a text, a number or a time."""
    return Bubble(
        created_at="",
        seq=0,
        user_uuid=str(user_uuid),
        sender=deleted_face(),
        own=True,
        parts=(),
        emoji=False,
        time=Moment("", "", ""),
    )


def bubble(message: Message, sender: Face, *, own: bool) -> Bubble:
    """A message by itself: whether it is new, or continues another one, is for the page that it comes into."""
    return Bubble(
        created_at=message.created_at,
        seq=message.seq,
        user_uuid=str(message.user_uuid),
        sender=sender,
        own=own,
        parts=tuple(parts(message.message)),
        emoji=is_emoji(message.message),
        time=clock_time(message.created),
        edited=bool(message.edited_at),
        deleted=bool(message.deleted_at),
        menu_url="" if message.deleted_at else menu_url(message),
    )


def menu_url(message: Message) -> str:
    return cached_url("message_actions", message.group_uuid, message.created_at)


def new_count(thread: Thread) -> int:
    """How many of others' messages the member has not read.

    Exact where the window shows them all; of what lies outside the window, own messages are known only as the last
    one written, and what came before it counts as read, as it does in the list.
    """
    conversation, entry, window = thread.conversation, thread.entry, thread.messages
    written = max(entry.sent_seq, conversation.sent_by(entry.user_uuid).seq)
    shown = [m.seq for m in window if m.seq > entry.read_seq and m.user_uuid != entry.user_uuid]
    if not window:
        return 0
    above = max(0, window[0].seq - 1 - max(entry.read_seq, min(written, window[0].seq - 1)))
    below = max(0, conversation.seq - max(window[-1].seq, entry.read_seq, written))
    return above + len(shown) + below


def people_of(thread: Thread) -> set[UUID]:
    """Whom the page of this thread names: members, and whoever wrote in it."""
    return {*thread.conversation.member_uuids, *(message.user_uuid for message in thread.messages)}


def _by_day(found: Sequence[Bubble], messages: Sequence[Message]) -> list[tuple[date, list[Bubble]]]:
    dated = zip((timezone.localdate(message.created) for message in messages), found, strict=True)
    return [(day, [bubble for _, bubble in group]) for day, group in groupby(dated, key=lambda pair: pair[0])]


def _continues(before: Message, message: Message) -> bool:
    """Whether the message belongs to the group of the one before: same person, same day, within five minutes."""
    return (
        before.user_uuid == message.user_uuid
        and message.created - before.created <= CONTINUED_WITHIN
        and timezone.localdate(before.created) == timezone.localdate(message.created)
    )


def _cursor(url: str, name: str, created_at: str | None) -> str:
    return f"{url}?{urlencode({name: created_at})}" if created_at else ""
