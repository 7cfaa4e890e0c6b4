"""What a consumer of a scripted stream works with: time that it alone lets pass, a table and checkpoints that watch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import Any
from uuid import UUID

from messaging.domain.entities import Conversation
from messaging.dynamodb.codec import conversation_from
from messaging.dynamodb.malformed import MalformedItem
from messaging.dynamodb.shards import SHARD_START
from messaging.dynamodb.table import MessageTable
from messaging.stream.consumer import POLL_SECONDS, StreamConsumer
from messaging.stream.consumer_types import SHARD_END
from tests.messaging.stream.scripted_stream import ScriptedStream
from tests.messaging.stream.test_consumer import PutAside


class PassingTime(Event):
    """A stop event whose waits take no time, though its clock goes on; set after so many waits."""

    def __init__(self, *, waits: int = 10_000) -> None:
        super().__init__()
        self.now = 0.0
        self.waited: list[float] = []
        self.at_wait: Callable[[], None] = lambda: None
        self._left = waits

    def clock(self) -> float:
        return self.now

    def wait(self, timeout: float | None = None) -> bool:
        if not self.is_set():
            self.waited.append(timeout or 0.0)
            self.now += timeout or 0.0
            self.at_wait()
            if len(self.waited) >= self._left:
                self.set()
        return self.is_set()

    @property
    def back_offs(self) -> list[float]:
        """The waits that are none between two passes."""
        return [wait for wait in self.waited if wait > POLL_SECONDS]


@dataclass(frozen=True)
class NotingTable(MessageTable):
    """The table, which notes the version up to which each entry was brought."""

    versions: dict[tuple[UUID, UUID], int] = field(default_factory=dict)
    interfere: list[Callable[[str], None]] = field(default_factory=list)

    def copy_to_entry(self, conversation: Conversation, user_uuid: UUID) -> bool:
        for each in self.interfere:
            each("copy_to_entry")
        moved = super().copy_to_entry(conversation, user_uuid)
        key = conversation.group_uuid, user_uuid
        self.versions[key] = max(conversation.version, self.versions.get(key, 0))
        return moved

    def has_applied(self, image: Mapping[str, Any]) -> bool:
        """Return whether every member's entry is as new as this image, or the image cannot be applied."""
        try:
            conversation = conversation_from(image)
        except MalformedItem:
            return True
        known = [self.versions.get((conversation.group_uuid, member), 0) for member in conversation.member_uuids]
        return min(known) >= conversation.version


@dataclass
class WatchedCheckpoints:
    """Checkpoints in memory that only move forwards, unless records were lost, and never beyond what was applied."""

    stream: ScriptedStream
    table: NotingTable
    saved: dict[str, str] = field(default_factory=dict)
    interfere: Callable[[str], None] = lambda operation: None

    def load(self) -> dict[str, str]:
        return dict(self.saved)

    def save(self, shard_id: str, sequence_number: str) -> None:
        self.interfere("save")
        before = self.saved.get(shard_id, SHARD_START)
        if sequence_number == SHARD_START and shard_id in self.stream.told_of_loss:
            self.stream.told_of_loss.remove(shard_id)
        else:
            forwards = place(before) <= place(sequence_number)
            self.stream.rule(forwards, f"the checkpoint of {shard_id} moved back: {before} {sequence_number}")
        shard = self.stream.shards[shard_id]
        for number, image in shard.records[shard.trimmed :]:
            if place(before) < number <= place(sequence_number):
                self.stream.rule(self.table.has_applied(image), f"{shard_id} was noted as applied beyond what was")
        self.saved[shard_id] = sequence_number

    def forget(self, shard_ids: set[str] | None = None) -> None:
        self.interfere("forget")
        for shard_id in list(self.saved) if shard_ids is None else shard_ids:
            self.saved.pop(shard_id, None)


def place(position: str) -> float:
    """Return a checkpoint's place in the order of sequence numbers."""
    if position == SHARD_START:
        return 0
    return float("inf") if position == SHARD_END else int(position)


@dataclass
class Watched:
    """A consumer on a scripted stream with all that watches it."""

    stream: ScriptedStream
    table: NotingTable
    checkpoints: WatchedCheckpoints
    time: PassingTime
    aside: PutAside
    consumer: StreamConsumer

    @classmethod
    def of(
        cls,
        stream: ScriptedStream,
        table: MessageTable,
        saved: Mapping[str, str] | None = None,
        *,
        time: PassingTime | None = None,
    ) -> Watched:
        """Create a new consumer that finds these checkpoints."""
        time = time or PassingTime()
        noting = table if isinstance(table, NotingTable) else NotingTable(table.client, table.name)
        checkpoints = WatchedCheckpoints(stream, noting, dict(saved or {}))
        aside = PutAside()
        stream.next_consumer(checkpoints.saved)
        stream.clock = time.clock
        time.at_wait = stream.next_pass
        consumer = StreamConsumer(noting, stream, "arn", checkpoints, aside, clock=time.clock)  # type: ignore[arg-type]
        # As long as nobody says `run` or `drain`: back-offs take no time, and tests step.
        consumer._stop = time
        return cls(stream, noting, checkpoints, time, aside, consumer)

    def poll(self) -> int:
        self.stream.next_pass()
        return self.consumer.poll()

    def read_all(self) -> None:
        """Pass after pass until nothing comes and no shard is found."""
        empty = 0
        while empty < 3:
            empty = 0 if self.poll() else empty + 1
            self.consumer.find_shards()
