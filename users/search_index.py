"""Normalize names for search: case, accents and character widths are ignored. Pure."""

from __future__ import annotations

import unicodedata

from cruddur.text import normalise

# Letters without a Unicode decomposition, and how most keyboards would write them.
PLAIN_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "\u0131": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)


def plain(text: str) -> str:
    """Return the text without case, accents, compatibility forms and control characters; collapse white space."""
    decomposed = normalise("NFKD", text.casefold())
    kept = "".join(c for c in decomposed if unicodedata.category(c) not in {"Mn", "Me", "Cf"})
    visible = "".join(" " if unicodedata.category(c) == "Cc" else c for c in kept)
    return " ".join(visible.casefold().translate(PLAIN_LETTERS).split())


def search_text(*, handle: str, display_name: str) -> str:
    """Return the text that people are searched by.

    A space precedes each word, so that " be" matches beginnings of words.
    """
    return f" {plain(handle)} {plain(display_name)}"
