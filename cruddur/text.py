"""The rules of what people write, whatever it is for. Knows no Django, as messaging below the views does not."""

from __future__ import annotations

import unicodedata

# Hangul fillers, the Braille blank and the grapheme joiner are drawn as nothing, though Unicode calls them letters,
# symbols or marks.
_DRAWN_AS_NOTHING = frozenset("\u115f\u1160\u2800\u3164\uffa0\u034f")
_INVISIBLE_CATEGORIES = frozenset(("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"))
_VARIATION_SELECTORS = range(0xFE00, 0xFE10)


def normalise_text(text: str) -> str:
    """The text as it is stored: line ends as LF, then NFC."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))


def is_blank(text: str) -> bool:
    """Whether nothing of the text would be seen: white space, zero-width and control characters alone."""
    return all(
        char in _DRAWN_AS_NOTHING
        or unicodedata.category(char) in _INVISIBLE_CATEGORIES
        or ord(char) in _VARIATION_SELECTORS
        for char in text
    )
