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
from datetime import UTC, datetime
from typing import Any

Item = Mapping[str, Mapping[str, Any]]
"""An item as DynamoDB writes it: `{"pk": {"S": "MSG#…"}, …}`."""

CONVERSATION_SK = "#CONVERSATION"
FIRST_MESSAGE_SK = "0"
"""Sorts after `CONVERSATION_SK` and before every created_at."""
SENDS_KEPT = 3
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
    blocked: bool = False
    """Whether a member blocks it, so that nothing more is written into it."""
    left_uuids: frozenset[uuid.UUID] = frozenset()
    """Members who have left for good: their accounts were deleted. They keep no entry."""

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

    Copied from the conversation, all but inbox and read_*, which are the member's own. Read through the inbox index
    it lacks `version` and `read_sk`, which a list does not show (0 and "").
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


# --- Keys -------------------------------------------------------------------------------------------------------------


def group_pk(group_uuid: uuid.UUID) -> str:
    return f"MSG#{group_uuid}"


def user_pk(user_uuid: uuid.UUID) -> str:
    return f"GRP#{user_uuid}"


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


# --- Items <-> dataclasses --------------------------------------------------------------------------------------------


def number(value: int) -> dict[str, str]:
    return {"N": str(value)}


def uuid_bytes(value: uuid.UUID) -> dict[str, bytes]:
    return {"B": value.bytes}


def uuid_set(values: frozenset[uuid.UUID]) -> dict[str, list[bytes]]:
    return {"BS": sorted(value.bytes for value in values)}


def sent_value(sent: Sent) -> dict[str, Any]:
    newest = [{"L": [uuid_bytes(send.message_uuid), {"S": send.sk}]} for send in sent.newest]
    return {"M": {"seq": number(sent.seq), "newest": {"L": newest}}}


def conversation_item(conversation: Conversation) -> dict[str, Any]:
    return {
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
    return item


def _text(item: Item, name: str) -> str:
    return str(item[name]["S"]) if name in item else ""


def _uuids(value: Mapping[str, Any]) -> frozenset[uuid.UUID]:
    return frozenset(uuid.UUID(bytes=bytes(each)) for each in value["BS"])


def _uuid(value: Mapping[str, Any]) -> uuid.UUID:
    return uuid.UUID(bytes=bytes(value["B"]))


def _sent(value: Mapping[str, Any]) -> Sent:
    newest = (each["L"] for each in value["M"]["newest"]["L"])
    return Sent(int(value["M"]["seq"]["N"]), tuple(Send(_uuid(send), sk["S"]) for send, sk in newest))


def conversation_from(item: Item) -> Conversation:
    return Conversation(
        group_uuid=uuid.UUID(item["pk"]["S"].removeprefix("MSG#")),
        member_uuids=_uuids(item["member_uuids"]),
        seq=int(item["seq"]["N"]),
        version=int(item["version"]["N"]),
        last_sk=item["last_sk"]["S"],
        message=item["message"]["S"],
        last_user_uuid=_uuid(item["last_user_uuid"]),
        sent={uuid.UUID(member): _sent(value) for member, value in item["sent"]["M"].items()},
        blocked="blocked_by" in item,
        left_uuids=_uuids(item["left_uuids"]) if "left_uuids" in item else frozenset(),
    )


def message_from(item: Item) -> Message:
    return Message(
        group_uuid=uuid.UUID(item["pk"]["S"].removeprefix("MSG#")),
        created_at=item["sk"]["S"],
        seq=int(item["seq"]["N"]),
        message=_text(item, "message"),
        message_uuid=uuid.UUID(item["message_uuid"]["S"]),
        user_uuid=uuid.UUID(item["user_uuid"]["S"]),
        edited_at=_text(item, "edited_at"),
        deleted_at=_text(item, "deleted_at"),
    )


def entry_from(item: Item) -> Entry:
    return Entry(
        user_uuid=uuid.UUID(item["pk"]["S"].removeprefix("GRP#")),
        group_uuid=uuid.UUID(item["sk"]["S"]),
        member_uuids=_uuids(item["member_uuids"]),
        last_message_at=item["last_message_at"]["S"],
        message=item["message"]["S"],
        last_user_uuid=_uuid(item["last_user_uuid"]),
        last_seq=int(item["last_seq"]["N"]),
        sent_seq=int(item["sent_seq"]["N"]),
        version=int(item["version"]["N"]) if "version" in item else 0,
        inbox=_text(item, "inbox") or None,
        read_seq=int(item["read_seq"]["N"]) if "read_seq" in item else 0,
        read_sk=_text(item, "read_sk"),
    )
