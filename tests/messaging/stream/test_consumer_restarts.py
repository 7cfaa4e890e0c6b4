"""Random lives of a stream and its consumers: whatever happens, entries follow and no rule of streams is broken.

Shards split, merge and are trimmed; children are listed late; iterators expire; calls fail; consumers are killed and
follow one another with checkpoints that are saved, lost, foreign or old. STREAM_LIVES says how many lives are tried,
STREAM_LIVES_SEED the first one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from uuid import UUID

import pytest
from botocore.exceptions import EndpointConnectionError  # noqa: TID251 - a fault is botocore's own

from messaging.domain.entities import Conversation
from messaging.dynamodb.client import Throttled
from messaging.dynamodb.codec import conversation_item
from messaging.dynamodb.keys import conversation_key
from messaging.dynamodb.shards import SHARD_START, StreamGone
from messaging.dynamodb.table import MessageTable
from messaging.stream.consumer import POLL_SECONDS
from messaging.stream.consumer_types import SHARD_END
from tests.messaging.scripted_watch import NotingTable, PassingTime, Watched
from tests.messaging.talk import ANDREW, BAYKO, entry_of, start

from .scripted_stream import ITERATOR_SECONDS, ScriptedStream, refused

pytestmark = pytest.mark.slow

LIVES = int(os.environ.get("STREAM_LIVES", "10"))
SEED = int(os.environ.get("STREAM_LIVES_SEED", "1"))
LIVES_A_TEST = 20
STEPS = 60
CONVERSATIONS = 2
QUIET_WAITS = 400
"""Waits after the last step: time for every late listing, generation by generation."""
OPERATIONS = ("describe_stream", "get_shard_iterator", "get_records")
FAULTS = (
    refused("ProvisionedThroughputExceededException"),
    refused("LimitExceededException"),
    refused("InternalServerError", 500),
    EndpointConnectionError(endpoint_url="http://streams"),
)


class Killed(BaseException):
    """The consumer's process is no more."""


