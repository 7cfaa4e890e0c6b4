"""The calls that read a table's stream: its shards, where to begin in one, and a page of records. Knows no Django."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cruddur.problem import Problem

from .client import ServiceError, error_code, translated_errors

if TYPE_CHECKING:
    from types_boto3_dynamodbstreams import DynamoDBStreamsClient

SHARD_START = "TRIM_HORIZON"
"""In place of a sequence number: nothing of the shard was read."""


class StreamGone(Problem):
    """The stream does not exist any more: its table was dropped."""

    def __init__(self) -> None:
        super().__init__("The stream is gone with its table: run `manage.py ddb_schema_load`, then this again.")


class Trimmed(Exception):
    """The records after this position are gone: a stream keeps them for 24 hours, an emulator until it ends.

    Or the position is none of this shard's.
    """


class IteratorExpired(Exception):
    """The iterator is older than its 15 minutes: take another one."""


def describe_stream(streams: DynamoDBStreamsClient, stream_arn: str) -> dict[str, Any]:
    """The stream's description with all of its shards, however many pages they take. Raises StreamGone, Unavailable."""
    shards: list[Any] = []
    start: dict[str, Any] = {}
    while True:
        with _translated():
            page: Any = streams.describe_stream(StreamArn=stream_arn, **start)["StreamDescription"]
        shards += page["Shards"]
        if "LastEvaluatedShardId" not in page:
            return {**page, "Shards": shards}
        start = {"ExclusiveStartShardId": page["LastEvaluatedShardId"]}


def iterator_after(streams: DynamoDBStreamsClient, stream_arn: str, shard_id: str, position: str | None) -> str:
    """Where to read on after a sequence number, or from the shard's oldest record (None or SHARD_START).

    Raises Trimmed, StreamGone, Unavailable.
    """
    where: dict[str, Any] = (
        {"ShardIteratorType": "TRIM_HORIZON"}
        if position in {None, SHARD_START}
        else {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": position}
    )
    with _translated(invalid=Trimmed):
        return streams.get_shard_iterator(StreamArn=stream_arn, ShardId=shard_id, **where)["ShardIterator"]


def read_records(streams: DynamoDBStreamsClient, iterator: str, *, limit: int) -> tuple[list[Any], str | None]:
    """A page of records, which may be empty though others follow, and the next iterator, none at the shard's end.

    Raises Trimmed, IteratorExpired, StreamGone, Unavailable.
    """
    with _translated():
        page = streams.get_records(ShardIterator=iterator, Limit=limit)
    return list(page["Records"]), page.get("NextShardIterator")


@contextmanager
def _translated(*, invalid: type[Exception] | None = None) -> Iterator[None]:
    try:
        with translated_errors():
            yield
    except ServiceError as error:
        match error_code(error):
            case "ResourceNotFoundException":
                raise StreamGone from error
            case "TrimmedDataAccessException":
                raise Trimmed from error
            case "ExpiredIteratorException":
                raise IteratorExpired from error
            case "ValidationException" if invalid:
                raise invalid from error
        raise
