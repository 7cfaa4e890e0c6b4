"""One message as HTML: for realtime events, sync, and the response to a send."""

from __future__ import annotations

from django.template.loader import get_template

from messaging.domain.entities import Message

from .avatar import PersonView
from .conversation import message_view


def message_html(message: Message, author: PersonView, *, own: bool) -> str:
    """Render the `<li>` of `_message.html` in the active time zone, without what depends on the messages around it."""
    template = get_template("messaging/_message.html")
    return template.render({"message": message_view(message, author, own=own)}).strip()
