"""A conversation: its messages by day, and where the new ones begin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby, pairwise
from urllib.parse import urlencode
from uuid import UUID

from django.utils import timezone

from cruddur.web.cached_urls import cached_url
from messaging.domain.entities import Conversation, Message
from messaging.queries.conversations import ConversationPage
from users.models import User

from .avatar import PersonView, deleted_person, join_names, person_view, person_views
from .dates import Moment, clock_time, day_label
from .rich_text import Part, is_emoji, parts
from .write_permission import WritePermission, write_permission

CONTINUED_WITHIN = timedelta(minutes=5)
PROFILE_OF_ONE = 1


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message."""

    created_at: str
    """Identifies the message in addresses."""
    seq: int
    user_uuid: str
    sender: PersonView
    own: bool
    parts: tuple[Part, ...]
    emoji: bool
    """Whether the text is a few emoji and nothing else."""
    time: Moment
    continued: bool = False
    """Whether it follows a message of the same sender within minutes, so that it needs no avatar."""
    new: int = 0
    """Above 0 on the first new message: how many are new."""
    sent: bool = False
    """Whether it is the reader's own newest message, under which the page shows "Sent", or the script "Seen"."""
    edited: bool = False
    deleted: bool = False
    """Whether only its tombstone is left."""
    menu_url: str = ""
    """The page of its menu; empty for a tombstone."""


@dataclass(frozen=True, slots=True)
class Day:
    """The messages of one day in the reader's time zone."""

    date: str
    label: str
    messages: Sequence[MessageView]


@dataclass(frozen=True, slots=True)
class ConversationView:
    """A window of a conversation."""

    group_uuid: UUID
    name: str
    avatar: PersonView
    handle: str
    """Empty for groups and deleted users."""
    profile_url: str
    url: str
    days: Sequence[Day]
    live: SyncState
    newest_url: str
    newest_window_url: str
    """Returns the newest messages without a page, for the script; the other `_window_url` work the same way."""
    older_url: str = ""
    older_window_url: str = ""
    newer_url: str = ""
    newer_window_url: str = ""
    new: int = 0
    """How many messages are new, in this window or after it."""
    read_seq: int = 0
    read_url: str = ""
    write_permission: WritePermission = WritePermission.OPEN
    answer_url: str = ""
    """Accepts or declines a request."""

    @property
    def writable(self) -> bool:
        """Whether the page shows the composer."""
        return self.write_permission in (WritePermission.OPEN, WritePermission.REQUEST)


@dataclass(frozen=True, slots=True)
class SyncState:
    """What the page knows of its conversation, with which its script requests what it lacks."""

    version: int
    last_seq: int
    newest: str
    """created_at of the newest message."""
    sync_url: str
    typing_url: str


def conversation_view(page: ConversationPage, people: Mapping[UUID, User], *, now: datetime) -> ConversationView:
    """Return the window as the member who loaded it sees it."""
    others = person_views(page.entry.other_uuids, people)
    only = others[0] if len(others) == PROFILE_OF_ONE else deleted_person()
    url = cached_url("conversation", page.conversation.group_uuid)
    window_url = cached_url("message_window", page.conversation.group_uuid)
    return ConversationView(
        group_uuid=page.conversation.group_uuid,
        name=join_names(others),
        avatar=others[0] if others else deleted_person(),
        handle=only.handle,
        profile_url=only.url,
        url=url,
        days=days(page, people, now=now),
        newest_url=f"{url}?newest",
        newest_window_url=window_url,
        live=sync_state(page.conversation),
        older_url=_cursor(url, "before", page.older),
        older_window_url=_cursor(window_url, "before", page.older),
        newer_url=_cursor(url, "after", page.newer),
        newer_window_url=_cursor(window_url, "after", page.newer),
        new=count_new(page),
        read_seq=page.entry.read_seq,
        read_url=cached_url("mark_read", page.conversation.group_uuid),
        write_permission=write_permission(page.conversation, page.entry.user_uuid),
        answer_url=cached_url("answer_request", page.conversation.group_uuid),
    )


