"""Find the two members of an old group from its entries or, without any, from its messages. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID, uuid5

from .legacy_items import OLD_NAMESPACE
from .survey import Group

PAIR = 2


@dataclass(frozen=True, slots=True)
class Members:
    """The two members of a group, by their old uuids."""

    members: frozenset[UUID]
    outsiders: Mapping[UUID, int]
    """Non-members who wrote into the group, which the old system allowed, with their numbers of messages."""
    doubt: str = ""
    """A sentence if the items contradict each other, else empty."""
    unknown: UUID | None = None
    """The uuid made up for a member who must have existed but is unknown."""


def resolve_members(name: str, group: Group) -> Members | None:
    """Return the two members of a group, always the same for the same items; None if there are none.

    Each entry names both. If entries name several pairs, the pair that wrote most of the messages counts, so that
    nobody can read what two others wrote. Without entries, the first two writers count, because outsiders joined later.
    If only one is known, the other is a made-up user of this group alone, so that the messages are kept.
    """
    named = Counter(
        frozenset((entry.owner, entry.other)) for entry in group.entries if entry.other and entry.other != entry.owner
    )
    members, doubt, unknown = frozenset[UUID](), "", None
    if named:
        members = max(named, key=lambda pair: (_written(group, pair), named[pair], sorted(pair)))
        if len(named) > 1:
            doubt = f"its entries name {len(named)} different pairs: it belongs to the two who wrote most of it"
    else:
        members = frozenset(sorted(group.writers, key=lambda writer: (group.first_sks[writer], writer))[:PAIR])
        if len(members) < PAIR:
            members |= {entry.owner for entry in group.entries[: PAIR - len(members)]}
        if len(group.writers) > PAIR:
            doubt = (
                f"no entry tells whose it is: of the {len(group.writers)} who wrote it belongs to the two who did first"
            )
    if not members:
        return None
    if len(members) < PAIR:
        unknown = uuid5(OLD_NAMESPACE, f"member|{name}")
        members |= {unknown}
        doubt = "nothing tells who its other member was: somebody unknown stands for them"
    outsiders = {writer: number for writer, number in group.writers.items() if writer not in members}
    return Members(members, outsiders, doubt, unknown)


def _written(group: Group, pair: frozenset[UUID]) -> int:
    return sum(group.writers[member] for member in pair)
