"""The items of the table: their keys, their attributes, and the dataclasses they become. Pure: no I/O, no Django.

| item         | pk            | sk             |
| conversation | MSG#<group>   | #CONVERSATION  |
| message      | MSG#<group>   | created_at     |
| entry        | GRP#<user>    | <group>        |
"""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

CONVERSATION_SK = "#CONVERSATION"
# Sorts after "#CONVERSATION" and before every created_at, which begins with a year.
FIRST_MESSAGE_SK = "0"
# The namespace of the uuid5 of two members; changing it would give every pair a second conversation.
PAIR_NAMESPACE = uuid.UUID("6f1c0a52-6a8e-5c7b-9f4d-2f1d6d0f3c11")
PREVIEW_BYTES = 200
SENDS_KEPT = 3
MESSAGE_MAX_CHARS = 1024

Item = dict[str, Any]
"""An item as the service module hands it over: plain Python values by attribute name."""


@dataclass(frozen=True, slots=True)
class Send:
    """One of a member's newest sends, as the conversation remembers it."""

    message_uuid: uuid.UUID
    sk: str


@dataclass(frozen=True, slots=True)
class Sent:
    """What a conversation knows of one member's sending: the seq of the last message, and the newest sends."""

    seq: int = 0
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

    @property
    def created(self) -> datetime:
        return parse_created_at(self.created_at)


@dataclass(frozen=True, slots=True)
class Entry:
    """A member's line in the list of conversations, copied from the conversation; inbox and read_* are the member's own."""

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
    read_seq: int = 0
    read_sk: str = ""

    @property
    def unread(self) -> int:
        """Others' messages after the last one read or written."""
        return max(0, self.last_seq - max(self.read_seq, self.sent_seq))

    @property
    def other_uuids(self) -> frozenset[uuid.UUID]:
        return self.member_uuids - {self.user_uuid}

    @property
    def last_message(self) -> datetime:
        return parse_created_at(self.last_message_at)


# --- Keys -------------------------------------------------------------------------------------------------


def group_pk(group_uuid: uuid.UUID) -> str:
    return f"MSG#{group_uuid}"


def user_pk(user_uuid: uuid.UUID) -> str:
    return f"GRP#{user_uuid}"


def conversation_key(group_uuid: uuid.UUID) -> Item:
    return {"pk": group_pk(group_uuid), "sk": CONVERSATION_SK}


def message_key(group_uuid: uuid.UUID, created_at: str) -> Item:
    return {"pk": group_pk(group_uuid), "sk": created_at}


def entry_key(user_uuid: uuid.UUID, group_uuid: uuid.UUID) -> Item:
    return {"pk": user_pk(user_uuid), "sk": str(group_uuid)}


def pair_group_uuid(one: uuid.UUID, other: uuid.UUID) -> uuid.UUID:
    """The uuid of the only conversation two people can have, the same whichever way round they are named."""
    return uuid.uuid5(PAIR_NAMESPACE, ":".join(sorted((str(one), str(other)))))


# --- Time -------------------------------------------------------------------------------------------------


def format_created_at(moment: datetime) -> str:
    """UTC, ISO 8601, always six fractional digits: `2026-11-21T09:05:00.000000+00:00`, which sorts as time does."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def parse_created_at(created_at: str) -> datetime:
    """The moment of a created_at; raises ValueError unless it is written exactly as `format_created_at` writes it."""
    moment = datetime.fromisoformat(created_at)
    if moment.tzinfo is None or format_created_at(moment) != created_at:
        msg = f"not a created_at: {created_at!r}"
        raise ValueError(msg)
    return moment


def next_created_at(now: datetime, last_sk: str) -> str:
    """`now`, or one microsecond after `last_sk` where this server's clock is behind it."""
    return format_created_at(max(now, parse_created_at(last_sk) + timedelta(microseconds=1)))


# --- Text -------------------------------------------------------------------------------------------------

