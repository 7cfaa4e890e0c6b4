"""Whose conversation an old group is: its entries say it, where there are none its messages. Pure."""

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
    """The two whose conversation a group is, by their old uuids."""

    members: frozenset[UUID]
    outsiders: Mapping[UUID, int]
    """Who wrote into it all the same, for nobody was kept from that, and how many messages."""
    doubt: str = ""
    """A sentence where the items do not agree; empty where they do."""
    unknown: UUID | None = None
    """The member of whom nothing is known but that there must have been one."""


def resolve_members(name: str, group: Group) -> Members | None:
    """The two of a group, the same whenever it is asked; None where there is nobody.

    Each entry names both. Where entries name several pairs, the one counts whose two wrote most of the messages: nobody
    gets to read what two others wrote. Without entries it is the two who wrote first, for who came in from outside came
    later. Where only one is known, the other is somebody unknown, of this group alone, so that what was written stays.
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
