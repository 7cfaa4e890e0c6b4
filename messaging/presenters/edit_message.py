"""The composer that edits a message."""

from __future__ import annotations

from messaging.domain.entities import Message

from .composer import Composer
from .dates import clock_time
from .message_menu import message_action_url, message_url


def edit_composer(message: Message, *, to: str) -> Composer:
    """Return the composer with the message in it; `to` names who receives it."""
    return Composer(
        action=f"{message_action_url('edit_message', message)}#composer-text",
        to=to,
        message_uuid="",
        after="",
        text=message.message,
        editing=clock_time(message.created).label,
        cancel_url=message_url(message),
    )
