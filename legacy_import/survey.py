"""What one reading of the old table tells before anything is written: which groups there are, whose, and who is who.

Memory: something for each group, entry and person, nothing for a message. Pure.
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
    """What is kept in mind of an entry."""

    owner: UUID
    other: UUID | None
    sk: str
    text_hash: bytes


@dataclass(slots=True)
class Group:
    """A conversation of the old table, as its items tell it."""

    writers: Counter[UUID] = field(default_factory=Counter)
    """How many messages of each."""
    first_sks: dict[UUID, str] = field(default_factory=dict)
    """Of the first message of each."""
    entries: list[EntryNote] = field(default_factory=list)

    @property
    def messages(self) -> int:
        return self.writers.total()


@dataclass(slots=True)
class Survey:
    """Everything that was read, added up."""

    groups: dict[str, Group] = field(default_factory=dict)
    names: dict[UUID, tuple[str, Participant]] = field(default_factory=dict)
    """Of everybody whom an item names: the newest names, and the sort key they come from."""
    owners: set[UUID] = field(default_factory=set)
    """Who has a list."""
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
        """Somebody as the conversations tell of them: nameless where none does."""
        return self.names[uuid][1] if uuid in self.names else Participant(uuid, "", "")


def text_hash(text: str) -> bytes:
    """Tells texts apart without keeping them."""
    return blake2b(text.encode(errors="surrogatepass"), digest_size=HASH_BYTES).digest()
