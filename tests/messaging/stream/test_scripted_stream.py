"""The watch over a consumer of the scripted stream notices every rule that is broken."""

from __future__ import annotations

from dataclasses import replace

import pytest

from messaging.dynamodb.shards import SHARD_START
from messaging.dynamodb.table import MessageTable
from tests.messaging.scripted_watch import Watched
from tests.messaging.talk import start

from .scripted_stream import ITERATOR_SECONDS, Misbehaved, ScriptedStream


@pytest.fixture
def family(moto_table: MessageTable) -> ScriptedStream:
    """Create a parent and a child with two images each, one a page."""
    start()
    (first,) = moto_table.conversations()
    stream = ScriptedStream(page=1)
    stream.open_shard("parent")
    stream.split("parent", "child-1")
    for number, shard_id in enumerate(("parent", "parent", "child-1", "child-1"), start=1):
        stream.write(shard_id, replace(first, version=first.version + number))
    return stream


def begun(stream: ScriptedStream, table: MessageTable, saved: dict[str, str] | None = None) -> Watched:
    watched = Watched.of(stream, table, saved)
    watched.consumer.begin()
    return watched


def test_the_watch_notices_a_child_read_before_its_parent(moto_table: MessageTable, family: ScriptedStream) -> None:
    watched = begun(family, moto_table)
    watched.consumer._open("child-1")

    with pytest.raises(Misbehaved, match="child-1 was read before the end of parent"):
        watched.poll()


def test_the_watch_notices_a_second_read_in_a_pass(moto_table: MessageTable, family: ScriptedStream) -> None:
    watched = begun(family, moto_table)
    watched.poll()

    with pytest.raises(Misbehaved, match="parent was read twice in a pass"):
        watched.consumer.poll()


def test_the_watch_notices_a_checkpoint_before_its_records(moto_table: MessageTable, family: ScriptedStream) -> None:
    watched = begun(family, moto_table, {"parent": SHARD_START})

    with pytest.raises(Misbehaved, match="noted as applied beyond what was"):
        watched.checkpoints.save("parent", family.sequence_number("parent", 0))


def test_the_watch_notices_a_checkpoint_that_moves_back(moto_table: MessageTable, family: ScriptedStream) -> None:
    watched = begun(family, moto_table)
    watched.read_all()

    with pytest.raises(Misbehaved, match="moved back"):
        watched.checkpoints.save("child-1", family.sequence_number("child-1", 0))


def test_the_watch_notices_an_expired_iterator_used_again(moto_table: MessageTable, family: ScriptedStream) -> None:
    watched = begun(family, moto_table)
    (iterator,) = watched.consumer._iterators.values()
    watched.time.now += ITERATOR_SECONDS + 1
    watched.poll()
    watched.consumer._iterators["parent"] = iterator

    with pytest.raises(Misbehaved, match="expired"):
        watched.poll()
