"""Counts what a person has not read, over all their conversations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from messaging.dynamodb.connection import message_table
from messaging.dynamodb.items import user_pk

TOTAL_CONVERSATIONS = 100


@dataclass(frozen=True, slots=True)
class UnreadTotal:
    """Unread messages in the newest `TOTAL_CONVERSATIONS` conversations."""

    count: int
    more: bool
    """Whether conversations beyond those exist."""


def unread_total(*, user_uuid: UUID, now: datetime) -> UnreadTotal:
    """Count the messages that a person has not read, except muted and archived ones and requests (1 call)."""
    entries = message_table().inbox(user_pk(user_uuid), user_uuid, before=None, limit=TOTAL_CONVERSATIONS + 1).entries
    newest = entries[:TOTAL_CONVERSATIONS]
    return UnreadTotal(
        sum(entry.unread for entry in newest if not entry.is_muted(now)), more=len(entries) > len(newest)
    )
