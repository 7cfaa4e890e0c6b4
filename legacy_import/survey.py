"""Survey the old table in one pass before anything is written: find its groups, their members and all users.

Memory grows with groups, entries and users, not with messages. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from uuid import UUID

from .legacy_items import LegacyEntry, LegacyMessage, Participant, UnknownItem

HASH_BYTES = 8


@dataclass(frozen=True, slots=True)
class EntryNote:
    """The parts of an entry that are kept in memory."""

    owner: UUID
    other: UUID | None
    sk: str
    text_hash: bytes


@dataclass(slots=True)
class Group:
    """A conversation of the old table, as its items describe it."""

    writers: Counter[UUID] = field(default_factory=Counter)
    """Number of messages by sender."""
    first_sks: dict[UUID, str] = field(default_factory=dict)
    """Sort key of each sender's first message."""
    entries: list[EntryNote] = field(default_factory=list)

    @property
    def messages(self) -> int:
        return self.writers.total()


@dataclass(slots=True)
class Survey:
    """The totals and groups found in the old table."""

    groups: dict[str, Group] = field(default_factory=dict)
    names: dict[UUID, tuple[str, Participant]] = field(default_factory=dict)
    """The newest names of each person, with the sort key of the item they come from."""
    owners: set[UUID] = field(default_factory=set)
    """Users who have a list of conversations."""
    strange: list[UnknownItem] = field(default_factory=list)
    items: int = 0
    messages: int = 0
    entries: int = 0

    def add(self, items: Iterable[LegacyMessage | LegacyEntry | UnknownItem]) -> None:
        for item in items:
            self.items += 1
            match item:
                case LegacyMessage():
                    self.messages += 1
                    group, writer = self.groups.setdefault(item.group, Group()), item.writer.uuid
                    group.writers[writer] += 1
                    group.first_sks[writer] = min(group.first_sks.get(writer, item.sk), item.sk)
                    self._name(item.writer, item.sk)
                case LegacyEntry():
                    self.entries += 1
                    other = item.other.uuid if item.other else None
                    note = EntryNote(item.owner, other, item.sk, text_hash(item.text))
                    self.groups.setdefault(item.group, Group()).entries.append(note)
                    self.owners.add(item.owner)
                    if item.other:
                        self._name(item.other, item.sk)
                case UnknownItem():
                    self.strange.append(item)

    def _name(self, person: Participant, sk: str) -> None:
        known = self.names.get(person.uuid)
        if known is None or (known[0] < sk and (person.handle or person.name)):
            self.names[person.uuid] = (sk, person)

    def person(self, uuid: UUID) -> Participant:
        """Return the person with the names found in the conversations, empty if there are none."""
        return self.names[uuid][1] if uuid in self.names else Participant(uuid, "", "")


def text_hash(text: str) -> bytes:
    """Return a hash that allows texts to be compared without keeping them."""
    return blake2b(text.encode(errors="surrogatepass"), digest_size=HASH_BYTES).digest()
