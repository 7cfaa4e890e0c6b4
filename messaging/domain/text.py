"""The rules of a message's text: when it can be sent, and its preview."""

from __future__ import annotations

from cruddur.text import is_blank

MESSAGE_MAX_CHARS = 1024
"""Code points, as the browser counts them with `[...text].length`."""
PREVIEW_BYTES = 200


def problem_with(text: str) -> str | None:
    """`message_blank` or `message_exceed_max_chars`, or None when the normalised text can be sent."""
    if is_blank(text):
        return "message_blank"
    if len(text) > MESSAGE_MAX_CHARS:
        return "message_exceed_max_chars"
    return None


def preview(text: str) -> str:
    """The beginning of the text, at most `PREVIEW_BYTES` of UTF-8, cut between two characters."""
    return text.encode()[:PREVIEW_BYTES].decode(errors="ignore")
