"""What the columns of a session copy from its data."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

BEGAN_AT = "began_at"
"""When the session got its key, in seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a session. Their names are those of the model's fields."""

    user_id: UUID | None
    auth_hash: str
    absolute_expiry: datetime


def columns_of(session: Mapping[str, Any]) -> Columns:
    """Return the columns for a session's data, read as `django.contrib.auth.get_user` reads them."""
    user_uuid = _user_of(session)
    auth_hash = session.get(HASH_SESSION_KEY, "") if user_uuid else ""
    return Columns(user_uuid, auth_hash, absolute_expiry(session))


def absolute_expiry(session: Mapping[str, Any]) -> datetime:
    """Return when a session ends however much it is used. A session without a beginning begins now."""
    began_at: float = session.get(BEGAN_AT, time.time())
    return datetime.fromtimestamp(began_at + settings.SESSION_ABSOLUTE_AGE, UTC)


def _user_of(session: Mapping[str, Any]) -> UUID | None:
    if session.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return None
    try:
        return UUID(session[SESSION_KEY])
    except (KeyError, ValueError):
        return None
