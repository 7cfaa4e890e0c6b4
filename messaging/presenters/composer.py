"""The form in which a message is written."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4


@dataclass(frozen=True, slots=True)
class Composer:
    """The fields of the form, and where it is posted."""

    action: str
    """Ends in the field's fragment, so that the field has the focus when the page comes back, sent or not."""
    to: str
    """The name of who receives the message."""
    message_uuid: str
    after: str
    text: str = ""
    error: str = ""
    editing: str = ""
    """The time of the message that is being edited, as the page shows it; empty for a new message."""
    cancel_url: str = ""


def composer(url: str, *, to: str, after: str) -> Composer:
    """Return an empty composer with a new uuid; `after` is the newest created_at that its page knows, or ""."""
    return Composer(
        action=f"{url}#composer-text",
        to=to,
        message_uuid=str(uuid4()),
        after=after,
    )
