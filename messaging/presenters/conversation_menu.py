"""The menu of a conversation: mute, archive, mark unread, block, report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cruddur.web.cached_urls import cached_url
from messaging.domain.folders import ARCHIVED, INBOX, list_key
from messaging.queries.conversations import ConversationPage


@dataclass(frozen=True, slots=True)
class ConversationMenu:
    """What a member can do with the conversation."""

    url: str
    """The menu as a page."""
    close_url: str
    mute_url: str
    muted: bool
    archive_url: str
    archived: bool
    can_archive: bool
    """False for a request and while the member blocks: these are in neither inbox nor archive."""
    unread_url: str
    """Empty where the member sent the newest message."""
    block_url: str
    """Empty where there is nobody to block, like `unblock_url`."""
    unblock_url: str
    report_url: str
    blocks: bool
    """Whether the member blocks the other."""


def conversation_menu(thread: ConversationPage, *, now: datetime) -> ConversationMenu:
    """Return the menu for the member who reads the conversation."""
    conversation, entry = thread.conversation, thread.entry
    group_uuid, others = conversation.group_uuid, entry.other_uuids
    can_mark = conversation.last_user_uuid != entry.user_uuid and entry.inbox is not None
    return ConversationMenu(
        url=cached_url("conversation_menu", group_uuid),
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
