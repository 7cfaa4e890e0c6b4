"""What can be done with conversations: the domain functions that views, commands and the admin call.

Each is keyword-only; the people are uuids, the time is passed in. Not a member and no such conversation look the
same: `ConversationNotFound`. Whatever DynamoDB cannot answer now is `messaging.dynamodb.Unavailable`.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from .items import Conversation, Entry, Message

PAGE_SIZE = 20
TOTAL_CONVERSATIONS = 100


class ConversationNotFound(Exception):
    """There is no such conversation, or the person is not a member of it."""


class MessageNotFound(Exception):
    """The conversation has no message at this created_at."""


class MessageRejected(Exception):
    """The text cannot be sent. `code` is `message_blank` or `message_exceed_max_chars`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class MessageUuidReused(Exception):
    """This message_uuid was already sent with another text: the form needs a new one."""


class Blocked(Exception):
    """A member of the conversation blocks it: nothing can be written into it."""


@dataclass(frozen=True, slots=True)
class Inbox:
    """A page of a person's conversations, newest first."""

    entries: Sequence[Entry]
    older: str | None
    """The cursor of the next page, `<last_message_at>_<group_uuid>`; none at the end."""


@dataclass(frozen=True, slots=True)
class Thread:
    """A window of a conversation's messages, oldest first, as one member sees it."""

    conversation: Conversation
    entry: Entry
    """The member's own."""
    messages: Sequence[Message]

    @property
    def older(self) -> str | None:
        """created_at to ask before; none when the window begins with the first message."""
        return self.messages[0].created_at if self.messages and self.messages[0].seq > 1 else None

    @property
    def newer(self) -> str | None:
        """created_at to ask after; none when the window ends with the newest message."""
        return self.messages[-1].created_at if self.messages and self.messages[-1].seq < self.conversation.seq else None

    @property
    def newest_known(self) -> str:
        """`after` of a message written on this page: the newest created_at it knows."""
        return self.conversation.last_sk

    @property
    def first_unread(self) -> Message | None:
        """The first of others' messages in this window that the member has not read."""
        return next(
            (m for m in self.messages if m.seq > self.entry.read_seq and m.user_uuid != self.entry.user_uuid),
            None,
        )


def inbox(*, user_uuid: uuid.UUID, before: str | None = None) -> Inbox:
    """A page of the person's conversations (pattern B, 1 call). Raises ValueError when `before` is no cursor."""
    raise NotImplementedError


def thread(
    *,
    user_uuid: uuid.UUID,
    group_uuid: uuid.UUID,
    before: str | None = None,
    after: str | None = None,
    around: str | None = None,
) -> Thread:
    """The newest messages of a conversation, or those before, after or around a created_at (pattern A, 2 calls; around: 3).

    Raises ConversationNotFound; ValueError when a cursor is no created_at.
    """
    raise NotImplementedError


def send(
    *,
    user_uuid: uuid.UUID,
    group_uuid: uuid.UUID,
    text: str,
    message_uuid: uuid.UUID,
    after: str,
    now: datetime,
) -> Message:
    """Store a message once (pattern C, 2 calls) and return it as stored, also when it had been stored before.

    `after` is the newest created_at the page knew when `message_uuid` was minted ("" for none).
    Raises ConversationNotFound, MessageRejected, MessageUuidReused, Blocked; ValueError when `after` is no created_at.
    """
    raise NotImplementedError


def start(*, user_uuid: uuid.UUID, other_uuid: uuid.UUID, text: str, message_uuid: uuid.UUID, now: datetime) -> Message:
    """Send the first message to someone (pattern D, 1 call), or the next one if there is a conversation already.

    The message's group_uuid is the conversation's. Raises what `send` raises; ValueError for one's own uuid.
    """
    raise NotImplementedError


def existing_with(*, user_uuid: uuid.UUID, other_uuid: uuid.UUID) -> uuid.UUID | None:
    """The uuid of the conversation the two people have, or None (1 call)."""
    raise NotImplementedError


def mark_read(*, user_uuid: uuid.UUID, group_uuid: uuid.UUID, created_at: str) -> None:
    """Note that the person has read up to this message, which must exist; only forwards (2 calls).

    Raises ConversationNotFound, MessageNotFound; ValueError when created_at is none.
    """
    raise NotImplementedError


@dataclass(frozen=True, slots=True)
class UnreadTotal:
    """Unread messages in the newest `TOTAL_CONVERSATIONS` conversations."""

    count: int
    more: bool
    """Whether conversations beyond those exist."""


def unread_total(*, user_uuid: uuid.UUID) -> UnreadTotal:
    """How many messages the person has not read (1 call)."""
    raise NotImplementedError
