"""Django's sessions in the database, whose end also ends their streams. SESSION_ENGINE names this module.

Signing out, signing in as somebody else and a new key all delete a session: here none can be forgotten.
"""

from __future__ import annotations

from django.contrib.sessions.backends import db

from . import publishing


class SessionStore(db.SessionStore):
    """As Django's."""

    def delete(self, session_key: str | None = None) -> None:
        """Delete the session of this key, or this one; its streams are told once that is done."""
        ended = session_key or self.session_key
        super().delete(session_key)
        if ended:
            publishing.session_ended(ended)
