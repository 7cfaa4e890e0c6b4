"""Show the shards of a stream and their checkpoints."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import IO, Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from cruddur.cli.terminal import Column, is_plain
from messaging.dynamodb.shards import SHARD_START
from messaging.stream.consumer_types import SHARD_END
from messaging.stream.status import Checkpoint, ShardStatus, StreamStatus

from .layout import rendered

TRIMMED = "trimmed"


def lag_of(lag: int | None) -> str:
    return TRIMMED if lag is None else f"{lag:,} s"


def moment(saved_at: datetime | None) -> str:
    return f"{saved_at:%Y-%m-%d %H:%M:%S}" if saved_at else ""


COLUMNS = (
    Column("shard_id", "shard"),
    Column("parent"),
    Column("open", "state", lambda is_open: "open" if is_open else "closed"),
    Column("checkpoint"),
    Column("saved_at", "saved (UTC)", moment),
    Column("lag_seconds", "lag", lag_of, right=True),
)


def rows(status: StreamStatus) -> Iterator[dict[str, Any]]:
    """Yield the shards, for programs and pipes."""
    for shard in status.shards:
        yield {
            "kind": "shard",
            "shard_id": shard.shard_id,
            "parent": shard.parent,
            "open": shard.is_open,
            **checkpoint_facts(shard.checkpoint),
            "lag_seconds": shard.lag,
            "trimmed": shard.is_trimmed,
        }


def unlisted_rows(status: StreamStatus) -> Iterator[dict[str, Any]]:
    """Yield the checkpoints of shards that no longer exist, for programs and pipes."""
    for shard_id, checkpoint in status.unlisted.items():
        yield {"kind": "checkpoint", "shard_id": shard_id, **checkpoint_facts(checkpoint)}


def checkpoint_facts(checkpoint: Checkpoint | None) -> dict[str, Any]:
    return {
        "checkpoint": checkpoint.sequence_number if checkpoint else None,
        "saved_at": checkpoint.saved_at if checkpoint else None,
    }


def sentence(status: StreamStatus) -> str:
    """Summarize how far the stream was applied."""
    lag = f"the oldest record that is not applied is {status.lag:,} s old" if status.lag else "nothing is waiting"
    anew = (
        "; without a valid checkpoint the worker will project every conversation first" if status.is_begun_anew else ""
    )
    return f"{lag[0].upper()}{lag[1:]}{anew}."


def write_shards(stream: IO[str], status: StreamStatus) -> None:
    """Write the shards to a terminal; long ids and sequence numbers go below each shard."""
    plain = is_plain(stream)
    table = Table(box=None if plain else SIMPLE_HEAD, pad_edge=False, header_style="" if plain else "bold")
    table.add_column("lag", justify="right", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("shard, its checkpoint and when that was saved (UTC)", overflow="fold")
    for shard in status.shards:
        cell = Text("\n").join([Text(shard.shard_id, "bold"), *(Text(line, "dim") for line in details(shard))])
        table.add_row(lag_of(shard.lag), "open" if shard.is_open else "closed", cell)
    stream.write(rendered(stream, table))


def details(shard: ShardStatus) -> Iterator[str]:
    """Yield the details of a shard, one line each."""
    if shard.parent:
        yield f"child of {shard.parent}"
    yield applied(shard.checkpoint)


def applied(checkpoint: Checkpoint | None) -> str:
    if checkpoint is None:
        return "no checkpoint"
    names = {SHARD_START: "its start", SHARD_END: "its end"}
    end = names.get(checkpoint.sequence_number, checkpoint.sequence_number)
    return f"to {end}, {moment(checkpoint.saved_at)}"