@dataclass
class Life:
    """One random life of a stream on this table; conversations are copies of `first`."""

    table: NotingTable
    first: Conversation
    seed: int
    stream: ScriptedStream = field(default_factory=ScriptedStream)
    saved: dict[str, str] = field(default_factory=dict)
    old: list[dict[str, str]] = field(default_factory=list)
    """Checkpoints of earlier consumers."""
    conversations: dict[UUID, Conversation] = field(default_factory=dict)
    home: dict[UUID, str] = field(default_factory=dict)
    """The shard that a conversation is written to."""
    consumers: int = 0
    letters: int = 0
    """Damaged images that were written."""
    _steps: int = STEPS
    _quiet: int = QUIET_WAITS
    _fuse: int = -1
    """Calls until the consumer is killed."""
    _throttled: int = 0
    _names: int = 0

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.stream.interfere = self.interfere
        self.stream.open_shard(self._name())
        for _ in range(CONVERSATIONS):
            group = UUID(int=self.random.getrandbits(128))
            self.conversations[group] = replace(self.first, group_uuid=group, version=0, seq=0)
            self.home[group] = "shard-1"
            self.write()

    def live(self) -> None:
        """Let consumers follow one another until everything has happened and the last one had time to read it."""
        while self._quiet > 0:
            self.consumers += 1
            watched = Watched.of(self.stream, self.table, self.saved)
            watched.checkpoints.interfere = self.interfere
            watched.time.at_wait = self._at_wait(watched.time)
            self.saved = watched.checkpoints.saved
            try:
                watched.consumer.run(watched.time)
            except Killed:
                self.old.append(dict(self.saved))
                self.saved = self.checkpoints_found()
            except StreamGone:
                # The command begins again with the same checkpoints.
                pass
            self._fuse = -1

    def interfere(self, operation: str) -> None:
        self._fuse -= 1
        if self._fuse == 0:
            raise Killed
        if operation == "copy_to_entry" and self._throttled:
            self._throttled -= 1
            raise Throttled

    def _at_wait(self, time: PassingTime) -> Callable[[], None]:
        def at_wait() -> None:
            if time.waited[-1] <= POLL_SECONDS:
                self.stream.next_pass()
            if self._steps:
                self._steps -= 1
                self.step(time)
                return
            self._fuse, self._throttled = -1, 0
            self.stream.faults.clear()
            self.stream.iterator_calls = None
            self._quiet -= 1
            if self._quiet <= 0:
                time.set()

        return at_wait

    def step(self, time: PassingTime) -> None:
        steps: dict[Callable[[], None], int] = {
            self.write: 50,
            self.split: 8,
            self.merge: 3,
            self.trim: 5,
            self.trim_away: 5,
            self.fail: 8,
            self.throttle: 4,
            self.kill: 6,
            self.leave_pages_empty: 4,
            self.expire_by_calls: 3,
            self.damage: 1,
        }
        if self.random.random() < 0.05:
            time.now += ITERATOR_SECONDS + 1
        self.random.choices([*steps], [*steps.values()])[0]()

    # --- Steps --------------------------------------------------------------------------------------------------------

    def write(self) -> None:
        for _ in range(self.random.randint(1, 3)):
            group = self.random.choice([*self.conversations])
            known = self.conversations[group]
            written = replace(known, seq=known.seq + 1, version=known.version + 1, message=f"Message {known.seq + 1}")
            self.conversations[group] = written
            self.table.client.put_item(TableName=self.table.name, Item=conversation_item(written))
            self.stream.write(self.home[group], written)

    def damage(self) -> None:
        image = dict(conversation_item(replace(self.first, group_uuid=UUID(int=self.random.getrandbits(128)))))
        del image["seq"]
        self.stream.write(self.random.choice(self.open_shards), image)
        self.letters += 1

    def split(self) -> None:
        shard_id = self.random.choice(self.open_shards)
        children = [self._name() for _ in range(self.random.randint(1, 2))]
        self.stream.split(
            shard_id, *children, listed_after=self.random.randint(0, 3), says_closed=self.random.random() < 0.5
        )
        self._move(shard_id, children)

    def merge(self) -> None:
        if len(self.open_shards) > 1:
            one, other = self.random.sample(self.open_shards, 2)
            child = self._name()
            self.stream.merge(one, other, child, listed_after=self.random.randint(0, 3))
            self._move(one, [child])
            self._move(other, [child])

    def trim(self) -> None:
        """Trim records of a shard that was read; of others a consumer cannot know that the oldest are gone."""
        begun = [shard for shard, at in self.saved.items() if at not in {SHARD_START, SHARD_END} and at != "7"]
        begun = [shard for shard in begun if shard in self.stream.shards]
        if begun:
            shard_id = self.random.choice(begun)
            self.stream.trim(shard_id, self.random.randint(1, len(self.stream.shards[shard_id].records)))

    def trim_away(self) -> None:
        parents = {shard.parent for shard in self.stream.shards.values()}
        closed = [name for name, shard in self.stream.shards.items() if shard.closed and not shard.gone]
        # That there was one which was never seen only a child can tell.
        known = [name for name in closed if name in parents or name in self.saved]
        if known:
            self.stream.trim_away(self.random.choice(known))

    def fail(self) -> None:
        faults = self.stream.faults.setdefault(self.random.choice(OPERATIONS), [])
        faults += [self.random.choice(FAULTS) for _ in range(self.random.randint(1, 4))]

    def throttle(self) -> None:
        self._throttled = self.random.randint(1, 5)

    def kill(self) -> None:
        self._fuse = self.random.randint(1, 15)

    def leave_pages_empty(self) -> None:
        self.stream.empty_pages += [self.random.random() < 0.7 for _ in range(4)]

    def expire_by_calls(self) -> None:
        self.stream.iterator_calls = self.random.choice([None, 1, 3])

    # --- What is there ------------------------------------------------------------------------------------------------

    @property
    def open_shards(self) -> list[str]:
        return [name for name, shard in self.stream.shards.items() if not shard.closed]

    def checkpoints_found(self) -> dict[str, str]:
        """Return the checkpoints that the next consumer finds: mostly those that were saved."""
        match self.random.randint(1, 10):
            case 1:
                return {}
            case 2:
                return {"foreign": self.random.choice(["7", SHARD_START, SHARD_END])}
            case 3:
                return dict.fromkeys(self.saved, "7")
            case 4 if self._reaches(old := self.random.choice(self.old)):
                return dict(old)
        return self.saved

    def _reaches(self, old: dict[str, str]) -> bool:
        """Return whether these checkpoints reveal everything that was trimmed since."""
        return all(
            shard.trimmed == 0 or old.get(name, SHARD_START) != SHARD_START
            for name, shard in self.stream.shards.items()
            if not shard.gone
        )

    def _name(self) -> str:
        self._names += 1
        return f"shard-{self._names}"

    def _move(self, shard_id: str, children: list[str]) -> None:
        for group, home in self.home.items():
            if home == shard_id:
                self.home[group] = self.random.choice(children)

    def end(self) -> None:
        """Leave the table to the next life."""
        for group in self.conversations:
            self.table.client.delete_item(TableName=self.table.name, Key=conversation_key(group))


def check(life: Life) -> None:
    told = f"seed {life.seed}, consumer {life.consumers}"
    assert life.stream.broken == [], told
    for group, conversation in life.conversations.items():
        for member in (ANDREW, BAYKO):
            entry = entry_of(life.table, member, group)
            assert (entry.version, entry.last_seq) == (conversation.version, conversation.seq), told
            assert (entry.message, entry.last_message_at) == (conversation.message, conversation.last_sk), told


@pytest.mark.parametrize("part", range(-(-LIVES // LIVES_A_TEST)))
def test_entries_follow_whatever_happens_to_the_stream(moto_table: MessageTable, part: int) -> None:
    start()
    (first,) = moto_table.conversations()
    consumers = 0
    for number in range(part * LIVES_A_TEST, min((part + 1) * LIVES_A_TEST, LIVES)):
        table = NotingTable(moto_table.client, moto_table.name)
        life = Life(table, first, SEED + number)
        table.interfere.append(life.interfere)
        life.live()
        check(life)
        life.end()
        consumers += life.consumers
    assert consumers > LIVES_A_TEST / 2
