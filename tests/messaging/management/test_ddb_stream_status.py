"""The output of `ddb_stream --status`, which is read-only."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import CommandError
from django.utils import timezone

from messaging.dynamodb.connection import streams_client
from messaging.dynamodb.metering import metered
from messaging.dynamodb.schema import stream_arn
from messaging.dynamodb.table import MessageTable
from messaging.models import StreamCheckpoint
from messaging.stream.consumer_types import SHARD_END
from messaging.stream.status import READS, saved_checkpoints, stream_status
from tests.messaging.command_runs import Terminal, run, run_json
from tests.messaging.talk import send, start

pytestmark = pytest.mark.django_db

COMMAND = "ddb_stream"


def test_the_status_of_a_drained_stream_is_that_nothing_waits(table: MessageTable) -> None:
    start()
    run(COMMAND, "--once")
    (checkpoint,) = StreamCheckpoint.objects.all()

    shard, stream = run_json(COMMAND, "--status")

    assert shard == {
        "kind": "shard",
        "shard_id": checkpoint.shard_id,
        "parent": None,
        "open": True,
        "checkpoint": checkpoint.sequence_number,
        "saved_at": shard["saved_at"],
        "lag_seconds": 0,
        "trimmed": False,
    }
    assert shard["saved_at"][:19] == checkpoint.updated_at.isoformat()[:19]
    assert stream == {
        "kind": "stream",
        "stream": stream_arn(table),
        "status": "ENABLED",
        "shards": 1,
        "lag_seconds": 0,
        "begins_anew": False,
        "active_session": None,
        "dead_letters": 0,
    }


def test_the_lag_grows_while_nobody_applies(table: MessageTable) -> None:
    start()
    run(COMMAND, "--once")
    send()
    arn = stream_arn(table)

    later = timezone.now() + timedelta(hours=1)
    found = stream_status(streams_client(), arn, saved_checkpoints(arn), now=later)

    assert 3600 <= found.lag < 3660


def test_looking_changes_nothing_and_reads_little(table: MessageTable) -> None:
    start()
    run(COMMAND, "--once")
    send()
    before = list(StreamCheckpoint.objects.values())

    with metered(streams_client()) as requests:  # type: ignore[arg-type]
        run(COMMAND, "--status")

    assert list(StreamCheckpoint.objects.values()) == before
    assert [request.operation for request in requests].count("GetRecords") <= READS
    assert run_json(COMMAND, "--once")[-1]["entries"] == 2


def test_people_get_a_table_and_a_sentence(table: MessageTable) -> None:
    start()
    run(COMMAND, "--once")
    shard_id, position = StreamCheckpoint.objects.values_list("shard_id", "sequence_number").get()

    _, stream, heading, shard, worker, last = run(COMMAND, "--status")[0].splitlines()

    assert stream == f"Stream {stream_arn(table)}, enabled"
    assert heading.split() == ["shard", "parent", "state", "checkpoint", "saved", "(UTC)", "lag"]
    assert shard.startswith(f"{shard_id} ")
    assert f" open   {position}  20" in shard
    assert shard.endswith("  0 s")
    assert worker == "No worker is active."
    assert last == "Nothing is waiting."


def test_a_waiting_record_without_any_checkpoint_is_told(table: MessageTable) -> None:
    start()

    out, _ = run(COMMAND, "--status")

    assert "The oldest record that is not applied is " in out
    assert "without a valid checkpoint the worker will project every conversation first." in out


def test_on_a_terminal_of_80_columns_every_id_is_whole(table: MessageTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    start()
    run(COMMAND, "--once")
    shard_id, position = StreamCheckpoint.objects.values_list("shard_id", "sequence_number").get()

    _, _, shard, checkpoint = run(COMMAND, "--status", "-v0", out=Terminal())[0].splitlines()

    assert shard.split() == ["0", "s", "open", shard_id]
    assert checkpoint.strip().startswith(f"to {position}, 20")


def test_checkpoints_of_shards_that_are_gone_are_listed(table: MessageTable) -> None:
    arn = stream_arn(table)
    StreamCheckpoint.objects.create(stream_arn=arn, shard_id="shardId-gone", sequence_number=SHARD_END)
    StreamCheckpoint.objects.create(stream_arn="another stream", shard_id="shardId-other", sequence_number="1")

    out, _ = run(COMMAND, "--status")
    gone = [row for row in run_json(COMMAND, "--status") if row["kind"] == "checkpoint"]

    assert "Checkpoints of shards that the stream lists no more:\n  shardId-gone to its end, 20" in out
    assert "shardId-other" not in out
    assert [(row["shard_id"], row["checkpoint"]) for row in gone] == [("shardId-gone", SHARD_END)]


def test_quiet_leaves_the_shards(table: MessageTable) -> None:
    out, err = run(COMMAND, "--status", "-v0")

    heading, shard = out.splitlines()
    assert heading.startswith("shard ")
    assert shard.startswith("shardId-")
    assert err == ""


def test_once_and_status_exclude_each_other() -> None:
    with pytest.raises(CommandError, match="not allowed with"):
        run(COMMAND, "--once", "--status")
