"""Pattern E: what changed in conversations is copied into their members' entries. One projection for worker and Lambda.

Monotonic: an entry takes a version once and never an older one, so batches may come twice, late or in any order.
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
    if image is None or image.get("sk", {}).get("S") != CONVERSATION_SK:
        return None
    change = change_to(image, said["SequenceNumber"])
    request_id = image.get(REQUEST_ID, {}).get("S", NONE)
    if request_id != NONE:
        change.request_ids.append(request_id)
    return change


def change_to(image: Item, sequence_number: str) -> Change:
    """Return the change that applies this image of a conversation."""
    # A version that is none sorts before all: the image fails when it is read, and no other of the batch with it.
    version = image.get("version", {}).get("N", "")
    return Change(image["pk"]["S"], image, int(version) if version.isdecimal() else -1, sequence_number)
