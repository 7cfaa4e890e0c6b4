"""The items of the old system's table. Pure.

| item                                | pk           | sk                        |
| ----------------------------------- | ------------ | ------------------------- |
| message                             | MSG#<group>  | its time                  |
| conversation entry, one for each    | GRP#<user>   | time of the last message  |
| member, sometimes several, or none  |              |                           |

A message names its writer, an entry the other member: uuid, name and handle, copied in. Groups have random uuids, and
two people may have several. What an item lacks is told, not guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid5

from messaging.dynamodb.codec import Item, text_or_blank, type_of
from messaging.dynamodb.keys import CONVERSATION_SK

MESSAGE_PREFIX, ENTRY_PREFIX = "MSG#", "GRP#"
# The namespace for generated uuids; changing it would import the same items a second time.
OLD_NAMESPACE = UUID("b3c7a1f0-3f0e-5b57-9d5e-5d8f7a2c6e41")


@dataclass(frozen=True, slots=True)
class Participant:
    """A person as an item names them."""

    uuid: UUID
    handle: str
    name: str


@dataclass(frozen=True, slots=True)
class LegacyMessage:
    """A message of the old table."""

    group: str
    """What follows `MSG#`: usually a uuid."""
    sk: str
    text: str
    message_uuid: UUID | None
    """None if the item has none."""
    writer: Participant

    @property
    def pk(self) -> str:
        return MESSAGE_PREFIX + self.group

    def uuid_for(self, what: str = "") -> UUID:
        """Return a uuid derived from the message's two keys, so that it is always the same."""
        return uuid5(OLD_NAMESPACE, f"{self.pk}|{self.sk}|{what}")


@dataclass(frozen=True, slots=True)
class LegacyEntry:
    """An entry in a user's list of conversations."""

    owner: UUID
    sk: str
    group: str
    text: str
    other: Participant | None
    """None if it names nobody."""


@dataclass(frozen=True, slots=True)
class UnknownItem:
    """An item that is neither a message nor an entry, or lacks a required attribute."""

    pk: str
    sk: str
    why: str


@dataclass(frozen=True, slots=True)
class NotTheLegacyLayout:
    """An item of this system's own layout: the table is the wrong one."""


def read_item(item: Item) -> LegacyMessage | LegacyEntry | UnknownItem | NotTheLegacyLayout:
    """Parse an item of the old table."""
    pk, sk = text_or_blank(item, "pk"), text_or_blank(item, "sk")
    if sk == CONVERSATION_SK or type_of(item, "last_user_uuid") == "B":
        return NotTheLegacyLayout()
    if pk.startswith(MESSAGE_PREFIX) and sk:
        return _message(item, pk, sk)
    if pk.startswith(ENTRY_PREFIX) and sk:
        return _entry(item, pk, sk)
    return UnknownItem(pk, sk, "its keys are neither a message's nor an entry's")


def _message(item: Item, pk: str, sk: str) -> LegacyMessage | UnknownItem:
    writer = _person(item)
    if type_of(item, "message") != "S":
        return UnknownItem(pk, sk, "it is a message without a text")
    if writer is None:
        return UnknownItem(pk, sk, "it is a message of nobody")
    message_uuid = _uuid(text_or_blank(item, "message_uuid"))
    return LegacyMessage(pk.removeprefix(MESSAGE_PREFIX), sk, text_or_blank(item, "message"), message_uuid, writer)


def _entry(item: Item, pk: str, sk: str) -> LegacyEntry | UnknownItem:
    owner, group = _uuid(pk.removeprefix(ENTRY_PREFIX)), text_or_blank(item, "message_group_uuid")
    if owner is None:
        return UnknownItem(pk, sk, "it is an entry of nobody")
    if not group:
        return UnknownItem(pk, sk, "it is an entry of no conversation")
    return LegacyEntry(owner, sk, group, text_or_blank(item, "message"), _person(item))


def _person(item: Item) -> Participant | None:
    """Return the person an item names; derive a missing uuid from the invalid value, or from the handle."""
    said, handle = text_or_blank(item, "user_uuid"), text_or_blank(item, "user_handle").replace("\x00", "")
    uuid = _uuid(said)
    if uuid is None and (said or handle):
        uuid = uuid5(OLD_NAMESPACE, f"person|{said}|{handle}")
    return Participant(uuid, handle, text_or_blank(item, "user_display_name").replace("\x00", "")) if uuid else None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
