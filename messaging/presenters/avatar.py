"""People as pages show them: a name, an address and an avatar of initials on a colour kept for life."""

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
class Face:
    """A person, or what stands for someone who is not here any more: then `handle` and `url` are empty."""

    name: str
    initials: str
    colour: int
    """0 to 7, the modifier of `avatar--`."""
    handle: str = ""
    url: str = ""


def deleted_face() -> Face:
    """What stands for someone who is not here any more."""
    return Face(name=str(DELETED_NAME), initials=DELETED_INITIALS, colour=0)


def face(person: User | None) -> Face:
    """The face of a person, or that of a deleted user."""
    if person is None:
        return deleted_face()
    return face_from(uuid=person.uuid, name=person.display_name, handle=person.handle)


def face_from(*, uuid: UUID, name: str, handle: str) -> Face:
    """The face of someone of whom only this is at hand."""
    return Face(
        name=name,
        initials=initials(name),
        colour=uuid.int % COLOURS,
        handle=handle,
        url=cached_url("profile", handle),
    )


def initials(name: str) -> str:
    """One or two letters for a name: of its first and last word where its script has case, else its first letter.

    "Bayko" has "B", "Jürgen Weiß" "JW", "نور الهاشمي" "ن", "林小雨" "林".
    A name without letters has its first character.
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
    """The word from its first letter or digit on."""
    return next((word[index:] for index, char in enumerate(word) if char.isalnum()), "")


def _first_letter(word: str) -> str:
    """The first letter with the marks that belong to it, as a capital where there is one."""
    end = 1
    while end < len(word) and unicodedata.category(word[end]).startswith("M"):
        end += 1
    letter = word[:end]
    capital = letter.upper()
    return capital if len(capital) == len(letter) else letter


def _has_case(letter: str) -> bool:
    return letter.upper() != letter.lower()


def joined_names(faces: Iterable[Face]) -> str:
    """The name of a conversation: its other members' names."""
    return ", ".join(face.name for face in faces)


def faces_of(uuids: Iterable[UUID], people: Mapping[UUID, User]) -> list[Face]:
    """The faces of these people, those without a row last, else by name."""
    found = [face(people.get(uuid)) for uuid in uuids]
    return sorted(found, key=lambda each: (not each.handle, each.name))
