"""The items of the table: their keys, their attributes, and the dataclasses they become. Pure: no I/O, no Django.

| item         | pk            | sk             |
| ------------ | ------------- | -------------- |
| conversation | MSG#<group>   | #CONVERSATION  |
| message      | MSG#<group>   | created_at     |
| entry        | GRP#<user>    | <group>        |

Uuids that are no keys stand as 16 bytes in conversations and entries: twenty entries then fit into 8 KB, one read unit.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from messaging.domain.send_history import Sent, sends_at, sent_value

from .codec import (
    InvalidCreatedAt,
    Item,
    format_created_at,
    malformed,
    moment_at,
    moment_of,
    number,
    number_at,
    number_of,
    parse_created_at,
    text_at,
    text_of,
    uuid_at,
    uuid_bytes,
    uuid_if_any,
    uuid_in_key,
    uuid_set,
    uuid_text_at,
    uuids_at,
    uuids_if_any,
)

__all__ = [
    "CONVERSATION_SK",
    "FIRST_MESSAGE_SK",
    "FOR_GOOD",
    "GROUP_PREFIX",
    "LAST_MOMENT",
    "MICROSECOND",
    "USER_PREFIX",
    "Conversation",
    "Entry",
    "Message",
    "conversation_from",
    "conversation_item",
    "conversation_key",
    "created_at_after",
    "entry_from",
    "entry_item",
    "entry_key",
    "format_created_at",
    "group_pk",
    "key",
    "message_from",
    "message_item",
    "message_key",
    "pair_group_uuid",
    "parse_created_at",
    "user_pk",
]

GROUP_PREFIX, USER_PREFIX = "MSG#", "GRP#"

CONVERSATION_SK = "#CONVERSATION"
FOR_GOOD = 253_402_300_799
"""The end of the year 9999, in seconds since 1970."""
FIRST_MESSAGE_SK = "0"
"""Sorts after `CONVERSATION_SK` and before every created_at."""
LAST_MOMENT = datetime.max.replace(tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
"""The unit of a created_at."""
# The namespace of the uuid5 of two members; changing it would give every pair a second conversation.
PAIR_NAMESPACE = uuid.UUID("6f1c0a52-6a8e-5c7b-9f4d-2f1d6d0f3c11")


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
        """Whether this member writes nothing more into it: somebody blocks, they left, or nobody else is left."""
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
    """Which of the member's lists it stands in, by `lists.list_key`; None for none."""
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


# --- Keys -------------------------------------------------------------------------------------------------------------


def group_pk(group_uuid: uuid.UUID) -> str:
    return f"{GROUP_PREFIX}{group_uuid}"


def user_pk(user_uuid: uuid.UUID) -> str:
    return f"{USER_PREFIX}{user_uuid}"


def key(pk: str, sk: str) -> dict[str, dict[str, str]]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def conversation_key(group_uuid: uuid.UUID) -> dict[str, dict[str, str]]:
    return key(group_pk(group_uuid), CONVERSATION_SK)


def message_key(group_uuid: uuid.UUID, created_at: str) -> dict[str, dict[str, str]]:
    return key(group_pk(group_uuid), created_at)


def entry_key(user_uuid: uuid.UUID, group_uuid: uuid.UUID) -> dict[str, dict[str, str]]:
    return key(user_pk(user_uuid), str(group_uuid))


def pair_group_uuid(one: uuid.UUID, other: uuid.UUID) -> uuid.UUID:
    """The uuid of the only conversation two people can have, the same whichever way round they are named."""
    return uuid.uuid5(PAIR_NAMESPACE, ":".join(sorted((str(one), str(other)))))


# --- created_at -------------------------------------------------------------------------------------------------------


def created_at_after(created_at: str) -> str:
    """Return the next possible created_at. Raise InvalidCreatedAt for the last one of the calendar."""
    moment = parse_created_at(created_at)
    if moment > LAST_MOMENT - MICROSECOND:
        raise InvalidCreatedAt(created_at)
    return format_created_at(moment + MICROSECOND)


# --- Items <-> dataclasses --------------------------------------------------------------------------------------------


