"""Events in conversations, as the bus carries them: frozen dataclasses, each a JSON object on the wire.

Every event names the members it is for, so delivery needs no queries. Pure: no I/O, no Django.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from messaging.domain.entities import Message

PAYLOAD_BYTES = 7500
"""Postgres accepts less than 8,000."""
MEMBERS_A_HINT = 150


@dataclass(frozen=True, slots=True)
class Sender:
    """The sender of a message, as pages show them, so that Postgres need not be queried again."""

    uuid: UUID
    name: str
    handle: str


@dataclass(frozen=True, slots=True)
class MessageSent:
    """A new message."""

    members: frozenset[UUID]
    version: int
    """The conversation's version after this message."""
    message: Message
    author: Sender

    @property
    def group(self) -> UUID:
        return self.message.group_uuid


@dataclass(frozen=True, slots=True)
class MessageEdited:
    """An edited or a deleted message."""

    members: frozenset[UUID]
    version: int
    message: Message
    author: Sender
    newest: bool
    """Whether it is the conversation's newest message, which lists preview."""

    @property
    def group(self) -> UUID:
        return self.message.group_uuid


@dataclass(frozen=True, slots=True)
class EntryChanged:
    """A conversation changed and now has this version."""

    members: frozenset[UUID]
    group: UUID
    version: int


@dataclass(frozen=True, slots=True)
class Read:
    """A member has read up to the message with this number."""

    members: frozenset[UUID]
    group: UUID
    user: UUID
    seq: int


@dataclass(frozen=True, slots=True)
class Typing:
    """A member is typing."""

    members: frozenset[UUID]
    group: UUID
    user: UUID


@dataclass(frozen=True, slots=True)
class ConversationChanged:
    """A conversation changed for these members: its list, its position, or whether they may write."""

    members: frozenset[UUID]
    group: UUID
    read_seq: int | None = None
    """How far they have read, if that moved back."""


def fingerprint(session_key: str) -> str:
    """Return a hash that identifies a session on the bus: the key itself would grant access."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """A session ended: its streams close. `fingerprint` identifies it, because its key is a credential."""

    fingerprint: str


@dataclass(frozen=True, slots=True)
class UserSignedOut:
    """A user was signed out everywhere: all their streams close."""

    user: UUID


Event = MessageSent | MessageEdited | EntryChanged | Read | Typing | ConversationChanged | SessionEnded | UserSignedOut


class Malformed(ValueError):
    """A payload that is not one of our events."""


def payloads(event: Event) -> Iterator[str]:
    """Yield the event's payloads: one, or EntryChanged events without text if text or members are too large."""
    payload = _payload(event)
    if len(payload.encode()) <= PAYLOAD_BYTES:
        yield payload
        return
    if isinstance(event, MessageSent | MessageEdited):
        event = EntryChanged(event.members, event.group, event.version)
    if isinstance(event, EntryChanged | Read | Typing | ConversationChanged):
        members = sorted(event.members)
        for start in range(0, len(members), MEMBERS_A_HINT):
            yield _payload(replace(event, members=frozenset(members[start : start + MEMBERS_A_HINT])))


def event_from(payload: str) -> Event:
    """Parse a payload into its event. Raises Malformed."""
    try:
        fields = json.loads(payload)
        return _FROM[fields["kind"]](fields)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        # Without the payload, which may contain a message.
        raise Malformed(type(error).__name__) from None


def _payload(event: Event) -> str:
    return json.dumps(_fields(event), ensure_ascii=False, separators=(",", ":"))


def _fields(event: Event) -> dict[str, Any]:  # noqa: PLR0911 - one return per kind
    match event:
        case MessageSent():
            return _members("message", event.members) | _message_fields(event)
        case MessageEdited():
            return _members("amended", event.members) | _message_fields(event) | {"newest": event.newest}
        case EntryChanged():
            return _members("hint", event.members) | {"group": event.group.hex, "version": event.version}
        case Read():
            return _members("read", event.members) | _of(event) | {"seq": event.seq}
        case Typing():
            return _members("typing", event.members) | _of(event)
        case ConversationChanged():
            return _members("changed", event.members) | {"group": event.group.hex, "read_seq": event.read_seq}
        case SessionEnded():
            return {"kind": "session-ended", "fingerprint": event.fingerprint}
        case UserSignedOut():
            return {"kind": "person-kicked", "user": event.user.hex}


def _members(kind: str, members: frozenset[UUID]) -> dict[str, Any]:
    return {"kind": kind, "members": sorted(member.hex for member in members)}


def _of(event: Read | Typing) -> dict[str, Any]:
    return {"group": event.group.hex, "user": event.user.hex}


def _message_fields(event: MessageSent | MessageEdited) -> dict[str, Any]:
    message, author = event.message, event.author
    return {
        "group": message.group_uuid.hex,
        "version": event.version,
        "seq": message.seq,
        "created_at": message.created_at,
        "text": message.message,
        "message_uuid": message.message_uuid.hex,
        "user": author.uuid.hex,
        "name": author.name,
        "handle": author.handle,
        "edited_at": message.edited_at,
        "deleted_at": message.deleted_at,
    }


def _members_from(fields: Mapping[str, Any]) -> frozenset[UUID]:
    return frozenset(map(UUID, fields["members"]))


def _message_from(fields: Mapping[str, Any]) -> Message:
    return Message(
        group_uuid=UUID(fields["group"]),
        created_at=str(fields["created_at"]),
        seq=int(fields["seq"]),
        message=str(fields["text"]),
        message_uuid=UUID(fields["message_uuid"]),
        user_uuid=UUID(fields["user"]),
        edited_at=str(fields["edited_at"]),
        deleted_at=str(fields["deleted_at"]),
    )


def _author_from(fields: Mapping[str, Any]) -> Sender:
    return Sender(UUID(fields["user"]), str(fields["name"]), str(fields["handle"]))


_FROM: dict[str, Callable[[Mapping[str, Any]], Event]] = {
    "message": lambda fields: MessageSent(
        _members_from(fields), int(fields["version"]), _message_from(fields), _author_from(fields)
    ),
    "amended": lambda fields: MessageEdited(
        _members_from(fields),
        int(fields["version"]),
        _message_from(fields),
        _author_from(fields),
        bool(fields["newest"]),
    ),
    "hint": lambda fields: EntryChanged(_members_from(fields), UUID(fields["group"]), int(fields["version"])),
    "read": lambda fields: Read(_members_from(fields), UUID(fields["group"]), UUID(fields["user"]), int(fields["seq"])),
    "typing": lambda fields: Typing(_members_from(fields), UUID(fields["group"]), UUID(fields["user"])),
    "changed": lambda fields: ConversationChanged(_members_from(fields), UUID(fields["group"]), fields["read_seq"]),
    "session-ended": lambda fields: SessionEnded(str(fields["fingerprint"])),
    "person-kicked": lambda fields: UserSignedOut(UUID(fields["user"])),
}
