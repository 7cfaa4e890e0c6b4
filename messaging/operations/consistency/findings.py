"""The findings of a reconciliation: their kinds, the sentence for each, and whether it was repaired. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The kinds of problems."""

    MALFORMED = "malformed"
    CONVERSATION_MISSING = "conversation-missing"
    CONVERSATION_DIFFERS = "conversation-differs"
    NUMBERS_WRONG = "numbers-wrong"
    ENTRY_MISSING = "entry-missing"
    ENTRY_BEHIND = "entry-behind"
    ENTRY_AHEAD = "entry-ahead"
    ENTRY_DIFFERS = "entry-differs"
    ENTRY_STRAY = "entry-stray"
    POSITION_WRONG = "position-wrong"
    CHOICE_WRONG = "choice-wrong"
    UNSETTLED = "unsettled"


DONE: Mapping[Kind, str] = {
    Kind.CONVERSATION_MISSING: "Made from its messages; who blocked it, left it or had not accepted it is lost",
    Kind.CONVERSATION_DIFFERS: "Rebuilt from its messages",
    Kind.NUMBERS_WRONG: "Numbered anew",
    Kind.ENTRY_MISSING: "Made from the conversation, unread",
    Kind.ENTRY_BEHIND: "Brought up to the conversation",
    Kind.ENTRY_AHEAD: "The conversation's version was raised above it, and the entry copied",
    Kind.ENTRY_DIFFERS: "Copied again",
    Kind.ENTRY_STRAY: "Deleted",
    Kind.POSITION_WRONG: "Set to the newest message that was read; unread where nothing tells",
    Kind.CHOICE_WRONG: "In the list where the conversation belongs, and not muted",
}
"""The repair of each kind, as a sentence. Kinds without a sentence are never repaired."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem with the item of this key."""

    kind: Kind
    pk: str
    sk: str
    what: str
    """The problem, without names and texts of people."""
    obstacle: str = ""
    """Why it cannot be repaired, and what to do; empty if it can."""
    repaired: bool = False
    """Whether the problem is gone: verified by reading again, not only written."""

    @property
    def identity(self) -> tuple[Kind, str, str]:
        """Equal for findings of the same problem."""
        return self.kind, self.pk, self.sk

    @property
    def sentence(self) -> str:
        """A sentence for people. Keys may contain any characters, so escape it before printing."""
        end = DONE[self.kind] if self.repaired else f"Not repaired: {self.obstacle}" if self.obstacle else ""
        return f"{self.pk} {self.sk}: {self.what}.{f' {end}.' if end else ''}"
