"""Compute the units and requests of a day from people's habits. Pure."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

from . import patterns
from .patterns import Pattern

SECONDS_A_DAY = 86_400
STREAM_MINUTES = 10.0
"""Lifetime of a stream; the page then reconnects, resyncs and loads its list."""


@dataclass(frozen=True, slots=True)
class Habits:
    """The number of people, and the daily averages of each."""

    people: int
    """Daily active people."""
    messages: float = 20.0
    """Messages sent by each."""
    starts: float = 0.02
    """Share of the messages that begin a conversation, 0 to 1."""
    visits: float = 4.0
    """Loads of the list."""
    opens: float = 12.0
    """Conversations opened."""
    earlier: float = 3.0
    """Windows of earlier messages loaded."""
    minutes: float = 40.0
    """Minutes with a conversation open in a tab, and so a stream."""
    seen_live: float = 0.5
    """Share of messages that arrive while the recipient has the conversation open, 0 to 1.

    Each is marked read separately, the others when the conversation is opened.
    """
    together: float = 1.0
    """Messages of a conversation per projection; more than 1 in a burst."""
    text_bytes: float = 120.0
    """Size of a message in UTF-8."""
    peak: float = 5.0
    """Ratio of the busiest minutes to the average."""


@dataclass(frozen=True, slots=True)
class Units:
    """Capacity units, per day or per second."""

    table_writes: float = 0.0
    inbox_writes: float = 0.0
    group_writes: float = 0.0
    table_reads: float = 0.0
    inbox_reads: float = 0.0

    @classmethod
    def of(cls, pattern: Pattern, times: float, *, text_bytes: float) -> Self:
        """Return the units of so many uses of a pattern."""
        messages = pattern.message_pages * patterns.message_reads(text_bytes)
        return cls(
            times * pattern.table_writes,
            times * pattern.inbox_writes,
            times * pattern.group_writes,
            times * (pattern.table_reads + messages),
            times * pattern.inbox_reads,
        )

    def __add__(self, other: Units) -> Units:
        return Units(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    def times(self, factor: float) -> Units:
        return Units(*(getattr(self, each.name) * factor for each in fields(self)))

    @property
    def writes(self) -> float:
        return self.table_writes + self.inbox_writes + self.group_writes

    @property
    def reads(self) -> float:
        return self.table_reads + self.inbox_reads


@dataclass(frozen=True, slots=True)
class Day:
    """How often everything is done in a day by all people together."""

    sends: float
    starts: float
    changes: float
    """Conversations that the stream's consumer projects."""
    marks: float
    lists: float
    rows: float
    opens: float
    earlier: float
    since: float
    stream_minutes: float

    @property
    def events(self) -> float:
        """Events on the bus: one per message, per read, and per projection by the consumer."""
        return self.sends + self.starts + self.marks + self.changes


def day_of(habits: Habits) -> Day:
    """Return how often these people do everything in a day."""
    messages = habits.people * habits.messages
    starts = messages * habits.starts
    stream_minutes = habits.people * habits.minutes
    renewals = stream_minutes / STREAM_MINUTES
    return Day(
        sends=messages - starts,
        starts=starts,
        changes=(messages - starts) / habits.together,
        marks=messages * habits.seen_live + habits.people * habits.opens,
        lists=habits.people * habits.visits,
        rows=renewals,
        opens=habits.people * habits.opens,
        earlier=habits.people * habits.earlier,
        since=stream_minutes + renewals,
        stream_minutes=stream_minutes,
    )


def units_of(day: Day, *, text_bytes: float) -> dict[str, Units]:
    """Return the units of a day by purpose."""
    longer = patterns.extra_message_writes(text_bytes)

    def of(pattern: Pattern, times: float) -> Units:
        return Units.of(pattern, times, text_bytes=text_bytes)

    return {
        "sending": of(patterns.SEND, day.sends) + Units(table_writes=longer * (day.sends + day.starts)),
        "first messages": of(patterns.START, day.starts) + of(patterns.PROJECT_AGAIN, day.starts),
        "lists that follow": of(patterns.PROJECT, day.changes),
        "marking read": of(patterns.MARK_READ, day.marks),
        "lists": of(patterns.LIST, day.lists),
        "conversations": of(patterns.THREAD_PAGE, day.opens),
        "earlier messages": of(patterns.THREAD, day.earlier),
        "open pages": of(patterns.SINCE, day.since) + of(patterns.LIST, day.rows),
    }
