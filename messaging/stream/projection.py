"""Project changed conversations into their members' entries, for worker and Lambda alike.

Entries are version-monotonic: an entry takes each version once and never an older one. Batches may therefore arrive
twice, late or in any order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cruddur.observability.request_context import NONE
from messaging.dynamodb.codec import Item
from messaging.dynamodb.items import CONVERSATION_SK, Conversation, conversation_from
from messaging.dynamodb.malformed import MalformedItem
from messaging.dynamodb.table import MessageTable
from messaging.dynamodb.transactions import REQUEST_ID


@dataclass(slots=True)
class Change:
    """The newest image of a conversation in a batch of stream records."""

    pk: str
    image: Item
    version: int
    sequence_number: str
    """Of the conversation's first record in the batch: redelivery starts there if the change fails."""
    request_ids: list[str] = field(default_factory=list)
    """Ids of the requests that wrote these records, oldest first; empty if no request wrote them."""

    @property
    def request_id(self) -> str:
        """The newest request id; `-` if there are none."""
        return self.request_ids[-1] if self.request_ids else NONE

    @property
    def conversation(self) -> Conversation:
        """Parse the image. Raises MalformedItem when it is not a conversation."""
        return conversation_from(self.image)


def changes(records: Iterable[Mapping[str, Any]]) -> list[Change]:
    """Return the changed conversations of these stream records, in the order of their first record; skip other items.

    Each conversation is one change: k messages in a batch cost one update per member.
    """
    found: dict[str, Change] = {}
    for record in records:
        change = _change(record["dynamodb"])
        if change is None:
            continue
        known = found.setdefault(change.pk, change)
        if known.version < change.version:
            known.image, known.version = change.image, change.version
            known.request_ids += change.request_ids
    return list(found.values())


def project(table: MessageTable, conversations: Iterable[Conversation]) -> int:
    """Update the entries of all members who have not left to these conversations; return the number of updated entries.

    Conversations without messages (created by a block) have no entries and are skipped. One call of 3 write units per
    member. Raises Unavailable, and MalformedItem for an entry that cannot be updated, once all others are. Safe to
    repeat.
    """
    moved, malformed = 0, list[MalformedItem]()
    for conversation in conversations:
        if not conversation.begun:
            continue
        for member in sorted(conversation.member_uuids - conversation.left_uuids):
            try:
                moved += table.copy_to_entry(conversation, member)
            except MalformedItem as error:
                malformed.append(error)
    if malformed:
        raise malformed[0]
    return moved


def _change(said: Mapping[str, Any]) -> Change | None:
    image = said.get("NewImage")
    if image is None or image.get("sk", {}).get("S") != CONVERSATION_SK:
        return None
    change = change_to(image, said["SequenceNumber"])
    request_id = image.get(REQUEST_ID, {}).get("S", NONE)
    if request_id != NONE:
        change.request_ids.append(request_id)
    return change


def change_to(image: Item, sequence_number: str) -> Change:
    """Return the change that applies this image of a conversation."""
    # An invalid version sorts before all others: the image then fails when it is parsed, and alone.
    version = image.get("version", {}).get("N", "")
    return Change(image["pk"]["S"], image, int(version) if version.isdecimal() else -1, sequence_number)
