"""Project changed conversations into their members' entries, for worker and Lambda alike.

Entries are version-monotonic: an entry takes each version once and never an older one. Batches may therefore arrive
twice, late or in any order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cruddur.observability.request_context import NONE
from messaging.domain.entities import Conversation
from messaging.dynamodb.codec import REQUEST_ID, Item, conversation_from, key_of, text_or_blank, version_or
from messaging.dynamodb.keys import CONVERSATION_SK
from messaging.dynamodb.malformed import MalformedItem
from messaging.dynamodb.table import MessageTable


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
    if image is None or text_or_blank(image, "sk") != CONVERSATION_SK:
        return None
    change = change_to(image, said["SequenceNumber"])
    request_id = text_or_blank(image, REQUEST_ID) or NONE
    if request_id != NONE:
        change.request_ids.append(request_id)
    return change


def change_to(image: Item, sequence_number: str) -> Change:
    """Return the change that applies this image of a conversation."""
    # An invalid version sorts before all others: the image then fails when it is parsed, and alone.
    return Change(key_of(image)[0], image, version_or(image, -1), sequence_number)
