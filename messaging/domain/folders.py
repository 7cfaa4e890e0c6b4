"""The lists of a person, and into which of them a conversation belongs. Pure.

An entry names its list in `inbox`, which is the member's own: the projection never writes it.
"""

from __future__ import annotations

from uuid import UUID

from .entities import Conversation

USER_PREFIX = "GRP#"
"""Begins the name of each list of a person, and the partition of their entries."""
INBOX, REQUESTS, ARCHIVED = "", "#requests", "#archived"


def list_key(user_uuid: UUID, which: str = INBOX) -> str:
    """One of a person's lists, as the entries in it name it."""
    return f"{USER_PREFIX}{user_uuid}{which}"


def home_of(conversation: Conversation, user_uuid: UUID) -> str | None:
    """The list of a member that a conversation belongs into, unless they have put it elsewhere; None for none."""
    if user_uuid in conversation.blocked_by:
        return None
    return list_key(user_uuid, REQUESTS if conversation.awaiting == user_uuid else INBOX)
