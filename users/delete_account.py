"""The row of a person whose account is deleted: first marked, at last empty; it keeps their handle from others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import transaction

from .models import ANYONE, User

SESSIONS_A_STATEMENT = 500


def mark(*, user_uuid: UUID, now: datetime) -> bool:
    """Note that the person's account is to be deleted; whether it was not noted before.

    From the moment this is committed nobody signs in with it, none of its sessions is anyone's, and pages show "Deleted
    user". It is never taken back.
    """
    person = User(uuid=user_uuid)
    person.set_unusable_password()
    waiting = User.objects.filter(uuid=user_uuid, deletion_asked_at=None)
    return bool(
        waiting.update(
            deletion_asked_at=now,
            is_active=False,
            is_staff=False,
            is_superuser=False,
            # Sessions prove themselves by it.
            password=person.password,
        )
    )


def waiting() -> list[UUID]:
    """Whose accounts are to be deleted, the longest waiting first. One SQL statement."""
    rows = User.objects.filter(deletion_asked_at__isnull=False, deleted_at=None).order_by("deletion_asked_at", "uuid")
    return list(rows.values_list("uuid", flat=True))


def delete_sessions(user_uuid: UUID) -> Iterator[int]:
    """Delete the person's sessions, which hold what they wrote last; yields how many, for each 500 sessions there are.

    A session says only inside whose it is, so all of them are looked at.
    """
    store = SessionStore()
    after = ""
    while True:
        rows = list(Session.objects.filter(session_key__gt=after).order_by("session_key")[:SESSIONS_A_STATEMENT])
        if not rows:
            return
        own = [row.session_key for row in rows if store.decode(row.session_data).get(SESSION_KEY) == str(user_uuid)]
        deleted, _ = Session.objects.filter(session_key__in=own).delete() if own else (0, {})
        yield deleted
        after = rows[-1].session_key


def empty(*, user_uuid: UUID, now: datetime) -> None:
    """Take everything out of the row but its uuid, its dates, and what keeps others from the handle."""
    with transaction.atomic():
        person = User.objects.select_for_update().get(uuid=user_uuid, deletion_asked_at__isnull=False)
        if person.deleted_at is not None:
            return
        person.groups.clear()
        person.user_permissions.clear()
        User.objects.filter(uuid=user_uuid).update(
            # Nobody can have or type such a handle.
            handle=f"-{user_uuid.hex[:29]}",
            display_name="",
            search_text="",
            email="",
            bio="",
            cognito_user_id=f"deleted-{user_uuid}",
            last_login=None,
            has_notice=False,
            may_write=ANYONE,
            requested_at=None,
            deleted_at=now,
        )
