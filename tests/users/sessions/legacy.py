"""Sessions in tests that are as version 0.2.0 wrote them."""

from __future__ import annotations

from users.sessions.models import Session


def forget_columns() -> None:
    """Make the rows of all sessions as 0.2.0 writes them."""
    Session.objects.update(user=None, auth_hash="", absolute_expiry=None)
