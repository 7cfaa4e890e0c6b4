"""Sessions that 0.2.0 wrote, which lack the columns of this release.

Each gets them at its next save. This module is for callers that need them before. Remove it, and the null of
`Session.absolute_expiry`, in the release after the next: no session is older than SESSION_DAYS.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import asdict

from django.db.models import QuerySet

from .columns import columns_of
from .models import Session
from .store import SessionStore

ROWS_A_STATEMENT = 500


def fill_columns(session_keys: Collection[str]) -> None:
    """Fill the columns of those of these sessions that lack them. Two SQL statements."""
    _fill(Session.objects.filter(session_key__in=session_keys, absolute_expiry=None))


def fill_all_columns() -> Iterator[int]:
    """Fill the columns of every session that lacks them; yield the number of rows after each 500."""
    while filled := _fill(Session.objects.filter(absolute_expiry=None)[:ROWS_A_STATEMENT]):
        yield filled


def _fill(sessions: QuerySet[Session]) -> int:
    store = SessionStore()
    rows = list(sessions)
    for row in rows:
        for name, value in asdict(columns_of(store.decode(row.session_data))).items():
            setattr(row, name, value)
    if rows:
        Session.objects.bulk_update(rows, ["user", "auth_hash", "absolute_expiry"])
    return len(rows)
