"""The entities: conversations, messages, and the entries of members' lists. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from .timestamps import parse_created_at

FOR_GOOD = 253_402_300_799
"""The end of the year 9999, in seconds since 1970."""
SENDS_KEPT = 3
"""How many of each member's newest sends a conversation remembers, so that a repeated send is recognized."""
# The namespace of the uuid5 of two members; changing it would give every pair a second conversation.
PAIR_NAMESPACE = uuid.UUID("6f1c0a52-6a8e-5c7b-9f4d-2f1d6d0f3c11")


@dataclass(frozen=True, slots=True)
class Send:
    """One of a member's newest sends, as the conversation remembers it."""

    message_uuid: uuid.UUID
    sk: str


@dataclass(frozen=True, slots=True)
class Sent:
    """What a conversation knows of one member's sending."""

    seq: int = 0
    """Of the member's last message; 0 for none."""
    newest: tuple[Send, ...] = ()
    """Newest first, at most `SENDS_KEPT`."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """The one authoritative item of a conversation."""

    group_uuid: uuid.UUID
    member_uuids: frozenset[uuid.UUID]
    seq: int
    """Number of messages."""
    version: int
    """Goes up with every change."""
    last_sk: str
    """created_at of the newest message."""
    message: str
    """Preview of the newest message."""
    last_user_uuid: uuid.UUID
    sent: Mapping[uuid.UUID, Sent] = field(default_factory=dict)
    blocked_by: frozenset[uuid.UUID] = frozenset()
    """Members who block it: as long as there are any, nothing more is written into it."""
    awaiting: uuid.UUID | None = None
    """The member who has not accepted the first message yet: until then nobody else writes another one."""
    left_uuids: frozenset[uuid.UUID] = frozenset()
    """Members who have left for good: their accounts were deleted. They keep no entry."""

    @property
    def blocked(self) -> bool:
        return bool(self.blocked_by)

    @property
    def begun(self) -> bool:
        """Whether it has a message: who blocks somebody they never wrote to makes a conversation without one."""
        return self.seq > 0

    def is_closed_to(self, user_uuid: uuid.UUID) -> bool:
        """Return whether this member can write nothing more: somebody blocks, they left, or nobody else is left."""
        everyone_else_left = bool(self.left_uuids) and self.member_uuids - self.left_uuids <= {user_uuid}
        return self.blocked or user_uuid in self.left_uuids or everyone_else_left

    def sent_by(self, user_uuid: uuid.UUID) -> Sent:
        return self.sent.get(user_uuid, Sent())


@dataclass(frozen=True, slots=True)
class Message:
    """A message, numbered from 1 in its conversation and addressed by its created_at."""

    group_uuid: uuid.UUID
    created_at: str
    seq: int
    message: str
    message_uuid: uuid.UUID
    user_uuid: uuid.UUID
    edited_at: str = ""
    """When it was last edited, as created_at is written; empty for never."""
    deleted_at: str = ""
    """When it was deleted: a tombstone stays, without text."""

    @property
    def created(self) -> datetime:
        return parse_created_at(self.created_at)


@dataclass(frozen=True, slots=True)
class Entry:
    """A member's line in the list of conversations.

    Copied from the conversation, all but inbox, read_* and muted_until, which are the member's own. Read through the
    inbox index it lacks `version` and `read_sk`, which a list does not show (0 and "").
    """

    user_uuid: uuid.UUID
    group_uuid: uuid.UUID
    member_uuids: frozenset[uuid.UUID]
    last_message_at: str
    message: str
    last_user_uuid: uuid.UUID
    last_seq: int
    sent_seq: int
    version: int
    inbox: str | None
    """Which of the member's lists it stands in, by `folders.list_key`; None for none."""
    read_seq: int = 0
    read_sk: str = ""
    muted_until: int = 0
    """Seconds since 1970; 0 for not muted."""

    @property
    def unread(self) -> int:
        """Others' messages after the last one read or written."""
        return max(0, self.last_seq - max(self.read_seq, self.sent_seq))

    def is_muted(self, now: datetime) -> bool:
        return self.muted_until > now.timestamp()

    @property
    def other_uuids(self) -> frozenset[uuid.UUID]:
        return self.member_uuids - {self.user_uuid}

    @property
    def last_message(self) -> datetime:
        return parse_created_at(self.last_message_at)


def pair_group_uuid(one: uuid.UUID, other: uuid.UUID) -> uuid.UUID:
    """Return the uuid of the only conversation of two people, the same whichever way round they are named."""
    return uuid.uuid5(PAIR_NAMESPACE, ":".join(sorted((str(one), str(other)))))
