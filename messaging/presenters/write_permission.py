"""Whether a member may write in a conversation, and if not, why: templates and scripts know these values."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from messaging.domain.entities import Conversation


class WritePermission(StrEnum):
    """Whether a member may write, and what the page offers."""

    OPEN = "open"
    REQUEST = "request"
    """The other sent a request; writing accepts it."""
    WAITING = "waiting"
    """The other has not accepted the member's request."""
    BLOCKING = "blocking"
    """The member blocks the other."""
    CLOSED = "closed"
    """Nobody may write, for a reason that the member is not told."""


def write_permission(conversation: Conversation, user_uuid: UUID) -> WritePermission:
    """Return the permission of this member. A member with a waiting request does not learn of a block."""
    if user_uuid in conversation.blocked_by:
        return WritePermission.BLOCKING
    if conversation.awaiting not in (None, user_uuid):
        return WritePermission.WAITING
    if conversation.is_closed_to(user_uuid):
        return WritePermission.CLOSED
    return WritePermission.REQUEST if conversation.awaiting else WritePermission.OPEN
