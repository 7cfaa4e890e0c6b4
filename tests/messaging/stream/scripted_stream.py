"""A stream service on script, in the client's shape: what no emulator does, and a watch over how its consumer behaves.

Shards split and merge, look open though they have children, are listed late and trimmed away; iterators expire; pages
are empty; any call fails. Rules that the consumer breaks are raised as `Misbehaved` and kept in `broken`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from messaging.domain.entities import Conversation
from messaging.dynamodb.client import ServiceError
from messaging.dynamodb.codec import conversation_item
from messaging.stream.consumer_types import SHARD_END

ITERATOR_SECONDS = 900.0
FIRST_SEQUENCE_NUMBER = 4_200_000_000_000_000_000_000


class Misbehaved(AssertionError):
    """The consumer broke a rule of streams."""


def refused(code: str, status: int = 400) -> ServiceError:
    """Return an error answer of AWS."""
    return ServiceError(
        {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        "",
    )


@dataclass
class Shard:
    """Images with their sequence numbers, oldest first."""

    parent: str | None = None
    listed_after: int = 0
    """Listings in which it is missing before it appears."""
    records: list[tuple[int, Mapping[str, Any]]] = field(default_factory=list)
    closed: bool = False
    says_closed: bool = True
    """Whether a closed one has an EndingSequenceNumber, or still looks open."""
    trimmed: int = 0
    """How many of its oldest records are gone."""
    gone: bool = False
    """Trimmed away as a whole: neither listed nor known."""


@dataclass
class Iterator:
    """A place in a shard, for as long as it lasts."""

    shard_id: str
    index: int
    made_at: float
    made_at_call: int
    expired: bool = False


@dataclass
class ScriptedStream:
    """One stream, its script and what its consumer did."""

    shards: dict[str, Shard] = field(default_factory=dict)
    page: int = 2
    """Records in a page at most."""
    faults: dict[str, list[Exception | None]] = field(default_factory=dict)
    """The exceptions of the next calls by operation; None lets a call pass."""
    interfere: Callable[[str], None] = lambda operation: None
    """Called before each call; may raise."""
    empty_pages: list[bool] = field(default_factory=list)
    """Whether each of the next pages is empty, though records follow."""
    iterator_calls: int | None = None
    """Calls after which an iterator has expired."""
    clock: Callable[[], float] = lambda: 0.0
    operations: list[str] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    """The shard of each record that was given out."""
    opened: list[tuple[str, str]] = field(default_factory=list)
    """Shard and type of each iterator that was given out."""
    broken: list[str] = field(default_factory=list)
    told_of_loss: set[str] = field(default_factory=set)
    """Shards whose trimmed records or foreign checkpoint the consumer was told of."""
    _written: int = FIRST_SEQUENCE_NUMBER
    _iterators: dict[str, Iterator] = field(default_factory=dict)
    _ended: set[str] = field(default_factory=set)
    _read_in_pass: set[str] = field(default_factory=set)

    # --- The script ---------------------------------------------------------------------------------------------------

    def open_shard(self, shard_id: str, parent: str | None = None, *, listed_after: int = 0) -> None:
        self.shards[shard_id] = Shard(parent, listed_after)

    def write(self, shard_id: str, *conversations: Conversation | Mapping[str, Any]) -> None:
        """Add images of conversations to an open shard."""
        for each in conversations:
            self._written += 1
            image = conversation_item(each) if isinstance(each, Conversation) else each
            self.shards[shard_id].records.append((self._written, image))

    def split(self, shard_id: str, *children: str, listed_after: int = 0, says_closed: bool = True) -> None:
        """Close a shard; its children go on where it ends. One child is what AWS does every few hours."""
        self.shards[shard_id].closed, self.shards[shard_id].says_closed = True, says_closed
        for child in children:
            self.open_shard(child, shard_id, listed_after=listed_after)

    def merge(self, one: str, other: str, child: str, *, listed_after: int = 0) -> None:
        """Close two shards, which have one child; it names only the first as its parent, for want of a second field."""
        self.split(other)
        self.split(one, child, listed_after=listed_after)

    def trim(self, shard_id: str, number: int) -> None:
        """Take away the oldest records of a shard."""
        self.shards[shard_id].trimmed = max(self.shards[shard_id].trimmed, number)

    def trim_away(self, shard_id: str) -> None:
        """Take away a closed shard and those before it."""
        ancestor: str | None = shard_id
        while ancestor in self.shards:
            self.shards[ancestor].gone = True
            ancestor = self.shards[ancestor].parent

    def sequence_number(self, shard_id: str, index: int) -> str:
        return str(self.shards[shard_id].records[index][0])

    # --- The watch ----------------------------------------------------------------------------------------------------

    def next_pass(self) -> None:
        """Begin a pass of the consumer."""
        self._read_in_pass.clear()

    def next_consumer(self, saved: Mapping[str, str]) -> None:
        """Begin another consumer with these checkpoints."""
        self._ended = {shard_id for shard_id, position in saved.items() if position == SHARD_END}
        self.next_pass()

    def rule(self, kept: bool, broken: str) -> None:
        """Raise Misbehaved if the rule is broken."""
        if not kept:
            self.broken.append(broken)
            raise Misbehaved(broken)

    # --- The client ---------------------------------------------------------------------------------------------------

    def describe_stream(self, *, StreamArn: str, ExclusiveStartShardId: str | None = None) -> dict[str, Any]:
        """Describe one shard a page, possibly a parent's children before it."""
        self._call("describe_stream")
        if ExclusiveStartShardId is None:
            for shard in self.shards.values():
                shard.listed_after -= 1
        names = [name for name, shard in self.shards.items() if not shard.gone and self._is_listed(name)]
        begin = names.index(ExclusiveStartShardId) + 1 if ExclusiveStartShardId in names else 0
        description: dict[str, Any] = {"Shards": [self._described(name) for name in names[begin : begin + 1]]}
        if begin + 1 < len(names):
            description["LastEvaluatedShardId"] = names[begin]
        return {"StreamDescription": {"StreamStatus": "ENABLED", **description}}

    def get_shard_iterator(
        self, *, StreamArn: str, ShardId: str, ShardIteratorType: str, SequenceNumber: str = ""
    ) -> dict[str, Any]:
        self._call("get_shard_iterator")
        shard = self._shard(ShardId)
        self.opened.append((ShardId, ShardIteratorType))
        index = shard.trimmed
        if ShardIteratorType == "AFTER_SEQUENCE_NUMBER":
            numbers = [number for number, _ in shard.records]
            if not SequenceNumber.isdecimal() or int(SequenceNumber) not in numbers:
                self.told_of_loss.add(ShardId)
                raise refused("ValidationException")
            index = numbers.index(int(SequenceNumber)) + 1
            self._not_trimmed(ShardId, index)
        return {"ShardIterator": self._iterator(ShardId, index)}

    def get_records(self, *, ShardIterator: str, Limit: int) -> dict[str, Any]:
        self._call("get_records")
        iterator = self._iterators[ShardIterator]
        self.rule(not iterator.expired, f"an expired iterator of {iterator.shard_id} was used again")
        shard = self._shard(iterator.shard_id)
        self.rule(iterator.shard_id not in self._read_in_pass, f"{iterator.shard_id} was read twice in a pass")
        self._read_in_pass.add(iterator.shard_id)
        if self._is_expired(iterator):
            iterator.expired = True
            raise refused("ExpiredIteratorException")
        self._not_trimmed(iterator.shard_id, iterator.index)
        is_empty = bool(self.empty_pages) and self.empty_pages.pop(0)
        found = [] if is_empty else shard.records[iterator.index :][: min(self.page, Limit)]
        if found:
            self._parent_first(shard, iterator.shard_id)
        self.read += [iterator.shard_id] * len(found)
        end = iterator.index + len(found)
        records = [{"dynamodb": {"NewImage": image, "SequenceNumber": str(number)}} for number, image in found]
        if shard.closed and end == len(shard.records):
            self._ended.add(iterator.shard_id)
            return {"Records": records}
        return {"Records": records, "NextShardIterator": self._iterator(iterator.shard_id, end)}

    def _call(self, operation: str) -> None:
        self.operations.append(operation)
        self.interfere(operation)
        waiting = self.faults.get(operation)
        if waiting and (fault := waiting.pop(0)):
            raise fault

    def _shard(self, shard_id: str) -> Shard:
        shard = self.shards.get(shard_id)
        if shard is None or shard.gone:
            raise refused("ResourceNotFoundException")
        return shard

    def _is_listed(self, shard_id: str | None) -> bool:
        """Return whether the shard would be listed if it still exists: never before its parent."""
        shard = self.shards.get(shard_id or "")
        return shard is None or (shard.listed_after < 0 and self._is_listed(shard.parent))

    def _described(self, shard_id: str) -> dict[str, Any]:
        shard = self.shards[shard_id]
        numbers = [number for number, _ in shard.records] or [self._written]
        end = {"EndingSequenceNumber": str(numbers[-1])} if shard.closed and shard.says_closed else {}
        described: dict[str, Any] = {
            "ShardId": shard_id,
            "SequenceNumberRange": {"StartingSequenceNumber": str(numbers[0]), **end},
        }
        return described | ({"ParentShardId": shard.parent} if shard.parent else {})

    def _iterator(self, shard_id: str, index: int) -> str:
        name = f"iterator-{len(self._iterators)}"
        self._iterators[name] = Iterator(shard_id, index, self.clock(), len(self.operations))
        return name

    def _is_expired(self, iterator: Iterator) -> bool:
        calls = len(self.operations) - iterator.made_at_call
        return self.clock() - iterator.made_at > ITERATOR_SECONDS or (
            self.iterator_calls is not None and calls > self.iterator_calls
        )

    def _not_trimmed(self, shard_id: str, index: int) -> None:
        if index < self.shards[shard_id].trimmed:
            self.told_of_loss.add(shard_id)
            raise refused("TrimmedDataAccessException")

    def _parent_first(self, shard: Shard, shard_id: str) -> None:
        parent = self.shards.get(shard.parent or "")
        kept = parent is None or parent.gone or shard.parent in self._ended
        self.rule(kept, f"{shard_id} was read before the end of {shard.parent}")
