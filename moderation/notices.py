"""Warnings: shown to a person on their next page, and on every one after it until they have acknowledged them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest

from users.models import User

from .models import Decision, Notice


def give(*, person_uuid: UUID, decision: Decision, text: str, now: datetime) -> Notice:
    """Warn a person, in these words, because of this decision."""
    with transaction.atomic():
        notice = Notice.objects.create(person_uuid=person_uuid, decision=decision, text=text, created_at=now)
        User.objects.filter(pk=person_uuid).update(has_notice=True)
    return notice


def oldest(person: User) -> Notice | None:
    """The first notice that the person has not acknowledged."""
    return Notice.objects.filter(person_uuid=person.uuid, acknowledged_at=None).order_by("created_at", "pk").first()


def acknowledge(*, person: User, pk: int, now: datetime) -> None:
    """Note that the person has read a notice of theirs; another's and one of before stay as they are."""
    with transaction.atomic():
        # Before the notices, so that one given meanwhile waits and sets the flag again.
        User.objects.select_for_update().get(pk=person.pk)
        mine = Notice.objects.filter(person_uuid=person.uuid, acknowledged_at=None)
        mine.filter(pk=pk).update(acknowledged_at=now)
        User.objects.filter(pk=person.pk).update(has_notice=mine.exists())


def waiting_notice(request: HttpRequest) -> dict[str, Callable[[], Notice | None]]:
    """Context processor: `waiting_notice`, asked for only by a template that uses it, and only of who has one."""

    def notice() -> Notice | None:
        person = request.user
        return oldest(person) if isinstance(person, User) and person.has_notice else None

    return {"waiting_notice": notice}
