"""Which sessions are valid and whose they are, for many sessions at once and without decoding them."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db import DatabaseError, InterfaceError
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from users.models import User

from .legacy_rows import fill_columns
from .models import Session

KEYS_A_STATEMENT = 500


class SessionsUnavailable(Exception):
    """Sessions cannot be read now."""


def users_of(session_keys: Collection[str]) -> dict[str, UUID]:
    """Map each valid session key to its active user's uuid; omit all others. One SQL statement for 500 keys.

    Raises SessionsUnavailable.
    """
    keys = list(session_keys)
    found: dict[str, UUID] = {}
    try:
        for start in range(0, len(keys), KEYS_A_STATEMENT):
            found |= _users_of(keys[start : start + KEYS_A_STATEMENT])
    except (DatabaseError, InterfaceError) as error:
        raise SessionsUnavailable from error
    return found


def _users_of(session_keys: list[str]) -> dict[str, UUID]:
    rows = _rows(session_keys)
    if legacy := [row.session_key for row in rows if row.absolute_expiry is None]:
        fill_columns(legacy)
        rows = _rows(session_keys)
    return {row.session_key: row.user.uuid for row in rows if row.user and _is_valid(row, row.user)}


def _rows(session_keys: list[str]) -> list[Session]:
    rows = Session.objects.filter(session_key__in=session_keys, expire_date__gt=timezone.now())
    columns = ("auth_hash", "absolute_expiry", "user", "user__is_active", "user__password")
    return list(rows.select_related("user").only(*columns))


def _is_valid(session: Session, user: User) -> bool:
    if not user.is_active or session.absolute_expiry is None or session.absolute_expiry < timezone.now():
        return False
    hashes = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    return any(constant_time_compare(session.auth_hash, each) for each in hashes)
