"""Look people up, and load the people of the seed file."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction

from cruddur.text import is_too_long

from .handles import HANDLE_MAX_CHARS, HandleError, skeleton
from .models import MOCK, User

SEED_FILE = Path(settings.BASE_DIR) / "messaging" / "seed" / "people.json"


@dataclass(frozen=True, slots=True)
class SeedPerson:
    """A person as the seed file defines them."""

    handle: str
    display_name: str
    email: str
    bio: str


def people_by_uuid(uuids: Iterable[uuid.UUID]) -> dict[uuid.UUID, User]:
    """Return the people with these uuids, closed accounts too, in one SQL statement.

    Omits unknown uuids and people who asked for their account to be deleted: nobody sees them from then on.
    """
    return User.objects.filter(deletion_asked_at=None).in_bulk(set(uuids))


def person_by_handle(handle: str) -> User | None:
    """Return the person with this handle (case-insensitive), also an inactive one."""
    # The skeleton is indexed and ignores case in every locale; look-alikes share it, so compare the letters too.
    if "\x00" in handle or is_too_long(handle, at_most=HANDLE_MAX_CHARS):
        return None
    person = User.objects.filter(handle_skeleton=skeleton(handle)).first()
    return person if person and person.handle.casefold() == handle.casefold() else None


def person_who_had(handle: str) -> User | None:
    """Return the deleted account with this handle or one that looks like it. The handle stays reserved."""
    return User.objects.filter(handle_skeleton=skeleton(handle), deleted_at__isnull=False).first()


def seeded_people(path: Path = SEED_FILE) -> Sequence[SeedPerson]:
    """Return the people of the seed file, in its order."""
    return [SeedPerson(**fields) for fields in json.loads(path.read_text(encoding="utf-8"))]


def seed_people(path: Path = SEED_FILE) -> tuple[Sequence[User], Sequence[User]]:
    """Create the people of the seed file that do not exist yet, not tied to Cognito. Returns (created, already there).

    Repeatable: whoever has the handle already is not touched.
    """
    created, found = [], []
    with transaction.atomic():
        for seed in seeded_people(path):
            # A deleted account is not restored, and its handle stays reserved.
            if person := person_by_handle(seed.handle) or person_who_had(seed.handle):
                found.append(person)
                continue
            created.append(
                User.objects.create_user(
                    handle=seed.handle,
                    display_name=seed.display_name,
                    email=seed.email,
                    bio=seed.bio,
                    cognito_user_id=MOCK,
                )
            )
    return created, found


def require_free(handle: str) -> None:
    """Raise `HandleError`, handle_taken or handle_confusable, when someone has this handle or one that looks like it.

    Only for a better message in time: the database decides when the person is saved.
    """
    other = User.objects.filter(handle_skeleton=skeleton(handle)).first()
    if other is not None:
        same = other.handle.casefold() == handle.casefold() or other.deleted_at is not None
        raise HandleError("handle_taken" if same else "handle_confusable")
