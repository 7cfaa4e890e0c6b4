"""The form of a message as its template shows it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4


@dataclass(frozen=True, slots=True)
class Composer:
    """What stands in the form."""

    action: str
    """Ends in the field's fragment, so that the field has the focus when the page comes back, sent or not."""
    to: str
    """Whom the message goes to, by name."""
    message_uuid: str
    after: str
    text: str = ""
    error: str = ""
    editing: str = ""
    """The time of the message that is being edited, as it stands beside it; empty for a new one."""
    cancel_url: str = ""


def edit_composer(url: str, *, to: str, text: str, time: str, cancel_url: str) -> Composer:
    """The form with a message's text in it, to be changed."""
    return Composer(
        action=f"{url}#composer-text", to=to, message_uuid="", after="", text=text, editing=time, cancel_url=cancel_url
    )


def composer(url: str, *, to: str, after: str) -> Composer:
    """An empty form with a uuid of its own; `after` is the newest created_at that its page knows, "" for none."""
    return Composer(
        action=f"{url}#composer-text",
        to=to,
        message_uuid=str(uuid4()),
        after=after,
    )
