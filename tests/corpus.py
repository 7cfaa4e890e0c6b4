"""Texts that break other sites: the Big List of Naughty Strings and a collection of script vectors.

They are in tests/corpora; CORPORA names a folder with others, or newer ones, of the same names.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

CORPORA = Path(os.environ.get("CORPORA") or Path(__file__).parent / "corpora")


def naughty_strings() -> list[str]:
    found: list[str] = json.loads((CORPORA / "blns.json").read_text(encoding="utf-8"))
    return found


def script_vectors() -> list[str]:
    return (CORPORA / "xss.txt").read_text(encoding="utf-8").splitlines()


def together(texts: list[str], *, chars: int) -> Iterator[str]:
    """Join as many texts as fit into `chars` characters; yield each joined text."""
    text = ""
    for each in texts:
        if text and len(text) + len(each) >= chars:
            yield text.strip()
            text = ""
        text += f"{each}\n" if len(each) < chars else ""
    yield text.strip()
