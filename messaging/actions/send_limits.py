"""How fast a person may write, to everyone, to one conversation, and to people whom they have never written to."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from cruddur.web.rate_limits import LIMITS, take_all
from users.models import User


def take_to_write(person: User, group_uuid: UUID, *, now: datetime) -> None:
    """Take what a message or an edit needs (one SQL statement). Raises RateLimited.

    When it is the person's turn to write, so that waiting in vain costs nothing; at once for a form with a mistake.
    """
    who = str(person.uuid)
    take_all([(LIMITS["messages"], who), (LIMITS["messages_to_one"], f"{who}:{group_uuid}")], now=now)


def take_to_begin(person: User, *, now: datetime) -> None:
    """Take what a first message needs besides, once its text can be sent (one SQL statement). Raises RateLimited.

    There are few of these for each day: a form that comes back with a mistake costs none.
    """
    who = str(person.uuid)
    wanted = [(LIMITS["new_conversations"], who)]
    if now - person.created_at < timedelta(days=settings.NEW_ACCOUNT_DAYS):
        wanted.append((LIMITS["new_conversations_new_account"], who))
    take_all(wanted, now=now)
