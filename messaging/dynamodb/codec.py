"""Convert entities to items and back, and single attributes. Pure.

Uuids outside of keys are 16 bytes in conversations and entries: twenty entries then fit into 8 KB, one read unit.

What reads an attribute takes the item and the attribute's name, and raises MalformedItem with both when the value is
not what the model puts there.
"""

from __future__ import annotations

import json
import uuid
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

from messaging.domain.entities import FOR_GOOD, Conversation, Entry, Message, Send, Sent
from messaging.domain.folders import USER_PREFIX
from messaging.domain.timestamps import parse_created_at

from .keys import GROUP_PREFIX, conversation_key, entry_key, message_key, user_pk
from .malformed import MalformedItem

Item = Mapping[str, Mapping[str, Any]]
"""An item as DynamoDB writes it: `{"pk": {"S": "MSG#…"}, …}`."""
LARGEST_NUMBER = 10**15
"""Largest number accepted: above every count, version and time in seconds, and exact as a float."""
REQUEST_ID = "request_id"
"""Of a conversation: the request that wrote it last, for the logs of who projects it. Nothing is decided by it."""
UNREADABLE = (AttributeError, KeyError, OverflowError, TypeError, ValueError)
"""What parsing a value of another type raises. Catch it at one attribute at a time."""


# --- JSON -------------------------------------------------------------------------------------------------------------


def with_bytes(value: dict[str, Any]) -> dict[str, Any]:
    """Decode the base64 of binary values, as `object_hook` of a JSON parser, which passes inner objects first.

    An attribute that is called B is an object, not text. Raises ValueError for text that is not base64.
    """
    if len(value) == 1:
        if type(content := value.get("B")) is str:
            return {"B": b64decode(content, validate=True)}
        if type(content := value.get("BS")) is list:
            return {"BS": [b64decode(each, validate=True) for each in content]}
    return value


def attributes_from_json(text: str | bytes) -> dict[str, Any]:
    """Return what DynamoDB's JSON describes, with bytes for its binary values. Raises ValueError."""
    found: dict[str, Any] = json.loads(text, object_hook=with_bytes)
    return found


def attributes_to_json(attributes: Mapping[str, Any]) -> str:
    """Return DynamoDB's JSON, with base64 for binary values."""
    return json.dumps(attributes, ensure_ascii=False, default=lambda content: b64encode(content).decode())


# --- Writing ----------------------------------------------------------------------------------------------------------


def text(value: str) -> dict[str, str]:
    return {"S": value}


def number(value: int) -> dict[str, str]:
    return {"N": str(value)}


def uuid_bytes(value: uuid.UUID) -> dict[str, bytes]:
    return {"B": value.bytes}


def uuid_set(values: frozenset[uuid.UUID]) -> dict[str, list[bytes]]:
    return {"BS": sorted(value.bytes for value in values)}


# --- Reading ----------------------------------------------------------------------------------------------------------


def key_of(item: Item) -> tuple[str, str]:
    """Return the partition key and the sort key of a stored item."""
    return item["pk"]["S"], item["sk"]["S"]


def type_of(item: Item, name: str) -> str:
    """Return DynamoDB's letter for the type of an attribute; empty where there is none."""
    return next(iter(item.get(name, {})), "")


def is_value(value: object) -> bool:
    """Return whether this is one value of an attribute with one type, and bytes where the type is binary."""
    if not isinstance(value, Mapping) or len(value) != 1:
        return False
    ((letter, content),) = value.items()
    kinds = {"S": str, "N": str, "B": bytes, "BS": list, "SS": list, "NS": list, "L": list, "M": dict}
    if not isinstance(content, kinds.get(letter, object)):
        return False
    if isinstance(content, dict):
        return all(map(is_value, content.values()))
    return all(map(is_value, content)) if letter == "L" and isinstance(content, list) else True