def sync_state(conversation: Conversation) -> SyncState:
    """Return what the page knows of this conversation."""
    group_uuid = conversation.group_uuid
    return SyncState(
        version=conversation.version,
        last_seq=conversation.seq,
        newest=conversation.last_sk,
        sync_url=cached_url("sync", group_uuid),
        typing_url=cached_url("typing", group_uuid),
    )


def days(page: ConversationPage, people: Mapping[UUID, User], *, now: datetime) -> list[Day]:
    """Return the messages of the window by day."""
    today = timezone.localdate(now)
    return [
        Day(date=day.isoformat(), label=day_label(day, today=today), messages=list(group))
        for day, group in _by_day(message_views(page, people), page.messages)
    ]


def message_views(page: ConversationPage, people: Mapping[UUID, User]) -> list[MessageView]:
    """Return the messages of the window, oldest first."""
    reader, first_unread = page.entry.user_uuid, page.first_unread
    last_sent = page.conversation.sent_by(reader).seq
    senders = {uuid: person_view(people.get(uuid)) for uuid in {message.user_uuid for message in page.messages}}
    found = [
        replace(
            message_view(message, senders[message.user_uuid], own=message.user_uuid == reader),
            new=count_new(page) if message is first_unread else 0,
            sent=message.seq == last_sent and not message.deleted_at,
        )
        for message in page.messages
    ]
    for index, (before, message) in enumerate(pairwise(page.messages), start=1):
        if _continues(before, message) and not found[index].new:
            found[index] = replace(found[index], continued=True)
    return found


def own_message(user_uuid: UUID) -> MessageView:
    """Return an empty message of the user, which the script copies for a message that is being sent."""
    return MessageView(
        created_at="",
        seq=0,
        user_uuid=str(user_uuid),
        sender=deleted_person(),
        own=True,
        parts=(),
        emoji=False,
        time=Moment("", "", ""),
    )


def message_view(message: Message, sender: PersonView, *, own: bool) -> MessageView:
    """Return a message without what depends on the messages around it: whether it is new or continues another."""
    return MessageView(
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
    """Return the page of the message's menu."""
    return cached_url("message_menu", message.group_uuid, message.created_at)


def count_new(page: ConversationPage) -> int:
    """Count the messages of others that the member has not read.

    Exact within the window. Outside of it only the member's last message is known, and what came before that counts
    as read, as it does in the list.
    """
    conversation, entry, window = page.conversation, page.entry, page.messages
    written = max(entry.sent_seq, conversation.sent_by(entry.user_uuid).seq)
    shown = [m.seq for m in window if m.seq > entry.read_seq and m.user_uuid != entry.user_uuid]
    if not window:
        return 0
    above = max(0, window[0].seq - 1 - max(entry.read_seq, min(written, window[0].seq - 1)))
    below = max(0, conversation.seq - max(window[-1].seq, entry.read_seq, written))
    return above + len(shown) + below


def people_of(page: ConversationPage) -> set[UUID]:
    """Return the users that the page names: members and senders."""
    return {*page.conversation.member_uuids, *(message.user_uuid for message in page.messages)}


def _by_day(found: Sequence[MessageView], messages: Sequence[Message]) -> list[tuple[date, list[MessageView]]]:
    dated = zip((timezone.localdate(message.created) for message in messages), found, strict=True)
    return [(day, [bubble for _, bubble in group]) for day, group in groupby(dated, key=lambda pair: pair[0])]


def _continues(before: Message, message: Message) -> bool:
    """Return whether the message continues the one before: same sender, same day, within five minutes."""
    return (
        before.user_uuid == message.user_uuid
        and message.created - before.created <= CONTINUED_WITHIN
        and timezone.localdate(before.created) == timezone.localdate(message.created)
    )


def _cursor(url: str, name: str, created_at: str | None) -> str:
    return f"{url}?{urlencode({name: created_at})}" if created_at else ""