# Variation selectors, Hangul fillers and the Braille blank are drawn as nothing, though Unicode calls them letters,
# marks or symbols.
_DRAWN_AS_NOTHING = frozenset("\u115f\u1160\u2800\u3164\uffa0\u034f")
_INVISIBLE_CATEGORIES = frozenset(("Cc", "Cf", "Zs", "Zl", "Zp", "Cn", "Co", "Cs"))


def normalise_text(text: str) -> str:
    """The text as it is stored: line ends as LF, then NFC."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))


def is_blank(text: str) -> bool:
    """Whether nothing in the text would be seen: white space, zero-width and control characters alone."""
    return all(
        char in _DRAWN_AS_NOTHING
        or unicodedata.category(char) in _INVISIBLE_CATEGORIES
        or 0xFE00 <= ord(char) <= 0xFE0F  # noqa: PLR2004 - the block of variation selectors
        for char in text
    )


def preview(text: str) -> str:
    """The beginning of the text, at most `PREVIEW_BYTES` of UTF-8, cut between two characters."""
    return text.encode()[:PREVIEW_BYTES].decode(errors="ignore")


# --- Conversation -----------------------------------------------------------------------------------------


def first_message(
    *, group_uuid: uuid.UUID, user_uuid: uuid.UUID, text: str, message_uuid: uuid.UUID, now: datetime
) -> Message:
    """The message that starts a conversation."""
    return Message(group_uuid, format_created_at(now), 1, text, message_uuid, user_uuid)


def next_message(
    *, conversation: Conversation, user_uuid: uuid.UUID, text: str, message_uuid: uuid.UUID, now: datetime
) -> Message:
    """The message that follows what `conversation` holds: the next number, and strictly later, whatever the clock."""
    created_at = next_created_at(now, conversation.last_sk)
    return Message(conversation.group_uuid, created_at, conversation.seq + 1, text, message_uuid, user_uuid)


def conversation_of(messages: Iterable[Message], *, member_uuids: frozenset[uuid.UUID]) -> Conversation:
    """The conversation that these messages, in order, make; raises ValueError when there are none."""
    conversation: Conversation | None = None
    for message in messages:
        conversation = (
            conversation_after(conversation, message)
            if conversation
            else Conversation(
                group_uuid=message.group_uuid,
                member_uuids=member_uuids,
                seq=message.seq,
                version=1,
                last_sk=message.created_at,
                message=preview(message.message),
                last_user_uuid=message.user_uuid,
                sent={message.user_uuid: sent_after(Sent(), message)},
            )
        )
    if conversation is None:
        msg = "a conversation begins with a message"
        raise ValueError(msg)
    return conversation


def sent_after(sent: Sent, message: Message) -> Sent:
    """What is known of a member's sending once `message`, theirs, is stored."""
    newest = (Send(message.message_uuid, message.created_at), *sent.newest)
    return Sent(message.seq, newest[:SENDS_KEPT])


def conversation_after(conversation: Conversation, message: Message) -> Conversation:
    """The conversation once `message`, the next one, is stored."""
    return replace(
        conversation,
        seq=message.seq,
        version=conversation.version + 1,
        last_sk=message.created_at,
        message=preview(message.message),
        last_user_uuid=message.user_uuid,
        sent={
            **conversation.sent,
            message.user_uuid: sent_after(conversation.sent_by(message.user_uuid), message),
        },
    )


def entry_of(conversation: Conversation, user_uuid: uuid.UUID) -> Entry:
    """The entry of a member as the conversation gives it, shown in the member's inbox and with nothing read."""
    return Entry(
        user_uuid=user_uuid,
        group_uuid=conversation.group_uuid,
        member_uuids=conversation.member_uuids,
        last_message_at=conversation.last_sk,
        message=conversation.message,
        last_user_uuid=conversation.last_user_uuid,
        last_seq=conversation.seq,
        sent_seq=conversation.sent_by(user_uuid).seq,
        version=conversation.version,
        inbox=user_pk(user_uuid),
    )