def conversation_item(conversation: Conversation) -> dict[str, Any]:
    item: dict[str, Any] = {
        **conversation_key(conversation.group_uuid),
        "member_uuids": uuid_set(conversation.member_uuids),
        "seq": number(conversation.seq),
        "version": number(conversation.version),
        "last_sk": {"S": conversation.last_sk},
        "message": {"S": conversation.message},
        "last_user_uuid": uuid_bytes(conversation.last_user_uuid),
        "sent": {"M": {str(member): sent_value(sent) for member, sent in conversation.sent.items()}},
        **({"left_uuids": uuid_set(conversation.left_uuids)} if conversation.left_uuids else {}),
    }
    if conversation.blocked_by:
        item["blocked_by"] = uuid_set(conversation.blocked_by)
    if conversation.awaiting:
        item["awaiting"] = uuid_bytes(conversation.awaiting)
    return item


def message_item(message: Message) -> dict[str, Any]:
    written = {"message": message.message, "edited_at": message.edited_at, "deleted_at": message.deleted_at}
    return {
        **message_key(message.group_uuid, message.created_at),
        "seq": number(message.seq),
        "message_uuid": {"S": str(message.message_uuid)},
        "user_uuid": {"S": str(message.user_uuid)},
        **{name: {"S": value} for name, value in written.items() if value},
    }


def entry_item(entry: Entry) -> dict[str, Any]:
    item: dict[str, Any] = {
        **entry_key(entry.user_uuid, entry.group_uuid),
        "message_group_uuid": {"S": str(entry.group_uuid)},
        "member_uuids": uuid_set(entry.member_uuids),
        "last_message_at": {"S": entry.last_message_at},
        "message": {"S": entry.message},
        "last_user_uuid": uuid_bytes(entry.last_user_uuid),
        "last_seq": number(entry.last_seq),
        "sent_seq": number(entry.sent_seq),
        "version": number(entry.version),
    }
    if entry.inbox:
        item["inbox"] = {"S": entry.inbox}
    if entry.read_seq:
        item |= {"read_seq": number(entry.read_seq), "read_sk": {"S": entry.read_sk}}
    if entry.muted_until:
        item["muted_until"] = number(entry.muted_until)
    return item


def conversation_from(item: Item) -> Conversation:
    """Raises MalformedItem."""
    return Conversation(
        group_uuid=uuid_in_key(item, "pk", GROUP_PREFIX),
        member_uuids=uuids_at(item, "member_uuids"),
        seq=number_at(item, "seq"),
        version=number_at(item, "version"),
        last_sk=moment_at(item, "last_sk"),
        message=text_at(item, "message"),
        last_user_uuid=uuid_at(item, "last_user_uuid"),
        sent=sends_at(item, "sent"),
        blocked_by=uuids_if_any(item, "blocked_by"),
        awaiting=uuid_if_any(item, "awaiting"),
        left_uuids=uuids_if_any(item, "left_uuids"),
    )


def message_from(item: Item) -> Message:
    """Raises MalformedItem."""
    deleted_at = moment_of(item, "deleted_at")
    return Message(
        group_uuid=uuid_in_key(item, "pk", GROUP_PREFIX),
        created_at=moment_at(item, "sk"),
        seq=number_at(item, "seq"),
        message="" if deleted_at and "message" not in item else text_at(item, "message"),
        message_uuid=uuid_text_at(item, "message_uuid"),
        user_uuid=uuid_text_at(item, "user_uuid"),
        edited_at=moment_of(item, "edited_at"),
        deleted_at=deleted_at,
    )


def entry_from(item: Item) -> Entry:
    """An entry from the table or from the inbox index, which lacks `version` and `read_sk`. Raises MalformedItem."""
    user_uuid = uuid_in_key(item, "pk", USER_PREFIX)
    inbox = text_of(item, "inbox")
    if inbox and not inbox.startswith(user_pk(user_uuid)):
        raise malformed(item, "inbox", "is not a list of this member")
    return Entry(
        user_uuid=user_uuid,
        group_uuid=uuid_in_key(item, "sk", ""),
        member_uuids=uuids_at(item, "member_uuids"),
        last_message_at=moment_at(item, "last_message_at"),
        message=text_at(item, "message"),
        last_user_uuid=uuid_at(item, "last_user_uuid"),
        last_seq=number_at(item, "last_seq"),
        sent_seq=number_at(item, "sent_seq"),
        version=number_of(item, "version"),
        inbox=inbox or None,
        read_seq=number_of(item, "read_seq"),
        read_sk=moment_of(item, "read_sk"),
        muted_until=number_of(item, "muted_until", largest=FOR_GOOD),
    )
