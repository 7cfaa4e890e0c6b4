"""How fast a person may write, to everyone, to one conversation, and to people whom they have never written to."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from cruddur.rate_limits import LIMITS, take_all
from users.models import User


def take_to_write(person: User, group_uuid: UUID, *, now: datetime, begins: bool = False) -> None:
    """Take all that one message needs (one SQL statement); `begins`: it is the first. Raises RateLimited."""
    who = str(person.uuid)
    wanted = [(LIMITS["messages"], who), (LIMITS["messages_to_one"], f"{who}:{group_uuid}")]
    if begins:
        wanted.append((LIMITS["new_conversations"], who))
        if now - person.created_at < timedelta(days=settings.NEW_ACCOUNT_DAYS):
            wanted.append((LIMITS["new_conversations_new_account"], who))
    take_all(wanted, now=now)
