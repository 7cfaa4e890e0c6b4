"""The list of conversations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from cruddur.web.cached_urls import cached_url
from messaging.domain.entities import Entry
from users.models import User

from .avatar import PersonView, deleted_person, join_names, person_views
from .dates import Moment, list_time
from .message_requests import RequestsRow


@dataclass(frozen=True, slots=True)
class ConversationRow:
    """A conversation in the list."""

    url: str
    name: str
    avatar: PersonView
    time: Moment
    preview: str
    """Empty when the last message was deleted."""
    own: bool
    """Whether the last message is the reader's."""
    unread: int
    current: bool
    """Whether this is the conversation that is open."""
    group: str
    at: str
    """created_at of the last message, by which the list is sorted."""
    last_seq: int
    read_seq: int
    sent_seq: int
    muted: bool
    muted_until: int
    """Unix timestamp in seconds; 0 for not muted."""


@dataclass(frozen=True, slots=True)
class ConversationListView:
    """A page of conversations, newest first."""

    rows: Sequence[ConversationRow]
    unread: int
    """Sum over the rows that are not muted."""
    requests: RequestsRow | None = None
    older_url: str = ""
    older_rows_url: str = ""
    """Returns the earlier rows without a page, for the script."""
    newest_url: str = ""
    """The first page; empty on the first page itself."""


def conversation_list_view(
    entries: Sequence[Entry],
    people: Mapping[UUID, User],
    *,
    older: str | None,
    first: bool,
    now: datetime,
    current: UUID | None = None,
    url: str = "",
) -> ConversationListView:
    """Return a page of the list; `current` is the open conversation, whose messages count as read.

    `url` is the address of the list if it is not the inbox.
    """
    rows = [conversation_row(entry, people, now=now, current=entry.group_uuid == current) for entry in entries]
    rows_url = "" if url else cached_url("conversation_rows")
    url = url or cached_url("conversations")
    return ConversationListView(
        rows=rows,
        unread=sum(each.unread for each in rows if not each.muted),
        older_url=f"{url}?{urlencode({'before': older})}" if older else "",
        older_rows_url=f"{rows_url}?{urlencode({'before': older})}" if older and rows_url else "",
        newest_url="" if first else url,
    )


def conversation_row(entry: Entry, people: Mapping[UUID, User], *, now: datetime, current: bool) -> ConversationRow:
    """Return the row of one conversation; its address ends in `#new` where messages are unread."""
    unread = 0 if current else entry.unread
    views = person_views(entry.other_uuids, people)
    url = cached_url("conversation", entry.group_uuid)
    return ConversationRow(
        url=f"{url}#new" if unread else url,
        name=join_names(views),
        avatar=views[0] if views else deleted_person(),
        time=list_time(entry.last_message, now=now),
        preview=entry.message,
        own=entry.last_user_uuid == entry.user_uuid,
        unread=unread,
        current=current,
        group=str(entry.group_uuid),
        at=entry.last_message_at,
        last_seq=entry.last_seq,
        read_seq=entry.read_seq,
        sent_seq=entry.sent_seq,
        muted=entry.is_muted(now),
        muted_until=entry.muted_until,
    )


def people_of(entries: Sequence[Entry]) -> set[UUID]:
    """Return the users that a page of these entries names."""
    return {uuid for entry in entries for uuid in entry.other_uuids}
