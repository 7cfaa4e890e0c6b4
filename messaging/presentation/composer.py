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


def composer(url: str, *, to: str, after: str) -> Composer:
    """An empty form with a uuid of its own; `after` is the newest created_at that its page knows, "" for none."""
    return Composer(
        action=f"{url}#composer-text",
        to=to,
        message_uuid=str(uuid4()),
        after=after,
    )
