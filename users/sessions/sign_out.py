"""Ending every session of a user."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from django.db import transaction

from users.models import User

from . import listeners
from .legacy_rows import fill_all_columns
from .models import Session


def sign_out_everywhere(user: User) -> None:
    """End every session and every stream of the user. They may sign in again if they are active.

    One statement deletes the sessions. The row of a session that 0.2.0 wrote may not name its user, so a second
    statement replaces the random text in the password field, from which the hash in each session is made.
    """
    with transaction.atomic():
        Session.objects.filter(user=user).delete()
        user.set_unusable_password()
        user.save(update_fields=["password"])
        listeners.user_signed_out(user.uuid)


def delete_sessions(user_uuid: UUID) -> Iterator[int]:
    """Delete the user's sessions with the messages they hold, and yield how many were deleted.

    Sessions of 0.2.0 get their columns first; yields 0 after each 500 of those.
    """
    for _ in fill_all_columns():
        yield 0
    deleted, _ = Session.objects.filter(user=user_uuid).delete()
    yield deleted
