"""The list of conversations as its template shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from django.utils.translation import ngettext

from cruddur.web.cached_urls import cached_url
from messaging.dynamodb.items import Entry
from users.models import User

from .avatar import Face, deleted_face, faces_of, joined_names
from .dates import Moment, list_time


@dataclass(frozen=True, slots=True)
class Row:
    """A conversation in the list."""

    url: str
    name: str
    avatar: Face
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
    """created_at of the last message: what the list is ordered by."""
    last_seq: int
    read_seq: int
    sent_seq: int
    muted: bool
    muted_until: int
    """Seconds since 1970; 0 for not at all."""


@dataclass(frozen=True, slots=True)
class RequestsRow:
    """What leads to the requests that wait."""

    url: str
    count: str
    """At most a page of them are counted: "20+"."""
    preview: str
    """Who they are from."""


@dataclass(frozen=True, slots=True)
class InboxPage:
    """A page of conversations, newest first."""

    rows: Sequence[Row]
    unread: int
    """Sum over the rows that are not muted."""
    requests: RequestsRow | None = None
    older_url: str = ""
    older_rows_url: str = ""
    """Where the earlier rows alone are, for the script."""
    newest_url: str = ""
    """Back to the first page; empty on it."""


def inbox_page(
    entries: Sequence[Entry],
    people: Mapping[UUID, User],
    *,
    older: str | None,
    first: bool,
    now: datetime,
    current: UUID | None = None,
    url: str = "",
) -> InboxPage:
    """The page made of `entries`; `current` is the open conversation, whose messages count as being read.

    `url` is that of another list than the inbox.
    """
    rows = [row(entry, people, now=now, current=entry.group_uuid == current) for entry in entries]
    rows_url = "" if url else cached_url("inbox_rows")
    url = url or cached_url("conversations")
    return InboxPage(
        rows=rows,
        unread=sum(each.unread for each in rows if not each.muted),
        older_url=f"{url}?{urlencode({'before': older})}" if older else "",
        older_rows_url=f"{rows_url}?{urlencode({'before': older})}" if older and rows_url else "",
        newest_url="" if first else url,
    )


def row(entry: Entry, people: Mapping[UUID, User], *, now: datetime, current: bool) -> Row:
    """One conversation of the list; its address ends in `#new` where something is unread."""
    unread = 0 if current else entry.unread
    faces = faces_of(entry.other_uuids, people)
    url = cached_url("conversation", entry.group_uuid)
    return Row(
        url=f"{url}#new" if unread else url,
        name=joined_names(faces),
        avatar=faces[0] if faces else deleted_face(),
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


def requests_row(entries: Sequence[Entry], people: Mapping[UUID, User], *, more: bool) -> RequestsRow:
    """The way to these requests, newest first, and perhaps more; at least one."""
    first = joined_names(faces_of(entries[0].other_uuids, people))
    others = len(entries) - 1
    preview = first
    if others:
        preview = ngettext("%(name)s and %(others)s other", "%(name)s and %(others)s others", others) % {
            "name": first,
            "others": f"{others}+" if more else others,
        }
    return RequestsRow(cached_url("message_requests"), f"{len(entries)}+" if more else str(len(entries)), preview)


def people_of(entries: Sequence[Entry]) -> set[UUID]:
    """Whom a page of these entries names."""
    return {uuid for entry in entries for uuid in entry.other_uuids}
