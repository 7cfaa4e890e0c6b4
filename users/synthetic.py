"""Create invented people in bulk, for tests and measurements with much data."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import BigIntegerField, Max
from django.db.models.functions import Cast, Substr

from cruddur.problem import Problem

from .handles import skeleton
from .models import MOCK, User
from .search_index import search_text

PREFIX = "synthetic_"
"""Prefix of their handles, followed by a number, so that they are recognizable as invented."""
TAKEN = rf"^{PREFIX}[0-9]{{1,15}}$"
RUN_NAMESPACE = uuid.UUID("c1f0b7f4-0d0e-5c5c-8a57-3b8f6f0f2d51")
"""Namespace of the uuids. Changing it would create the people of earlier runs again."""
BATCH = 1000
"""Rows per statement."""
NAMES = Path(__file__).parent / "synthetic_names.json"


class PeopleGone(Problem):
    """Only some of the people that an earlier run of the same name created still exist."""


class HandlesTaken(Problem):
    """Handles were taken between the check and the insert."""


@dataclass(frozen=True, slots=True)
class SyntheticPeople:
    """People created together: @synthetic_<first> and so on."""

    first: int
    uuids: Sequence[uuid.UUID]
    """In the order of the handles."""
    created_at: datetime
    found: bool = False
    """Whether an earlier run created them."""

    def handle(self, index: int) -> str:
        """Return the handle of the person at this index of `uuids`."""
        return f"{PREFIX}{self.first + index}"


def synthetic_people(
    number: int, *, run: str, created_at: datetime, random: Random, made: Callable[[int], object] = lambda number: None
) -> SyntheticPeople:
    """Return the people of a run of this name: those an earlier one made, or new ones, as below.

    Raises PeopleGone when only some of them are there, HandlesTaken.
    """
    uuids = [uuid.uuid5(RUN_NAMESPACE, f"{run}/{index}") for index in range(number)]
    there = User.objects.filter(pk__in=uuids).count()
    if not there:
        return create_synthetic_people(number, created_at=created_at, random=random, uuids=uuids, made=made)
    if there < number:
        msg = f"Of the {number:,} people of this --random-seed {there:,} are left: give another one."
        raise PeopleGone(msg)
    eldest = User.objects.get(pk=uuids[0])
    made(number)
    return SyntheticPeople(int(eldest.handle.removeprefix(PREFIX)), uuids, eldest.created_at, found=True)


def create_synthetic_people(
    number: int,
    *,
    created_at: datetime,
    random: Random,
    uuids: Sequence[uuid.UUID] = (),
    made: Callable[[int], object] = lambda number: None,
) -> SyntheticPeople:
    """Create so many people, not tied to Cognito, all or none of them; `made` is called with each number saved.

    Their handles are always new, and their uuids where none are given; `random` decides what they are called. Raises
    HandlesTaken.
    """
    first = _first_free_number()
    uuids = uuids or [uuid.uuid4() for _ in range(number)]
    try:
        with transaction.atomic():
            for start in range(0, number, BATCH):
                indexes = range(start, min(start + BATCH, number))
                people = [_person(uuids[index], first + index, random) for index in indexes]
                User.objects.bulk_create(people)
                batch = [person.uuid for person in people]
                # The field defaults to now, but these people must be older than their messages.
                User.objects.filter(pk__in=batch).update(created_at=created_at)
                made(len(batch))
    except IntegrityError as error:
        msg = f"Nobody was created: someone took a handle like @{PREFIX}{first} at this moment. Run this again."
        raise HandlesTaken(msg) from error
    return SyntheticPeople(first, uuids, created_at)


def _first_free_number() -> int:
    """Return the number after the highest that follows `PREFIX` in a handle."""
    numbers = User.objects.filter(handle__iregex=TAKEN).annotate(
        number=Cast(Substr("handle", len(PREFIX) + 1), BigIntegerField())
    )
    highest: int | None = numbers.aggregate(highest=Max("number"))["highest"]
    return (highest or 0) + 1


def _person(user_uuid: uuid.UUID, number: int, random: Random) -> User:
    """Return an unsaved person with the fields that `User.save` would compute."""
    handle = f"{PREFIX}{number}"
    name = display_name(random)
    person = User(
        uuid=user_uuid,
        handle=handle,
        handle_skeleton=skeleton(handle),
        display_name=name,
        search_text=search_text(handle=handle, display_name=name),
        email=f"{handle}@cruddur.example",
        cognito_user_id=MOCK,
    )
    person.set_unusable_password()
    return person


def display_name(random: Random) -> str:
    """Return a random plausible name; two thirds are in Latin letters."""
    (style,) = random.choices(_styles(), weights=[style["weight"] for style in _styles()])
    pattern: str = random.choice(style["names"])
    return pattern.format(given=random.choice(style["given"]), family=random.choice(style["family"]))


@cache
def _styles() -> list[dict[str, Any]]:
    """Return the styles of names: patterns, given and family names, and their weights."""
    styles: list[dict[str, Any]] = json.loads(NAMES.read_text(encoding="utf-8"))
    return styles
