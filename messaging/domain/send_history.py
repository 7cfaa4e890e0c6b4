"""What a conversation remembers of each member's sending, so that a send that comes again is known. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from messaging.dynamodb.codec import UNREADABLE, Item, malformed, number, parse_created_at, uuid_bytes, uuid_of

SENDS_KEPT = 3


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


def sent_value(sent: Sent) -> dict[str, Any]:
    newest = [{"L": [uuid_bytes(send.message_uuid), {"S": send.sk}]} for send in sent.newest]
    return {"M": {"seq": number(sent.seq), "newest": {"L": newest}}}


def sends_at(item: Item, name: str) -> dict[uuid.UUID, Sent]:
    """What is remembered, by member. Raises MalformedItem."""
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
