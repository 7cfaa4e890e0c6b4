"""The dialog that asks before a message is deleted."""

from __future__ import annotations

from dataclasses import dataclass

from messaging.domain.entities import Message

from .message_menu import message_action_url, message_url


@dataclass(frozen=True, slots=True)
class DeleteDialog:
    """The text of the message, and where its form and its close button lead."""

    text: str
    action: str
    close_url: str


def delete_dialog(message: Message) -> DeleteDialog:
    """Return the dialog for this message."""
    return DeleteDialog(
        text=message.message, action=message_action_url("delete_message", message), close_url=message_url(message)
    )
