"""One message as HTML, wherever it appears by itself: in a live event, after a catch-up, in the answer to a send."""

from __future__ import annotations

from django.template.loader import get_template

from messaging.domain.entities import Message

from .avatar import Face
from .conversation import bubble


def message_html(message: Message, author: Face, *, own: bool) -> str:
    """The `<li>` of `_message.html` in the active time zone; it continues nothing and is not the newest of anything."""
    template = get_template("messaging/_message.html")
    return template.render({"message": bubble(message, author, own=own)}).strip()
