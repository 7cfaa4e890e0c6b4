"""A user as pages show them: name, address, and an avatar of initials on a colour that never changes."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext_lazy

from cruddur.web.cached_urls import cached_url
from users.models import User

COLOURS = 8
DELETED_NAME = gettext_lazy("Deleted user")
DELETED_INITIALS = "\N{EN DASH}"


@dataclass(frozen=True, slots=True)
class PersonView:
    """A user, or a deleted user: then `handle` and `url` are empty."""

    name: str
    initials: str
    colour: int
    """0 to 7, the modifier of `avatar--`."""
    handle: str = ""
    url: str = ""


def deleted_person() -> PersonView:
    """Return the view of a deleted user."""
    return PersonView(name=str(DELETED_NAME), initials=DELETED_INITIALS, colour=0)


def person_view(person: User | None) -> PersonView:
    """Return the view of a user, or of a deleted user for None."""
    if person is None:
        return deleted_person()
    return person_view_from(uuid=person.uuid, name=person.display_name, handle=person.handle)


def person_view_from(*, uuid: UUID, name: str, handle: str) -> PersonView:
    """Return the view of a user from these fields alone."""
    return PersonView(
        name=name,
        initials=initials(name),
        colour=uuid.int % COLOURS,
        handle=handle,
        url=cached_url("profile", handle),
    )


def initials(name: str) -> str:
    """Return one or two letters for a name: of its first and last word if its script has case, else its first letter.

    "Bayko" becomes "B", "Jürgen Weiß" "JW", "نور الهاشمي" "ن", "林小雨" "林".
    A name without letters becomes its first character.
    """
    words = [letters for word in name.split() if (letters := _letters(word))]
    if not words:
        return name.strip()[:1]
    first = _first_letter(words[0])
    if len(words) == 1 or not _has_case(first):
        return first
    last = _first_letter(words[-1])
    return first + last if _has_case(last) else first


def _letters(word: str) -> str:
    """Return the word from its first letter or digit on."""
    return next((word[index:] for index, char in enumerate(word) if char.isalnum()), "")


def _first_letter(word: str) -> str:
    """Return the first letter with its combining marks, as a capital if it has one."""
    end = 1
    while end < len(word) and unicodedata.category(word[end]).startswith("M"):
        end += 1
    letter = word[:end]
    capital = letter.upper()
    return capital if len(capital) == len(letter) else letter


def _has_case(letter: str) -> bool:
    return letter.upper() != letter.lower()


def join_names(others: Iterable[PersonView]) -> str:
    """Return the name of a conversation: the names of its other members."""
    return ", ".join(each.name for each in others)


def person_views(uuids: Iterable[UUID], people: Mapping[UUID, User]) -> list[PersonView]:
    """Return the views of these users by name, deleted users last."""
    found = [person_view(people.get(uuid)) for uuid in uuids]
    return sorted(found, key=lambda each: (not each.handle, each.name))
