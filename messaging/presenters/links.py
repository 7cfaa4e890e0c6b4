"""Decide which addresses in a text become links, and display them so that one host cannot pass for another."""

from __future__ import annotations

import re
import unicodedata

from confusable_homoglyphs.categories import alias as script_of

from cruddur.text import normalise
from users.handles import PROLONGED_SOUND_MARK, SCRIPTS_TOGETHER, passes_for_latin

# Before the host, the host with what may stand beside it, and the rest; browsers end a host at a backslash, too.
_ADDRESS = re.compile(r"((?:[a-z]+:)?//)?([^/?#\\]*)(.*)", re.IGNORECASE | re.DOTALL)
_HOST = re.compile(r"(.*?)(:\d*)?", re.DOTALL)
BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that can show the end of an address before its beginning."""
DOTS = str.maketrans("\u3002\uff0e\uff61", "...")
"""What browsers read as a dot in a host."""
NEVER_IN_A_HOST = frozenset("/\\?#@:[]%<> ")


def displayed_address(address: str) -> str | None:
    """Return the address as it is shown and linked; None where it must not be a link.

    None for credentials before the host, which look like the host, for controls of direction, and for a host with
    characters that are not seen. A label of the host that mixes scripts, or is drawn as Latin letters would be, is in
    ASCII (`xn--…`), as browsers show it; a host in one script stays as it is written.
    """
    match = _ADDRESS.fullmatch(address)
    if match is None or not BIDI_CONTROLS.isdisjoint(address) or "@" in match[2]:
        return None
    before, (host, port) = match[1] or "", _split_port(match[2])
    if any(unicodedata.category(char) in {"Cc", "Cf", "Cn", "Co", "Cs"} for char in host):
        return None
    labels = host.translate(DOTS).split(".")
    shown = [label if _is_plain(label, top=labels[-1]) else _in_ascii(label) for label in labels]
    if not NEVER_IN_A_HOST.isdisjoint("".join(shown)) and "[" not in host:
        return None
    return f"{before}{'.'.join(shown)}{port}{match[3]}"


def _split_port(authority: str) -> tuple[str, str]:
    match = _HOST.fullmatch(authority)
    return (match[1], match[2] or "") if match else (authority, "")


def _is_plain(label: str, *, top: str) -> bool:
    """Return whether the label has one script, or scripts that are written together, and does not look like another."""
    if label.isascii():
        return True
    if normalise("NFKC", label.lower()) != label.lower():
        return False  # browsers open another host than the one displayed
    others = {script_of(char) for char in label if not (char.isascii() and not char.isalpha())}
    if PROLONGED_SOUND_MARK in label and others & {"HIRAGANA", "KATAKANA"}:
        others.discard("COMMON")
    together = len(others) == 1 or any(others <= each | {"LATIN"} for each in SCRIPTS_TOGETHER)
    if not together or others & {"COMMON", "INHERITED"}:
        return False
    return not (top.isascii() and passes_for_latin(label.lower()))


def _in_ascii(label: str) -> str:
    """Return the label as browsers request it: lower case, NFKC, then Punycode."""
    mapped = normalise("NFKC", label.lower())
    return mapped if mapped.isascii() else f"xn--{mapped.encode('punycode').decode('ascii')}"
