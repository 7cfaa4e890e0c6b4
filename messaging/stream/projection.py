"""Pattern E: what changed in conversations is copied into their members' entries. One projection for worker and Lambda.

Monotonic: an entry takes a version once and never an older one, so batches may come twice, late or in any order.
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
    """What a batch of stream records says of one conversation: only its newest image matters."""

    pk: str
    image: Item
    version: int
    sequence_number: str
    """Of the first of its records in the batch: to be delivered again from there, should the change fail."""
    request_ids: list[str] = field(default_factory=list)
    """The requests that wrote what its records say, the last one last; none where none wrote it, or without records."""

    @property
    def request_id(self) -> str:
        """The last of them; `-` for none."""
        return self.request_ids[-1] if self.request_ids else NONE

    @property
    def conversation(self) -> Conversation:
        """Raises MalformedItem when the image is no conversation."""
        return conversation_from(self.image)


def changes(records: Iterable[Mapping[str, Any]]) -> list[Change]:
    """Return the changed conversations of these stream records, in the order in which each first appears.

    Other items are skipped. Each conversation is one change: k messages in a batch cost one update per member.
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
    """Bring the entries of all members who have not left up to these conversations; returns how many entries moved.

    Who blocked somebody before the first message has made a conversation that has no entries.
    One call of 3 write units a member. Raises `Unavailable`, and MalformedItem once all others are brought up, for an
    entry that cannot follow; doing it again is safe.
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
    # A version that is none sorts before all: the image fails when it is read, and no other of the batch with it.
    return Change(key_of(image)[0], image, version_or(image, -1), sequence_number)
