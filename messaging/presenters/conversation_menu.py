"""What a member can do with a conversation, as its menu shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cruddur.web.cached_urls import cached_url
from messaging.domain.folders import ARCHIVED, INBOX, list_key
from messaging.queries.conversations import Thread


@dataclass(frozen=True, slots=True)
class Options:
    """The menu of a conversation."""

    url: str
    """The menu as a page."""
    close_url: str
    mute_url: str
    muted: bool
    archive_url: str
    archived: bool
    can_archive: bool
    """Not what stands in neither list: a request, or what is blocked."""
    unread_url: str
    """Empty where the newest message is one's own, or not read."""
    block_url: str
    """Empty where there is nobody to block; so below."""
    unblock_url: str
    report_url: str
    blocks: bool
    """Whether the member blocks the other."""


def options(thread: Thread, *, now: datetime) -> Options:
    """The menu for the member whose entry it is."""
    conversation, entry = thread.conversation, thread.entry
    group_uuid, others = conversation.group_uuid, entry.other_uuids
    can_mark = conversation.last_user_uuid != entry.user_uuid and entry.inbox is not None
    return Options(
        url=cached_url("conversation_options", group_uuid),
        close_url=cached_url("conversation", group_uuid),
        mute_url=cached_url("mute", group_uuid),
        muted=entry.is_muted(now),
        archive_url=cached_url("archive", group_uuid),
        archived=entry.inbox == list_key(entry.user_uuid, ARCHIVED),
        can_archive=entry.inbox in (list_key(entry.user_uuid, INBOX), list_key(entry.user_uuid, ARCHIVED)),
        unread_url=cached_url("mark_unread", group_uuid) if can_mark else "",
        block_url=_url_with("block", others),
        unblock_url=_url_with("unblock", others),
        report_url=cached_url("report_conversation", group_uuid),
        blocks=entry.user_uuid in conversation.blocked_by,
    )


def _url_with(name: str, others: frozenset[UUID]) -> str:
    if len(others) != 1:
        return ""
    (other,) = others
    return cached_url(name, other)
