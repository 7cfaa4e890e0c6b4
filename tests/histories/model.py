"""What a conversation must be, worked out from what people did and were answered, in memory.

A request whose outcome nobody knows (an error, a process that died) leaves a "maybe" behind, which what is seen later
decides: 0 or 1 copies, never 2. Whatever is learned that cannot be raises `BrokenPromise`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from uuid import UUID

from messaging.domain.entities import Entry, Message
from messaging.domain.timestamps import format_created_at

from .tally import Broken, BrokenPromise

PREVIEW_BYTES = 200


def preview(text: str) -> str:
    """Return the beginning of a text, as lists show it."""
    while len(text.encode()) > PREVIEW_BYTES:
        text = text[: min(PREVIEW_BYTES, len(text) - 1)]
    return text


@dataclass(slots=True)
class Sending:
    """A form that was submitted at least once: one message may come of it, and no more."""

    by: UUID
    message_uuid: UUID
    after: str
    """The newest created_at that its page knew."""
    since: int
    """The newest number that anybody knew when it was submitted for the first time."""
    texts: set[str] = field(default_factory=set)
    """With which it may have been stored."""
    seq: int | None = None
    """Where it is stored, once that is known."""
    is_request: bool = False
    """Whether it waits to be accepted, should it be the first message."""
    must_be_stored: bool = False
    unknown: bool = False
    """Whether it ended at least once without anybody knowing how."""


@dataclass(slots=True)
class Stored:
    """A message that is known to be stored."""

    now: Message
    """As it is, unless one of `maybe` came true."""
    states: list[Message]
    """What it is known to have been, `now` included."""
    maybe: list[Message] = field(default_factory=list)
    """What edits and deletions that are going on, or whose outcome is unknown, make of it."""
    tried: list[Message] = field(default_factory=list)
    """All that was ever to be made of it."""


@dataclass(frozen=True, slots=True)
class Amendment:
    """An edit or a deletion that is going on."""

    wanted: Message
    now: Message
    """The message when it began."""
    before: tuple[Message, ...]
    """What might have come true then."""


@dataclass(slots=True)
class Reading:
    """How far a member has read."""

    acknowledged: int = 0
    tried: set[int] = field(default_factory=lambda: {0})
    may_lack_entry: bool = False
    """The entry was lost, and nothing was projected for certain since."""
    losses: int = 0
    shown: tuple[int, int, int] = (0, 0, 0)
    """last_seq, sent_seq, read_seq of the member's list as last seen: none ever falls."""


