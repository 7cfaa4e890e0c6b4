"""Django's sessions in the database, with two lifetimes, and whose end also ends their streams. SESSION_ENGINE.

Signing out, signing in as somebody else and a new key all delete a session: here none can be forgotten.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from . import publish

BEGAN_AT = "began_at"
"""When the session got its key, in seconds since 1970."""
RENEWALS = 14
"""How often an idle lifetime is renewed in its own length: each renewal writes, so that most requests do not."""
KEY = re.compile(r"[0-9a-z]{8,40}", re.ASCII)


def is_session_key(text: str) -> bool:
    """Return whether a cookie's value can be a session's key. Postgres must not be asked about any other text.

    A quoted cookie can hold a NUL, which fails a statement: also one about the sessions of many people.
    """
    return KEY.fullmatch(text) is not None


def is_over(session: Mapping[str, Any]) -> bool:
    """Whether the session has been there for too long, however busy it was."""
    age: float = time.time() - session.get(BEGAN_AT, time.time())
    return age > float(settings.SESSION_ABSOLUTE_AGE)


class SessionStore(db.SessionStore):
    """As Django's, but a session ends when it was idle or has been there for too long, and tells its streams."""

    def _validate_session_key(self, key: str | None) -> bool:
        """Override Django's check, which asks for eight characters of any kind."""
        return key is not None and is_session_key(key)

    def load(self) -> dict[str, Any]:
        row = Session.objects.filter(session_key=self.session_key, expire_date__gt=timezone.now()).first()
        if row is None:
            self._session_key = None
            return {}
        session = self.decode(row.session_data)
        if is_over(session):
            self.delete(row.session_key)
            self._session_key = None
            return {}
        idle = timedelta(seconds=settings.SESSION_COOKIE_AGE)
        if session and row.expire_date - timezone.now() < idle - idle / RENEWALS:
            self.modified = True
        return session

    def save(self, must_create: bool = False) -> None:
        # While a session is made, what is in it is not to be asked for: it would be made to ask.
        if not must_create:
            self.setdefault(BEGAN_AT, int(time.time()))
        super().save(must_create=must_create)

    def cycle_key(self) -> None:
        """A new key for the same session, which begins anew; not for one that is somebody's.

        That is where Django found it signed with a SECRET_KEY of before. The key follows from no secret, and a new one
        would end the person's streams: their pages would leave for the front page, perhaps with the old cookie.
        """
        if SESSION_KEY in self:
            return
        super().cycle_key()
        self[BEGAN_AT] = int(time.time())

    def delete(self, session_key: str | None = None) -> None:
        """Delete the session of this key, or this one; its streams are told once that is done."""
        ended = session_key or self.session_key
        super().delete(session_key)
        if ended:
            publish.session_ended(ended)
