"""Merge the old groups of two people into one conversation, with its messages ordered by time.

Pure, except for the report it writes to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from uuid import UUID

from cruddur.text import normalise_long_text
from messaging.domain.entities import Message
from messaging.domain.text import MESSAGE_MAX_CHARS
from messaging.domain.timestamps import format_created_at
from messaging.domain.transitions import deleted

from .legacy_items import LegacyMessage
from .legacy_timestamps import ParsedTimestamp, parse_timestamp
from .report import Kind, Report

LATER = timedelta(microseconds=1)
BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)
"""Used when no time of a group can be read."""


@dataclass(frozen=True, slots=True)
class PlacedMessage:
    """An old message with the time at which it was sent, as far as known."""

    message: LegacyMessage
    moment: datetime
    place: int
    """The message's index in its group, in the old table's order."""

    @property
    def order(self) -> tuple[datetime, int, str]:
        """The sort key: a message without a readable time follows its predecessor in the old table."""
        return self.moment, self.place, self.message.group


@dataclass(frozen=True, slots=True)
class Merger:
    """Builds the messages of a merged conversation."""

    report: Report
    zone: tzinfo
    """The time zone of timestamps without one."""
    now: datetime
    """The latest possible time of a message."""

    def placed(self, messages: Sequence[LegacyMessage], entry_sks: Iterable[str] = ()) -> list[PlacedMessage]:
        """Return the messages of one group in the old table's order, each with a time, estimated if unreadable."""
        readings = [parse_timestamp(message.sk, zone=self.zone) for message in messages]
        last = self._first_moment(readings, entry_sks)
        found: list[PlacedMessage] = []
        for place, (message, reading) in enumerate(zip(messages, readings, strict=True)):
            self.report.count(**{f"times_{reading.form.name.lower()}": 1})
            last = self._moment(message, reading, last)
            found.append(PlacedMessage(message, last, place))
        return found

    def _first_moment(self, readings: Iterable[ParsedTimestamp], entry_sks: Iterable[str]) -> datetime:
        of_entries = (parse_timestamp(sk, zone=self.zone) for sk in entry_sks)
        moments = (reading.moment for reading in (*readings, *of_entries) if reading.moment)
        return min(next(moments, BEFORE_ALL), self.now)

    def _moment(self, message: LegacyMessage, reading: ParsedTimestamp, last: datetime) -> datetime:
        if reading.moment is None:
            at = format_created_at(last)
            what = f"its time cannot be read; it stands where the old table has it, at {at}"
            self.report.remark(Kind.TIME_UNREADABLE, message.pk, message.sk, what)
            return last
        if reading.moment > self.now:
            what = "its time is in the future; it stands at the time of this import"
            self.report.remark(Kind.TIME_IN_THE_FUTURE, message.pk, message.sk, what)
            return self.now
        return reading.moment

    def told(
        self, placed: Iterable[PlacedMessage], group_uuid: UUID, *, people: Mapping[UUID, UUID], left: Set[UUID]
    ) -> list[Message]:
        """Return the conversation's messages, ordered and numbered from 1; several may share a time.

        `people` maps old uuids to new ones. Messages of users in `left` become deleted messages.
        """
        in_order = sorted(placed, key=lambda each: each.order)
        uuids = Counter(each.message.message_uuid for each in in_order)
        found: list[Message] = []
        for each in in_order:
            for text, message_uuid in self._texts(each.message, alone=uuids[each.message.message_uuid] == 1):
                writer, at = people[each.message.writer.uuid], format_created_at(each.moment)
                message = Message(group_uuid, at, len(found) + 1, text, message_uuid, writer)
                if writer in left:
                    message = deleted(message, now=self.now)
                    what = "its writer has deleted their account here: only a tombstone came"
                    self.report.remark(Kind.DELETED, each.message.pk, each.message.sk, what)
                found.append(message)
        return found

    def _texts(self, message: LegacyMessage, *, alone: bool) -> Iterator[tuple[str, UUID]]:
        """Yield the normalised text and a uuid for each of the messages it is split into."""
        text = normalise_long_text(message.text)
        if message.message_uuid is None or not alone:
            uuid = message.uuid_for()
            if message.message_uuid is not None:
                what = f"another message of the two has its uuid, {message.message_uuid}: it got a new one"
                self.report.remark(Kind.UUID_RENEWED, message.pk, message.sk, what)
        else:
            uuid = message.message_uuid
        yield text[:MESSAGE_MAX_CHARS], uuid
        parts = range(MESSAGE_MAX_CHARS, len(text), MESSAGE_MAX_CHARS)
        if parts:
            what = (
                f"its {len(text):,} characters are more than {MESSAGE_MAX_CHARS:,}: it became {len(parts) + 1} messages"
            )
            self.report.remark(Kind.SPLIT, message.pk, message.sk, what)
        for part in parts:
            yield text[part : part + MESSAGE_MAX_CHARS], message.uuid_for(str(part))


def fitted_in(missing: Iterable[Message], there: Sequence[Message]) -> list[Message]:
    """Merge both lists by time and renumber them; existing messages keep their times, missing ones are shifted."""
    taken = {message.created_at for message in there}
    last: datetime | None = None
    moved: list[Message] = []
    for message in missing:
        moment = max(message.created, last + LATER) if last else message.created
        while format_created_at(moment) in taken:
            moment += LATER
        last = moment
        moved.append(replace(message, created_at=format_created_at(moment)))
    in_order = sorted((*there, *moved), key=lambda message: message.created_at)
    return [replace(message, seq=seq) for seq, message in enumerate(in_order, start=1)]
