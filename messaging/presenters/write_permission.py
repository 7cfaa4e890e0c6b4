"""Whether a member may write in a conversation, and what stands in the way, as templates and scripts know it."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from messaging.domain.entities import Conversation


class Standing(StrEnum):
    """How a member stands in a conversation."""

    OPEN = "open"
    REQUEST = "request"
    """The other wants to write; the member has not accepted. An answer accepts."""
    WAITING = "waiting"
    """The other has not accepted."""
    BLOCKING = "blocking"
    """The member blocks."""
    CLOSED = "closed"
    """Nothing can be written; why is not said."""


def standing(conversation: Conversation, user_uuid: UUID) -> Standing:
    """Of this member. Who waits to be accepted does not learn of a block."""
    if user_uuid in conversation.blocked_by:
        return Standing.BLOCKING
    if conversation.awaiting not in (None, user_uuid):
        return Standing.WAITING
    if conversation.is_closed_to(user_uuid):
        return Standing.CLOSED
    return Standing.REQUEST if conversation.awaiting else Standing.OPEN
