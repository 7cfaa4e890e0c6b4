"""How names are compared when people are searched for: case, accents and widths do not count. Pure."""

from __future__ import annotations

import unicodedata

from cruddur.text import normalise

# Letters that Unicode does not take apart, as most keyboards would write them.
PLAIN_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "\u0131": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)


def plain(text: str) -> str:
    """The text without case, accents, compatibility forms and control characters; white space as single spaces."""
    decomposed = normalise("NFKD", text.casefold())
    kept = "".join(c for c in decomposed if unicodedata.category(c) not in {"Mn", "Me", "Cf"})
    visible = "".join(" " if unicodedata.category(c) == "Cc" else c for c in kept)
    return " ".join(visible.casefold().translate(PLAIN_LETTERS).split())


def search_text(*, handle: str, display_name: str) -> str:
    """What a person is found by. A space stands before each word, so that " be" finds the words beginning with it."""
    return f" {plain(handle)} {plain(display_name)}"
