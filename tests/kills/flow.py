"""Messages that flow: several people write at once, now and then one reads, and what they were answered is kept."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from itertools import combinations
from threading import Condition, Thread
from uuid import UUID

from django.utils import timezone

from messaging.actions import read as read_actions
from messaging.actions import send_message
from messaging.domain.entities import Message, pair_group_uuid
from messaging.dynamodb.client import Unavailable

from .book import Book, Line

PEOPLE = tuple(UUID(int=number) for number in range(1, 9))
WRITERS = 3
"""Threads."""
READS = 0.1
"""How often what was just written is read by the other, or by its writer."""
TRIES = 20


@dataclass(slots=True)
class Flow:
    """A number of messages between eight people in up to 28 conversations; `seed` chooses senders and recipients."""

    messages: int
    seed: int
    sent: int = 0
    """How many were acknowledged so far."""
    tried_again: int = 0
    """Requests that DynamoDB did not answer in time."""
    may_be_sent: int = 0
    """So many until `allow` says more; writers wait, so that what happens beside them happens while they write."""
    errors: list[Exception] = field(default_factory=list)
    _answers: dict[UUID, dict[int, Message]] = field(default_factory=dict)
    """By group and number."""
    _read: Counter[tuple[UUID, UUID]] = field(default_factory=Counter)
    _lock: Condition = field(default_factory=Condition)
    _threads: list[Thread] = field(default_factory=list)

    def begin(self) -> None:
        """Begin to write."""
        shares = [self.messages // WRITERS + (number < self.messages % WRITERS) for number in range(WRITERS)]
        self._threads = [Thread(target=self._write, args=each, daemon=True) for each in enumerate(shares)]
        for thread in self._threads:
            thread.start()

    def allow(self, may_be_sent: float) -> None:
        """Let the writers go on until so many are sent, or a few more."""
        with self._lock:
            self.may_be_sent = int(may_be_sent)
            self._lock.notify_all()

    @property
    def goes_on(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def end(self) -> Book:
        """Wait until all is written; what the table must hold then."""
        self.allow(self.messages)
        for thread in self._threads:
            thread.join()
        assert not self.errors, self.errors
        book = Book()
        for group_uuid, answers in self._answers.items():
            members = {member for member in PEOPLE for other in PEOPLE if pair_group_uuid(member, other) == group_uuid}
            chapter = book.between(*members)
            ordered = [answers[seq] for seq in sorted(answers)]
            chapter.lines = [Line(each.user_uuid, each.message_uuid, each.message) for each in ordered]
            chapter.changes = len(ordered)
        for (reader, group_uuid), seq in self._read.items():
            book.chapters[group_uuid].read[reader] = seq
        return book

    def _write(self, number: int, share: int) -> None:
        chosen = random.Random(f"{self.seed} {number}")
        pairs = list(combinations(PEOPLE, 2))
        try:
            for turn in range(share):
                pair = chosen.choice(pairs)
                by, to = chosen.sample(pair, 2)
                with self._lock:
                    self._lock.wait_for(lambda: self.sent < self.may_be_sent)
                uuid = UUID(int=chosen.getrandbits(128), version=4)
                message = self._send(by, to, f"Message {turn} of writer {number}", uuid)
                if chosen.random() < READS:
                    self._mark_read(chosen.choice(pair), message)
        except Exception as error:  # noqa: BLE001 - raised in the thread that waits
            self.errors.append(error)

    def _send(self, by: UUID, to: UUID, text: str, uuid: UUID) -> Message:
        group_uuid = pair_group_uuid(by, to)
        with self._lock:
            known = self._answers.setdefault(group_uuid, {})
            after = known[max(known)].created_at if known else ""
        for _ in range(TRIES):
            try:
                if after:
                    delivery = send_message.send(
                        user_uuid=by,
                        group_uuid=group_uuid,
                        text=text,
                        message_uuid=uuid,
                        after=after,
                        now=timezone.now(),
                    )
                else:
                    delivery = send_message.start(
                        user_uuid=by, other_uuid=to, text=text, message_uuid=uuid, now=timezone.now()
                    )
            except Unavailable:
                self.tried_again += 1
                continue
            message = delivery.message
            with self._lock:
                assert message.seq not in known, f"two messages are number {message.seq}"
                known[message.seq] = message
                self.sent += 1
            return message
        raise Unavailable

    def _mark_read(self, reader: UUID, message: Message) -> None:
        for _ in range(TRIES):
            try:
                read_actions.mark_read(user_uuid=reader, group_uuid=message.group_uuid, created_at=message.created_at)
            except Unavailable:
                self.tried_again += 1
                continue
            with self._lock:
                place = reader, message.group_uuid
                self._read[place] = max(self._read[place], message.seq)
            return
        raise Unavailable
