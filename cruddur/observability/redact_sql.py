r"""SQL without what people wrote in it. Knows no Django and no Postgres."""

from __future__ import annotations

import re

HIDDEN = "'…'"
REST = "…"
"""In the place of everything after a point from where it is not certain what is text and what is not."""

# As Postgres' own scanner reads (its scan.l): a name may hold $ and every character beyond ASCII; E is a prefix only
# where a token begins; $tag$ quotes only outside of names. The possessive quantifiers never give a doubled quote back.
_TOKEN = re.compile(
    r"""
    (?P<line_comment>--[^\n\r]*)
  | (?P<comment>/\*)
  | (?P<text>
        [eE]'(?:[^'\\]|''|\\.)*+'           # backslash escapes
      | '(?:[^'\\]|''|\\[^'])*+'            # \' would mean two things, by standard_conforming_strings: not certain
      | \$(?P<tag>(?:[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)?)\$.*?\$(?P=tag)\$
    )
  | (?P<kept>
        "(?:[^"]|"")*+"
      | [A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*
    )
  | (?P<open>["']|\$(?:[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)?\$)
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_MARK = re.compile(r"/\*|\*/")


def redact_literals(sql: str) -> str:
    """Return the statement on one line, its texts replaced by '…' and its comments gone; numbers and names stay.

    Postgres shows the beginning of long statements only, so a text may have no end here: nothing of it is kept, and
    nothing after a text whose end depends on settings of its session that are not known.
    """
    parts: list[str] = []
    position = 0
    while found := _TOKEN.match(sql, position):
        position = found.end()
        match found.lastgroup:
            case "line_comment":
                parts.append(" ")
            case "comment":
                position = end_of_comment(sql, position)
                parts.append(" ")
            case "text":
                parts.append(HIDDEN)
            case "open":
                parts.append(REST)
                break
            case _:
                parts.append(found[0])
    return " ".join("".join(parts).split())


def end_of_comment(sql: str, position: int) -> int:
    """Return where the comment ends whose inside begins at `position`; comments may hold comments."""
    depth = 1
    for mark in _COMMENT_MARK.finditer(sql, position):
        depth += 1 if mark[0] == "/*" else -1
        if not depth:
            return mark.end()
    return len(sql)