@dataclass(slots=True)
class Story:
    """One conversation."""

    members: frozenset[UUID]
    group_uuid: UUID
    stored: dict[int, Stored] = field(default_factory=dict)
    sendings: dict[tuple[UUID, UUID], Sending] = field(default_factory=dict)
    readings: dict[UUID, Reading] = field(default_factory=dict)
    blockers: frozenset[UUID] = frozenset()
    blocked: list[Message] | None = None
    """Its messages when it was blocked; None while nobody blocks it."""
    accepted: bool = False
    """Whether the first message, a request, was accepted otherwise than by an answer."""
    declined: bool = False
    """Whether who is awaited to accept has put it out of sight."""
    blocks: int = 0
    """How often a block was set or taken away."""

    def __post_init__(self) -> None:
        self.readings = {member: Reading() for member in self.members}

    @property
    def newest(self) -> int:
        """The highest number that is known to be stored; 0 when it is not known whether the conversation exists."""
        return max(self.stored, default=0)

    # --- Blocking, requests -------------------------------------------------------------------------------------------

    def toggle_block(self, by: UUID, messages: list[Message]) -> None:
        """Block or unblock the conversation, which has these messages now."""
        self.hold_block(messages)
        self.blockers ^= {by}
        if by not in self.blockers:
            self.declined = False  # It is back where it belongs.
        if not self.blockers:
            self.blocked = None
        elif self.blocked is None:
            self.blocked = messages
        self.blocks += 1

    @property
    def asked(self) -> UUID | None:
        """Who was to accept the first message, if that was a request and is known to be stored."""
        first = self.stored.get(1)
        if first is None or not self.sendings[first.now.user_uuid, first.now.message_uuid].is_request:
            return None
        (other,) = self.members - {first.now.user_uuid}
        return other

    @property
    def awaiting(self) -> UUID | None:
        """Who has not accepted by all that is known."""
        answered = self.asked in {stored.now.user_uuid for stored in self.stored.values()}
        return None if self.accepted or answered else self.asked

    def may_wait(self, writer: UUID) -> bool:
        """Return whether, by all that is known, this writer's next message may have to wait for acceptance."""
        requests = [each for each in self.sendings.values() if each.by == writer and each.is_request]
        known = self.newest > 0
        return bool(requests) and (not known or self.awaiting not in (None, writer))

    def hold_requests(self) -> None:
        """Check that the second message is an answer if the request was not accepted."""
        if self.asked is None or self.accepted:
            return
        second = self.stored.get(2)
        if second and second.now.user_uuid != self.asked:
            raise BrokenPromise(Broken.OTHER, f"{self.asked} had not accepted: {second}")

    def hold_block(self, messages: list[Message]) -> None:
        """Check that a blocked conversation has changed by nothing but deletions since."""
        if self.blocked is None:
            return
        changed = [now for was, now in zip(self.blocked, messages, strict=False) if was != now and not now.deleted_at]
        if changed or len(messages) != len(self.blocked):
            raise BrokenPromise(Broken.OTHER, f"while {self.members} were blocked: {changed or messages[-1]}")

    def blocked_since(self, blocks: int) -> bool:
        """Return whether it was blocked at any time since `blocks` changes had been made."""
        return self.blocked is not None or self.blocks != blocks

    def blocked_all_the_time(self, blocks: int) -> bool:
        return self.blocked is not None and self.blocks == blocks

    # --- Sending ------------------------------------------------------------------------------------------------------

    def submitted(self, by: UUID, message_uuid: UUID, after: str, *, is_request: bool) -> Sending:
        """Record that someone sends this form, for the first time or again."""
        new = Sending(by, message_uuid, after, since=self.newest, is_request=is_request)
        return self.sendings.setdefault((by, message_uuid), new)

    def acknowledged(self, sending: Sending, text: str, message: Message, *, loosely: bool) -> bool:
        """Record that the sender was answered with `message`.

        Return whether it had been known to be stored before.
        """
        if (message.user_uuid, message.message_uuid) != (sending.by, sending.message_uuid):
            raise BrokenPromise(Broken.OTHER, f"{sending} was answered with {message}")
        if message.message != text and not (message.edited_at or message.deleted_at):
            raise BrokenPromise(Broken.LOST, f"{text!r} was answered as if it were sent, with {message}")
        known = sending.seq is not None
        self.see(message, loosely=loosely)
        return known

    def reused(self, sending: Sending, text: str, *, loosely: bool) -> None:
        """Record that the sender was told that the uuid had come with another text."""
        sending.texts.discard(text)
        if sending.seq is not None:
            stored = self.stored[sending.seq]
            if stored.states[0].message == text or (stored.now != stored.states[0] and not loosely):
                raise BrokenPromise(Broken.LOST, f"refused as reused, with {text!r}: {stored}")
        elif not sending.texts:
            raise BrokenPromise(Broken.LOST, f"refused as reused, though it was never sent: {sending}")
        else:
            sending.must_be_stored = True

    # --- Seeing -------------------------------------------------------------------------------------------------------

    def see(self, message: Message, *, loosely: bool = False) -> None:
        """Record that a message was shown.

        `loosely`: others acted meanwhile, so it may show an earlier state.
        """
        stored = self.stored.get(message.seq)
        if stored is None:
            self._learn(message)
        elif message != stored.now and not (loosely and message in stored.states):
            if message not in stored.maybe:
                raise BrokenPromise(_difference(stored.now, message), f"{stored.now} was shown as {message}")
            stored.now = message
            stored.states.append(message)
            if message.deleted_at:
                stored.maybe.clear()

    def see_all(self, messages: Sequence[Message], *, loosely: bool) -> None:
        """Record that a window of messages was shown, oldest first."""
        for one, following in pairwise(messages):
            if following.seq != one.seq + 1:
                raise BrokenPromise(Broken.OUT_OF_ORDER, f"{following.seq} was shown after {one.seq}")
        for message in messages:
            self.see(message, loosely=loosely)

    def _learn(self, message: Message) -> None:
        sending = self.sendings.get((message.user_uuid, message.message_uuid))
        if sending is None:
            raise BrokenPromise(Broken.OTHER, f"nobody sent {message}")
        if sending.seq is not None:
            first = self.stored[sending.seq].now
            raise BrokenPromise(Broken.DUPLICATED, f"{first} is stored again as {message}")
        if message.message not in sending.texts or message.edited_at or message.deleted_at:
            raise BrokenPromise(Broken.LOST, f"sent as one of {sending.texts}, it is stored as {message}")
        if message.seq <= sending.since or message.created_at <= sending.after:
            raise BrokenPromise(Broken.OUT_OF_ORDER, f"{message} sorts before what its writer had seen: {sending}")
        for seq, other in self.stored.items():
            if (seq < message.seq) != (other.now.created_at < message.created_at):
                raise BrokenPromise(Broken.OUT_OF_ORDER, f"{message} and {other.now} differ in number and time")
        sending.seq = message.seq
        self.stored[message.seq] = Stored(message, [message])

    # --- Editing and deleting -----------------------------------------------------------------------------------------

    def amendment(self, seq: int, text: str | None, now: datetime) -> Amendment:
        """Begin an edit of a message to `text`, or its deletion (None)."""
        stored = self.stored[seq]
        at = format_created_at(now)
        first = stored.states[0]
        edited = replace(first, message=text or "", edited_at=at)
        wanted = replace(first, message="", deleted_at=at) if text is None else edited
        begun = Amendment(wanted, stored.now, tuple(stored.maybe))
        if not stored.now.deleted_at:
            stored.maybe.append(wanted)
        stored.tried.append(wanted)
        return begun

    def amended(self, begun: Amendment, answered: Message, *, loosely: bool) -> None:
        """Record that an edit or a deletion was acknowledged."""
        wanted, stored = begun.wanted, self.stored[begun.wanted.seq]
        if answered.message != wanted.message or bool(answered.deleted_at) != bool(wanted.deleted_at):
            raise BrokenPromise(Broken.LOST, f"asked for {wanted}, the answer was {answered}")
        if answered != wanted:  # It was so already: nothing is written.
            self.refused(begun)
            self.see(answered, loosely=loosely)
            return
        if (
            answered == begun.now
        ):  # In the same minute it was so already: nothing is written, unless it was undone since.
            if stored.now == answered or stored.now.deleted_at:
                self.refused(begun)
            return
        # What had begun before and is still on its way must not undo what is acknowledged.
        stored.maybe = [each for each in stored.maybe if each != wanted and each not in begun.before]
        stored.states.append(wanted)
        if stored.now == begun.now:
            stored.now = wanted
        elif stored.now != wanted and not stored.now.deleted_at:  # Two at once: either may have been the last.
            stored.maybe.append(wanted)
        if stored.now.deleted_at:
            stored.maybe.clear()

    def left_open(self, begun: Amendment) -> None:
        """Record that the outcome of an edit or a deletion is unknown.

        It may have been done after another one that was acknowledged meanwhile.
        """
        stored = self.stored[begun.wanted.seq]
        if begun.wanted not in stored.maybe and not stored.now.deleted_at:
            stored.maybe.append(begun.wanted)

    def refused(self, begun: Amendment) -> None:
        """Record that an edit or a deletion was refused for good or changed nothing."""
        stored = self.stored[begun.wanted.seq]
        if begun.wanted in stored.maybe:
            stored.maybe.remove(begun.wanted)

    # --- Reading ------------------------------------------------------------------------------------------------------

    def see_entry(self, entry: Entry, *, at_least: int, loosely: bool) -> None:
        """Record that a member was shown their own entry of this conversation in the list."""
        reading = self.readings[entry.user_uuid]
        if entry.group_uuid != self.group_uuid or entry.member_uuids != self.members:
            raise BrokenPromise(Broken.LISTS, f"{entry} is not of {self.members}")
        if entry.read_seq not in reading.tried or (entry.read_seq < at_least and not reading.may_lack_entry):
            raise BrokenPromise(Broken.UNREAD, f"read up to {at_least}, the entry is {entry}")
        shown = entry.last_seq, entry.sent_seq, entry.read_seq
        if not loosely:
            if any(new < old for new, old in zip(shown, reading.shown, strict=True)):
                raise BrokenPromise(Broken.LISTS, f"{entry} fell behind {reading.shown}")
            reading.shown = shown
        last = self.stored.get(entry.last_seq)
        if last and (last.now.created_at, last.now.user_uuid) != (entry.last_message_at, entry.last_user_uuid):
            raise BrokenPromise(Broken.LISTS, f"{entry} is no copy of {last.now}")
        if last and entry.message not in {preview(each.message) for each in (*last.states, *last.tried)}:
            raise BrokenPromise(Broken.LISTS, f"{entry} shows another text than {last.now}")

    def lose_entry(self, member: UUID) -> None:
        """Record that the member's entry is gone, and with it their read position."""
        reading = self.readings[member]
        reading.acknowledged = 0
        reading.may_lack_entry = True
        if member == self.asked:
            self.declined = False  # The entry is created again in the list where it belongs.
        reading.losses += 1
        reading.shown = (0, 0, 0)


def _difference(known: Message, shown: Message) -> Broken:
    if (known.user_uuid, known.message_uuid) == (shown.user_uuid, shown.message_uuid):
        return Broken.OUT_OF_ORDER if known.created_at != shown.created_at else Broken.LOST
    return Broken.LOST
