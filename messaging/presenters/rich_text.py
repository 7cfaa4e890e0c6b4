"""Split the text of a message into plain text and links, and recognize texts of a few emoji."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from linkify_it import LinkifyIt
from linkify_it.ucre import SRC_DOMAIN, SRC_PSEUDO_LETTER

from .links import displayed_address

EMOJI_AT_MOST = 3
EMOJI_TEXT_AT_MOST = 120
"""Code points of these and what is between them: the flag of Wales has 7, a family 11."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a text; a link if it has an `href`."""

    text: str
    href: str = ""


def parts(text: str) -> list[Part]:
    """Split the text into parts that are links or not; joined, they are the text, but for hosts shown in ASCII.

    http and https addresses are links, and bare domains only if they begin with "www." or have a path: "readme.md" and
    "so.no" stay words.
    """
    if "/" not in text and "www." not in text.lower():
        return [Part(text)]  # most texts, without the cost of matching
    found: list[Part] = []
    end = 0
    for match in _linkify().match(text) or ():
        if not match.schema and not (match.text.lower().startswith("www.") or "/" in match.text):
            continue
        shown = displayed_address(match.text)
        if shown is None:
            continue
        if match.index > end:
            found.append(Part(text[end : match.index]))
        found.append(Part(shown, shown if match.schema else f"https://{shown}"))
        end = match.last_index
    if end < len(text):
        found.append(Part(text[end:]))
    return found


# linkify-it matches a label `xn--…` in two ways and retries each, which doubles the work for each such label of a host
# that does not match. Here a label is atomic: it matches in one way. Its hosts also contain symbols that a host can
# begin after, so that the search from each of them covers the rest again; no host of the DNS has any of them.
_LETTER = rf"(?:(?![$+<=>^`|]){SRC_PSEUDO_LETTER})"
_LABEL = rf"(?>{_LETTER}(?:-|{_LETTER}){{0,62}}(?<!-))"


class _BoundedLinkify(LinkifyIt):  # type: ignore[misc] # the package has no types
    """Find links in time linear in the length of a host."""

    re: dict[str, str]

    def _on_compile(self) -> None:
        self.re = {name: pattern.replace(SRC_DOMAIN, _LABEL) for name, pattern in self.re.items()}


@cache
def _linkify() -> LinkifyIt:
    linkify = _BoundedLinkify(options={"fuzzy_email": False, "fuzzy_ip": False})
    for schema in ("ftp:", "mailto:", "//"):
        linkify.add(schema, None)
    return linkify


# What is drawn as a picture by itself, or with a variation selector after it. Unicode 16, Emoji_Presentation; the
# planes above are taken whole, as new emoji come there.
_PICTURES = (
    "\u231a\u231b\u23e9-\u23ec\u23f0\u23f3\u25fd\u25fe\u2614\u2615\u2648-\u2653\u267f\u2693\u26a1\u26aa\u26ab\u26bd"
    "\u26be\u26c4\u26c5\u26ce\u26d4\u26ea\u26f2\u26f3\u26f5\u26fa\u26fd\u2705\u270a\u270b\u2728\u274c\u274e\u2753-\u2755"
    "\u2757\u2795-\u2797\u27b0\u27bf\u2b1b\u2b1c\u2b50\u2b55\U0001f004\U0001f0cf\U0001f18e\U0001f191-\U0001f19a"
    "\U0001f300-\U0001f64f\U0001f680-\U0001f6ff\U0001f7e0-\U0001f7f0\U0001f90c-\U0001f9ff\U0001fa70-\U0001faff"
)
_SYMBOLS = (
    "\u203c\u2049\u2122\u2139\u2194-\u21aa\u2328\u23cf-\u23ff\u24c2\u25aa-\u25fe\u2600-\u27bf\u2934\u2935\u2b05-\u2b55"
)
# Atomic: some symbols are in both sets, and trying both again for each part of a sequence takes twice as long for each.
_ONE = (
    rf"(?>(?:[{_PICTURES}]\ufe0f?|[{_SYMBOLS}]\ufe0f)[\U0001f3fb-\U0001f3ff]?|[{_SYMBOLS}][\U0001f3fb-\U0001f3ff])"
    r"(?:[\U000e0020-\U000e007e]+\U000e007f)?"
)
_EMOJI = rf"(?:[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f\u20e3|{_ONE}(?:\u200d{_ONE})*)"
_ONLY_EMOJI = re.compile(rf"\s*(?:{_EMOJI}\s*){{1,{EMOJI_AT_MOST}}}")


def is_emoji(text: str) -> bool:
    """Return whether the text is one to three emoji and nothing else."""
    return len(text) <= EMOJI_TEXT_AT_MOST and _ONLY_EMOJI.fullmatch(text) is not None
