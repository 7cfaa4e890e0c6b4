"""The table of sessions."""

from __future__ import annotations

from importlib import import_module

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models

from users.models import User


class Session(AbstractBaseSession):
    """A session, with copies of what its data say, so that SQL can find sessions without decoding them.

    `SessionStore` writes the copies with each save. Rows that the release before wrote lack them until then:
    `absolute_expiry` is null in those alone. See `legacy_rows`.
    """

    # Without a constraint: adding one locks the table of users, and a session of a missing user is nobody's anyway.
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="+", db_constraint=False, db_index=False)
    """Who is signed in. Null for a visitor, as while somebody signs in."""
    auth_hash = models.CharField(max_length=64, db_default="")
    """Proves that the session is newer than the user's last sign-out everywhere. Empty for a visitor."""
    absolute_expiry = models.DateTimeField(null=True)
    """When the session ends however much it is used. `expire_date` is when it ends if it is not used."""

    class Meta:
        db_table = "django_session"
        indexes = [models.Index(fields=["user"], name="sessions_by_user")]

    @classmethod
    def get_session_store_class(cls) -> type[SessionBase]:
        store: type[SessionBase] = import_module(settings.SESSION_ENGINE).SessionStore
        return store
