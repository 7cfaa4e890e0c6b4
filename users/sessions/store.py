"""Django's database sessions with two lifetimes, whose end also closes their streams. SESSION_ENGINE.

Signing out, signing in as somebody else and a new key all delete a session, so each of them tells the listeners.
"""

from __future__ import annotations

import re
import time
from dataclasses import asdict
from datetime import timedelta
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.utils import timezone

from . import listeners
from .columns import BEGAN_AT, absolute_expiry, columns_of
from .models import Session

RENEWALS = 14
"""How often an idle lifetime is renewed in its own length: each renewal writes, so that most requests do not."""
KEY = re.compile(r"[0-9a-z]{8,40}", re.ASCII)


def is_session_key(text: str) -> bool:
    """Return whether a cookie's value can be a session's key. Postgres must not be asked about any other text.

    A quoted cookie can hold a NUL, which fails a statement: also one about the sessions of many people.
    """
    return KEY.fullmatch(text) is not None


class SessionStore(db.SessionStore):
    """Django's, but a session also ends when it is too old, and its end closes its streams."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        row = cast("Session", super().create_model_instance(data))
        for name, value in asdict(columns_of(data)).items():
            setattr(row, name, value)
        return row

    def _validate_session_key(self, key: str | None) -> bool:
        """Override Django's check, which accepts eight characters of any kind."""
        return key is not None and is_session_key(key)

    def load(self) -> dict[str, Any]:
        row = Session.objects.filter(session_key=self.session_key, expire_date__gt=timezone.now()).first()
        if row is None:
            self._session_key = None
            return {}
        session = self.decode(row.session_data)
        if absolute_expiry(session) < timezone.now():
            self.delete(row.session_key)
            self._session_key = None
            return {}
        idle = timedelta(seconds=settings.SESSION_COOKIE_AGE)
        is_to_be_renewed = row.expire_date - timezone.now() < idle - idle / RENEWALS
        if session and (is_to_be_renewed or row.absolute_expiry is None):
            self.modified = True
        return session

    def save(self, must_create: bool = False) -> None:
        # Creating a session must not read its data, which would create it again.
        if not must_create:
            self.setdefault(BEGAN_AT, int(time.time()))
        super().save(must_create=must_create)

    def cycle_key(self) -> None:
        """Give the session a new key and a new beginning, unless somebody is signed in.

        With somebody signed in, Django calls this when the session's hash was made with an older SECRET_KEY. The key
        does not depend on that secret, and a new key would close the user's streams and send their pages to the
        landing page.
        """
        if SESSION_KEY in self:
            return
        super().cycle_key()
        self[BEGAN_AT] = int(time.time())

    def delete(self, session_key: str | None = None) -> None:
        """Delete the session with this key, by default this one, and tell the listeners. One SQL statement."""
        ended = session_key or self.session_key
        if ended:
            Session.objects.filter(session_key=ended).delete()
            listeners.session_ended(ended)
