"""Delete a person's row: mark it first, empty it at the end. The row stays, so that the handle remains reserved."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from .models import ANYONE, User


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
            # Invalidates all sessions, whose hash depends on it.
            password=person.password,
        )
    )


def waiting() -> list[UUID]:
    """Return the uuids of accounts to be deleted, oldest request first. One SQL statement."""
    rows = User.objects.filter(deletion_asked_at__isnull=False, deleted_at=None).order_by("deletion_asked_at", "uuid")
    return list(rows.values_list("uuid", flat=True))


def empty(*, user_uuid: UUID, now: datetime) -> None:
    """Take everything out of the row but its uuid, its dates, and what keeps others from the handle."""
    with transaction.atomic():
        person = User.objects.select_for_update().get(uuid=user_uuid, deletion_asked_at__isnull=False)
        if person.deleted_at is not None:
            return
        person.groups.clear()
        person.user_permissions.clear()
        User.objects.filter(uuid=user_uuid).update(
            # Not a valid handle, so nobody can have or type it.
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
