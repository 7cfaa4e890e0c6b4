"""Functions that are called when sessions end. Layers above register them in `ready()` to close open streams."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

_session_ended: list[Callable[[str], None]] = []
_user_signed_out: list[Callable[[UUID], None]] = []


def on_session_ended(listener: Callable[[str], None]) -> None:
    """Call `listener` with the key of each session that is deleted."""
    _session_ended.append(listener)


def on_user_signed_out(listener: Callable[[UUID], None]) -> None:
    """Call `listener` with the uuid of each user whose sessions all end."""
    _user_signed_out.append(listener)


def session_ended(session_key: str) -> None:
    """Tell the listeners that a session was deleted."""
    for listener in _session_ended:
        listener(session_key)


def user_signed_out(user_uuid: UUID) -> None:
    """Tell the listeners that every session of a user ended."""
    for listener in _user_signed_out:
        listener(user_uuid)