def same_value(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two values are equal; a set has no order."""
    if "BS" in one and "BS" in other:
        return sorted(one["BS"]) == sorted(other["BS"])
    return one == other


def text_or_blank(item: Item, name: str) -> str:
    """Return a String of an item of any kind; empty where there is none, or a value of another type."""
    return str(item.get(name, {}).get("S", ""))


def version_or(item: Item, default: int) -> int:
    """Return the version of a conversation or entry, and `default` where it cannot be read."""
    digits = item.get("version", {}).get("N", "")
    return int(digits) if digits.isdecimal() else default


def text_at(item: Item, name: str) -> str:
    """Read an item. Raises MalformedItem."""
    try:
        text = item[name]["S"]
    except UNREADABLE:
        raise malformed(item, name, "is not a String") from None
    if type(text) is not str:
        raise malformed(item, name, "is not a String")
    return text


def text_of(item: Item, name: str) -> str:
    """Return empty text where there is none. Raises MalformedItem."""
    return text_at(item, name) if name in item else ""


def moment_at(item: Item, name: str) -> str:
    """Return a created_at as it is written. Raises MalformedItem."""
    text = text_at(item, name)
    try:
        parse_created_at(text)
    except UNREADABLE:
        raise malformed(item, name, "is not a created_at") from None
    return text


def moment_of(item: Item, name: str) -> str:
    """Return empty text where there is none. Raises MalformedItem."""
    return moment_at(item, name) if name in item else ""


def number_at(item: Item, name: str, *, largest: int = LARGEST_NUMBER) -> int:
    """Return a number from 0 up. Raises MalformedItem."""
    try:
        value = int(item[name]["N"])
    except UNREADABLE:
        raise malformed(item, name, "is not a whole Number") from None
    if not 0 <= value <= largest:
        raise malformed(item, name, f"is not a Number from 0 to {largest}")
    return value


def number_of(item: Item, name: str, *, largest: int = LARGEST_NUMBER) -> int:
    """Return a number, or 0 if the attribute is absent. Raises MalformedItem."""
    return number_at(item, name, largest=largest) if name in item else 0


def uuid_at(item: Item, name: str) -> uuid.UUID:
    """Return a uuid of 16 bytes. Raises MalformedItem."""
    try:
        return uuid_of(item[name])
    except UNREADABLE:
        raise malformed(item, name, "is not a uuid of 16 bytes") from None


def uuid_if_any(item: Item, name: str) -> uuid.UUID | None:
    """Return None where there is none. Raises MalformedItem."""
    return uuid_at(item, name) if name in item else None


def uuids_at(item: Item, name: str) -> frozenset[uuid.UUID]:
    """Return a set of uuids. Raises MalformedItem."""
    try:
        return frozenset(uuid.UUID(bytes=bytes(each)) for each in item[name]["BS"])
    except UNREADABLE:
        raise malformed(item, name, "is not a Binary Set of uuids of 16 bytes") from None


def uuids_if_any(item: Item, name: str) -> frozenset[uuid.UUID]:
    """Return a set of uuids; empty if absent, as DynamoDB stores no empty set. Raises MalformedItem."""
    return uuids_at(item, name) if name in item else frozenset()


def uuid_text_at(item: Item, name: str) -> uuid.UUID:
    """Return a uuid that is written as text. Raises MalformedItem."""
    return _uuid_text(item, name, text_at(item, name))


def uuid_in_key(item: Item, name: str, prefix: str) -> uuid.UUID:
    """Return the uuid that follows the prefix of a key. Raises MalformedItem."""
    text = text_at(item, name)
    if not text.startswith(prefix):
        raise malformed(item, name, f"does not begin with {prefix}")
    value = _uuid_text(item, name, text[len(prefix) :])
    if str(value) != text[len(prefix) :]:
        raise malformed(item, name, "is not a uuid as it is written here")
    return value


def uuid_of(value: Mapping[str, Any]) -> uuid.UUID:
    """Return a uuid. Raises one of UNREADABLE."""
    return uuid.UUID(bytes=bytes(value["B"]))


def malformed(item: Item, name: str, why: str) -> MalformedItem:
    return MalformedItem(item, name, why if name in item else "is missing")


def _uuid_text(item: Item, name: str, text: str) -> uuid.UUID:
    try:
        value = uuid.UUID(text)
    except ValueError:
        raise malformed(item, name, "is not the text of a uuid") from None
    return value


# --- What a member sent ----------------------------------------------------------------------------------------------


def sents_value(sent: Mapping[uuid.UUID, Sent]) -> dict[str, Any]:
    return {"M": {str(member): sent_value(each) for member, each in sent.items()}}


def sent_value(sent: Sent) -> dict[str, Any]:
    newest = [{"L": [uuid_bytes(send.message_uuid), {"S": send.sk}]} for send in sent.newest]
    return {"M": {"seq": number(sent.seq), "newest": {"L": newest}}}


def sends_at(item: Item, name: str) -> dict[uuid.UUID, Sent]:
    """Return what is remembered, by member. Raises MalformedItem."""
    try:
        return {uuid.UUID(member): _sent_of(value) for member, value in item[name]["M"].items()}
    except UNREADABLE:
        raise malformed(item, name, "is not a Map of what each member sent last") from None


def _sent_of(value: Mapping[str, Any]) -> Sent:
    newest = [each["L"] for each in value["M"]["newest"]["L"]]
    return Sent(int(value["M"]["seq"]["N"]), tuple(Send(uuid_of(send), _moment(sk["S"])) for send, sk in newest))


def _moment(sk: str) -> str:
    parse_created_at(sk)
    return sk


# --- Entities ---------------------------------------------------------------------------------------------------------


def conversation_item(conversation: Conversation) -> dict[str, Any]:
    item: dict[str, Any] = {
        **conversation_key(conversation.group_uuid),
        "member_uuids": uuid_set(conversation.member_uuids),
        "seq": number(conversation.seq),
        "version": number(conversation.version),
        "last_sk": {"S": conversation.last_sk},
        "message": {"S": conversation.message},
        "last_user_uuid": uuid_bytes(conversation.last_user_uuid),
        "sent": sents_value(conversation.sent),
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
    """Read an item. Raises MalformedItem."""
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
    """Read an item. Raises MalformedItem."""
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
    """Read an entry from the table or the inbox index, which lacks `version` and `read_sk`. Raises MalformedItem."""
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
