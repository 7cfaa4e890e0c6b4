"""The rules for all text that people write. Imports no Django, as the domain functions use it.

This is the only module that calls `unicodedata.normalize`, whose work grows with the square of the longest run of
combining marks: text is measured before it is normalised, and runs are cut before that, too.
"""

from __future__ import annotations

import unicodedata
from typing import Literal

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]

LONGEST_DECOMPOSITION = 4
"""Code points that one composed character can be written with at most. As a line end, CR LF, has two, a text with more
code points than this for each one allowed is too long however it is composed."""
MARKS_IN_A_ROW = 30
"""No language needs more (UAX #15, Stream-Safe Text Format)."""
GRAPHEME_JOINER = "\u034f"
"""Drawn as nothing, and ends a run of marks without changing what they look like."""
# Not marks themselves, but decomposed they are nothing else.
_DECOMPOSED_TO_MARKS = frozenset("\u0f73\u0f75\u0f81\uff9e\uff9f")

# Hangul fillers, the Braille blank and the grapheme joiner are drawn as nothing, though Unicode calls them letters,
# symbols or marks.
_DRAWN_AS_NOTHING = frozenset(f"\u115f\u1160\u2800\u3164\uffa0{GRAPHEME_JOINER}")
_INVISIBLE_CATEGORIES = frozenset(("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"))
_VARIATION_SELECTORS = range(0xFE00, 0xFE10)


class TextTooLong(ValueError):
    """The text is longer than allowed, however it is composed. `over`: code points too many, as it was written."""

    def __init__(self, over: int) -> None:
        super().__init__(f"{over} code points too many")
        self.over = over


def is_too_long(text: str, *, at_most: int) -> bool:
    """Return whether the text has more than `at_most` code points however it is composed. Looks at its length alone.

    What is not has at most `LONGEST_DECOMPOSITION` times as many, and is still to be counted once it is normalised.
    """
    return len(text) > LONGEST_DECOMPOSITION * at_most


def normalise_text(text: str, *, at_most: int) -> str:
    """Return the text as it is stored: line ends as LF, then NFC. Raise TextTooLong before that is done."""
    if is_too_long(text, at_most=at_most):
        raise TextTooLong(len(text) - at_most)
    return normalise_long_text(text)


def normalise_long_text(text: str) -> str:
    """Return the text as it is stored, whatever its length; for what no request brings: imports and seeds."""
    return normalise("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))


def normalise(form: Form, text: str) -> str:
    """Return the text in this normal form; a grapheme joiner follows every 30 marks in a row. Linear in its length."""
    return text if text.isascii() else unicodedata.normalize(form, _with_short_runs(text))


def _with_short_runs(text: str) -> str:
    if not any(map(unicodedata.combining, text)) and _DECOMPOSED_TO_MARKS.isdisjoint(text):
        return text  # the most
    kept: list[str] = []
    run = 0
    for char in text:
        run = run + 1 if unicodedata.combining(char) or char in _DECOMPOSED_TO_MARKS else 0
        if run > MARKS_IN_A_ROW:
            kept.append(GRAPHEME_JOINER)
            run = 1
        kept.append(char)
    return "".join(kept)


def is_blank(text: str) -> bool:
    """Return whether nothing of the text would be seen: white space, zero-width and control characters alone."""
    return all(
        char in _DRAWN_AS_NOTHING
        or unicodedata.category(char) in _INVISIBLE_CATEGORIES
        or ord(char) in _VARIATION_SELECTORS
        for char in text
    )
