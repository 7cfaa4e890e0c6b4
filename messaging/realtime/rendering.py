"""Render events as server-sent events for a stream's reader. Reads neither Postgres nor DynamoDB."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import timezone, translation

from messaging.domain.text import preview
from messaging.presenters.avatar import person_view_from
from messaging.presenters.message import message_html

from .events import ConversationChanged, EntryChanged, MessageEdited, MessageSent, Read, Typing

HEARTBEAT = b": beat\n\n"


@dataclass(frozen=True, slots=True)
class Reader:
    """The reader of a stream, with the settings its browser sent."""

    user: UUID
    zone: ZoneInfo | None
    """None means UTC."""
    language: str


def frame(name: str, data: Mapping[str, Any]) -> bytes:
    """Return one server-sent event. JSON contains no raw line breaks, so the data is one line."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()


def bye(reason: str) -> bytes:
    """Return the last frame of a stream."""
    return frame("bye", {"reason": reason})


@dataclass(slots=True)
class Renderer:
    """Renders an event for its readers; readers with the same settings share one result."""

    event: MessageSent | MessageEdited | EntryChanged | Read | Typing | ConversationChanged
    _frames: dict[tuple[bool, ZoneInfo | None, str], bytes | None] = field(default_factory=dict)

    def for_reader(self, reader: Reader) -> bytes | None:
        """Return the frame for this reader, or None if the event does not concern them."""
        own = not isinstance(self.event, EntryChanged | ConversationChanged) and _whose(self.event) == reader.user
        # Only messages depend on time zone and language.
        is_text = isinstance(self.event, MessageSent | MessageEdited)
        key = (own, reader.zone, reader.language) if is_text else (own, None, "")
        if key not in self._frames:
            with timezone.override(reader.zone), translation.override(reader.language):
                self._frames[key] = _frame_of(self.event, own=own)
        return self._frames[key]


def _whose(event: MessageSent | MessageEdited | Read | Typing) -> UUID:
    return event.author.uuid if isinstance(event, MessageSent | MessageEdited) else event.user


def _frame_of(  # noqa: PLR0911 - one return per kind
    event: MessageSent | MessageEdited | EntryChanged | Read | Typing | ConversationChanged, *, own: bool
) -> bytes | None:
    match event:
        case MessageSent():
            message_uuid = str(event.message.message_uuid)
            return frame("message", _message(event, own=own) | {"message_uuid": message_uuid})
        case MessageEdited():
            state = {"deleted": bool(event.message.deleted_at), "newest": event.newest}
            return frame("amended", _message(event, own=own) | state)
        case EntryChanged():
            return frame("hint", {"group": str(event.group), "version": event.version})
        case ConversationChanged():
            return frame("changed", {"group": str(event.group), "read_seq": event.read_seq})
        case Read() if own:
            return frame("read", {"group": str(event.group), "read_seq": event.seq})
        case Read():
            return frame("seen", {"group": str(event.group), "user": str(event.user), "seq": event.seq})
        case Typing():
            return None if own else frame("typing", {"group": str(event.group), "user": str(event.user)})


def _message(event: MessageSent | MessageEdited, *, own: bool) -> dict[str, Any]:
    message, author = event.message, event.author
    face = person_view_from(uuid=author.uuid, name=author.name, handle=author.handle)
    return {
        "group": str(message.group_uuid),
        "seq": message.seq,
        "version": event.version,
        "created_at": message.created_at,
        "user": str(author.uuid),
        "own": own,
        "preview": preview(message.message),
        "html": message_html(message, face, own=own),
    }
