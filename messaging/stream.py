"""The consumer of pattern E as a worker: reads every shard of the table's stream and projects what changed.

Parents before children; a checkpoint is written after its records were applied; without a valid one every
conversation is projected first. What is applied twice does no harm (see `projection`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Any, Protocol

from .aws import ServiceError, Unavailable, error_code, translated_errors
from .dynamodb import MessageTable
from .projection import changes, project

if TYPE_CHECKING:
    from types_boto3_dynamodbstreams import DynamoDBStreamsClient

logger = logging.getLogger(__name__)

SHARD_END = "SHARD_END"
POLL_SECONDS = 0.25
"""A shard answers five GetRecords a second, for all its readers."""
DESCRIBE_SECONDS = 15.0
"""How often shards are listed though none ended: children may be listed late."""
RECORDS_A_PAGE = 1000


class StreamGone(Exception):
    """The stream does not exist any more: its table was dropped."""


class Checkpoints(Protocol):
    """Where the consumer keeps how far it is: the sequence number last applied, by shard."""

    def load(self) -> dict[str, str]: ...
    def save(self, shard_id: str, sequence_number: str) -> None: ...
    def forget(self, shard_ids: set[str] | None = None) -> None: ...


@dataclass(slots=True)
class StreamConsumer:
    """Reads one stream. `poll` is one pass over the shards; `run` repeats it until told to stop."""

    table: MessageTable
    streams: DynamoDBStreamsClient
    stream_arn: str
    checkpoints: Checkpoints
    _iterators: dict[str, str] = field(default_factory=dict)
    """The shards being read."""
    _ended: set[str] = field(default_factory=set)

    def begin(self) -> None:
        """Take up the checkpoints; project every conversation first when they do not reach to what the stream holds.

        Raises Unavailable, StreamGone.
        """
        self._iterators.clear()
        saved = self.checkpoints.load()
        listed = {shard["ShardId"] for shard in self._shards()}
        lost = {shard for shard, position in saved.items() if position != SHARD_END and shard not in listed}
        if lost or not saved:
            self._begin_anew()
        else:
            self._ended = {shard for shard, position in saved.items() if position == SHARD_END}
            self.checkpoints.forget(self._ended - listed)
        self.find_shards()

    def find_shards(self) -> None:
        """Begin to read the shards whose parent has ended or is no longer there."""
        shards = self._shards()
        listed = {shard["ShardId"] for shard in shards}
        for shard in shards:
            shard_id, parent = shard["ShardId"], shard.get("ParentShardId")
            waiting = parent in listed and parent not in self._ended
            if shard_id not in self._iterators and shard_id not in self._ended and not waiting:
                self._open(shard_id)

    def poll(self) -> int:
        """Read one page of every shard and apply it; returns how many records came. Raises Unavailable, StreamGone."""
        count = 0
        for shard_id in list(self._iterators):
            count += self._read(shard_id)
        return count

    def run(self, stop: Event) -> None:
        """Project until `stop` is set. Raises StreamGone."""
        since_described = 0.0
        self._patiently(self.begin, stop)
        while not stop.is_set():
            ended = len(self._ended)
            if not self._patiently(self.poll, stop):
                stop.wait(POLL_SECONDS)
                since_described += POLL_SECONDS
            if len(self._ended) > ended or since_described >= DESCRIBE_SECONDS:
                self._patiently(self.find_shards, stop)
                since_described = 0.0

    def _patiently(self, step: Callable[[], int | None], stop: Event) -> int | None:
        """Take a step, again and again with longer waits (up to 10 s) while DynamoDB cannot answer."""
        wait = 0.5
        while not stop.is_set():
            try:
                return step()
            except Unavailable:
                logger.warning("DynamoDB does not answer; trying again in %.1f s", wait)
                stop.wait(wait)
                wait = min(10.0, wait * 2)
        return None

    def _begin_anew(self) -> None:
        logger.info("no valid checkpoint: projecting every conversation first")
        moved = project(self.table, self.table.conversations())
        self.checkpoints.forget()
        self._ended = set()
        logger.info("projected every conversation; %d entries moved", moved)

    def _open(self, shard_id: str) -> None:
        position = self.checkpoints.load().get(shard_id)
        where: dict[str, Any] = (
            {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": position}
            if position
            else {"ShardIteratorType": "TRIM_HORIZON"}
        )
        try:
            with self._translated():
                answer = self.streams.get_shard_iterator(StreamArn=self.stream_arn, ShardId=shard_id, **where)
        except ServiceError as error:
            if position is None or error_code(error) != "TrimmedDataAccessException":
                raise
            self._trimmed(shard_id)
        else:
            self._iterators[shard_id] = answer["ShardIterator"]

    def _read(self, shard_id: str) -> int:
        try:
            with self._translated():
                page = self.streams.get_records(ShardIterator=self._iterators[shard_id], Limit=RECORDS_A_PAGE)
        except ServiceError as error:
            if error_code(error) == "ExpiredIteratorException":
                self._open(shard_id)
                return 0
            if error_code(error) == "TrimmedDataAccessException":
                self._trimmed(shard_id)
                return 0
            raise
        if records := page["Records"]:
            project(self.table, (change.conversation for change in changes(records)))
            self.checkpoints.save(shard_id, records[-1]["dynamodb"]["SequenceNumber"])
        if following := page.get("NextShardIterator"):
            self._iterators[shard_id] = following
        else:
            del self._iterators[shard_id]
            self._ended.add(shard_id)
            self.checkpoints.save(shard_id, SHARD_END)
        return len(records)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            with translated_errors():
                yield
        except ServiceError as error:
            if error_code(error) == "ResourceNotFoundException":
                raise StreamGone from error
            raise

    def _trimmed(self, shard_id: str) -> None:
        """Records after the checkpoint are gone: what they said is in the conversations themselves."""
        logger.warning("the stream was trimmed beyond the checkpoint of %s", shard_id)
        self._begin_anew()
        self._open(shard_id)

    def _shards(self) -> list[Any]:
        shards: list[Any] = []
        start: dict[str, Any] = {}
        while True:
            with self._translated():
                page = self.streams.describe_stream(StreamArn=self.stream_arn, **start)["StreamDescription"]
            shards += page["Shards"]
            if "LastEvaluatedShardId" not in page:
                return shards
            start = {"ExclusiveStartShardId": page["LastEvaluatedShardId"]}
