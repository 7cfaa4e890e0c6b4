"""Signing a person out everywhere: all their sessions, and the streams of their open pages, at once."""

from __future__ import annotations

from messaging.realtime import publish
from users.models import User


def sign_out_everywhere(person: User) -> None:
    """End every session of the person and every stream of theirs. They may sign in again, if they are active.

    A session is worth something only with a proof made from the person's password field, which holds no password but
    random text: with another text there, one statement ends all sessions, however many there are and whatever a
    request at this moment writes to one. Django deletes their rows when they are used again, or when they expire.
    """
    person.set_unusable_password()
    person.save(update_fields=["password"])
    publish.user_signed_out(person.uuid)
