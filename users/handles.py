"""Validate handles and detect those that look alike. Pure: no database.

A handle is 2 to 30 letters, digits and underscores of one script, by the rules of PRECIS (RFC 8265,
UsernameCasePreserved). Two handles with the same skeleton (after Unicode TS #39) look alike or differ only in case. The
skeleton has a unique column, so the database decides who was first.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

import precis_i18n
from confusable_homoglyphs.categories import alias as script_of
from confusable_homoglyphs.confusables import confusables_data
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from cruddur.text import is_too_long, normalise

HANDLE_MIN_CHARS = 2
HANDLE_MAX_CHARS = 30

# Names that suggest the service itself, name nobody, or are (or may become) paths of the site.
RESERVED_NAMES = (
    "about abuse account accounts admin administrator administrators admins anonymous api billing blocked blog "
    "contact cruddur cruddurmessages deleted deleteduser everyone help here home info legal login logout me "
    "message messages mock moderator moderators news new nobody null official oidc owner postmaster privacy profile "
    "root search security settings signin signout signup staff static status sysadmin support system team terms "
    "undefined unknown user users webmaster you"
)
RESERVED = frozenset(RESERVED_NAMES.split())

MESSAGES = {
    "handle_blank": _("Enter a handle."),
    "handle_invalid": _(
        "A handle has %(least)d to %(most)d letters, digits and underscores, all of one script and not all digits."
    ),
    "handle_reserved": _("This handle is kept for Cruddur itself. Choose another one."),
    "handle_confusable": _("This handle looks like another one. Choose one that cannot be mistaken."),
    "handle_taken": _("Someone else has this handle. Choose another one."),
}

# Scripts that are written together (Unicode TS #39, augmented script sets).
SCRIPTS_TOGETHER = (
    frozenset({"HAN", "HIRAGANA", "KATAKANA"}),
    frozenset({"HAN", "HANGUL"}),
    frozenset({"HAN", "BOPOMOFO"}),
)
PROLONGED_SOUND_MARK = "ー"  # "COMMON", though only kana are written with it
DIRECTION_MARK = "\u200e"  # the homoglyph data wraps right-to-left characters in it


class HandleError(ValidationError):
    """The handle is invalid or not available; `code` is a key of `MESSAGES`."""

    def __init__(self, code: str) -> None:
        super().__init__(MESSAGES[code], code=code, params={"least": HANDLE_MIN_CHARS, "most": HANDLE_MAX_CHARS})


def validate_handle(handle: str) -> str:
    """Return the handle in its one spelling (NFC, narrow, without "@"), its case kept.

    Raises `HandleError`: handle_blank, handle_invalid, handle_reserved or handle_confusable (it passes for Latin
    letters though written in others). Whether it is free only the database knows: see `users.people`.
    """
    bare = handle.strip().removeprefix("@")
    if not bare:
        raise HandleError("handle_blank")
    if is_too_long(bare, at_most=HANDLE_MAX_CHARS):
        raise HandleError("handle_invalid")
    try:
        normal: str = precis_i18n.get_profile("UsernameCasePreserved").enforce(bare)
    except UnicodeError:
        raise HandleError("handle_invalid") from None
    if not HANDLE_MIN_CHARS <= len(normal) <= HANDLE_MAX_CHARS or not is_word(normal) or not is_one_script(normal):
        raise HandleError("handle_invalid")
    if {normal.casefold().replace("_", ""), skeleton(normal).replace("_", "")} & reserved_forms():
        raise HandleError("handle_reserved")
    if passes_for_latin(normal):
        raise HandleError("handle_confusable")
    return normal


def skeleton(handle: str) -> str:
    """Return a key that is equal for handles that look alike or differ only in case."""
    shape = prototypes(prototypes(handle.casefold()).casefold())
    # I and l look alike and case is ignored, so i and l are equal. Adjacent underscores look like one.
    return re.sub("_+", "_", shape.replace("i", "l"))


def passes_for_latin(handle: str) -> bool:
    """Return whether a handle in another script looks entirely like Latin letters. Case-sensitive."""
    return not any(script_of(character) == "LATIN" for character in handle) and prototypes(handle).isascii()


def prototypes(text: str) -> str:
    return normalise("NFD", "".join(map(prototype, normalise("NFD", text))))


@cache
def reserved_forms() -> frozenset[str]:
    return RESERVED | {skeleton(name) for name in RESERVED}


@cache
def homoglyphs() -> dict[str, frozenset[str]]:
    pairs: dict[str, set[str]] = {}
    for character, others in confusables_data.items():
        found = pairs.setdefault(character.strip(DIRECTION_MARK), set())
        found.update(other["c"].strip(DIRECTION_MARK) for other in others)
    return {character: frozenset(others) for character, others in pairs.items()}


@cache
def prototype(character: str) -> str:
    """Return the character that replaces all look-alikes of a character.

    The data lists each pair of Unicode's table in both directions, and there every look-alike maps to one prototype.
    So a character with several partners is a prototype. In a pair without others either may be chosen, but always the
    same.
    """
    partners = homoglyphs().get(character, frozenset())
    if len(partners) != 1:
        return character
    (partner,) = partners
    if len(partner) > 1 or len(homoglyphs().get(partner, ())) > 1:
        return partner
    return min(character, partner)


def is_word(handle: str) -> bool:
    """Return whether a text is letters, digits and underscores, with a letter and without script-independent marks."""
    kinds = [unicodedata.category(character) for character in handle]
    marks = (c for c, kind in zip(handle, kinds, strict=True) if kind[0] == "M")
    return (
        all(kind[0] in "LM" or kind == "Nd" or c == "_" for c, kind in zip(handle, kinds, strict=True))
        and any(kind[0] == "L" for kind in kinds)
        and not any(script_of(mark) == "INHERITED" for mark in marks)
    )


def is_one_script(handle: str) -> bool:
    scripts = {script_of(c) for c in handle if not (c.isascii() and not c.isalpha()) and c != PROLONGED_SOUND_MARK}
    if PROLONGED_SOUND_MARK in handle and not scripts & {"HIRAGANA", "KATAKANA"}:
        return False
    return len(scripts) == 1 or any(scripts <= together for together in SCRIPTS_TOGETHER)
