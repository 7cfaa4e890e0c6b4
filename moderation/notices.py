"""Warnings, shown to a user on every page until they acknowledge them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest

from users.models import User

from .models import Decision, Notice


def give(*, person_uuid: UUID, decision: Decision, text: str, now: datetime) -> Notice:
    """Warn a user with this text, because of this decision."""
    with transaction.atomic():
        notice = Notice.objects.create(person_uuid=person_uuid, decision=decision, text=text, created_at=now)
        User.objects.filter(pk=person_uuid).update(has_notice=True)
    return notice


def oldest(person: User) -> Notice | None:
    """Return the first notice that the user has not acknowledged."""
    return Notice.objects.filter(person_uuid=person.uuid, acknowledged_at=None).order_by("created_at", "pk").first()


def acknowledge(*, person: User, pk: int, now: datetime) -> None:
    """Store that the user has read their notice; do nothing for another user's or an acknowledged one."""
    with transaction.atomic():
        # Lock the user before the notices: a new notice then waits, and sets the flag again.
        User.objects.select_for_update().get(pk=person.pk)
        mine = Notice.objects.filter(person_uuid=person.uuid, acknowledged_at=None)
        mine.filter(pk=pk).update(acknowledged_at=now)
        User.objects.filter(pk=person.pk).update(has_notice=mine.exists())


def waiting_notice(request: HttpRequest) -> dict[str, Callable[[], Notice | None]]:
    """Return `waiting_notice` for templates (a context processor): reads Postgres only if used and the user has one."""

    def notice() -> Notice | None:
        person = request.user
        return oldest(person) if isinstance(person, User) and person.has_notice else None

    return {"waiting_notice": notice}
