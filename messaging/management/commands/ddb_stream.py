import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import IO, Any, cast

from django.core.management.base import CommandParser
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from cruddur.terminal import as_json, is_terminal
from messaging.checkpoints import PostgresCheckpoints
from messaging.connection import message_table, streams_client
from messaging.management import shard_table
from messaging.management.table_command import TableCommand
from messaging.schema import stream_arn
from messaging.shards import StreamGone
from messaging.stream import Batch, StreamConsumer
from messaging.stream_status import saved_checkpoints, stream_status

PAUSE_SECONDS = 2.0


class Command(TableCommand):
    help = (
        "Keep everyone's list of conversations current from the table's stream. Moves the entries of what changed, "
        "until SIGTERM or Ctrl-C, which end it with exit code 0, and takes up where it stopped; with -v2 tells of each "
        "batch. --once ends when the stream is drained. --status only looks, also while a worker runs."
    )
    examples = ("", "-v2", "--once", "--status", "--status --json")
    replaces = ("the stream Lambda",)
    when_stopped = "Stopped. What was applied is noted; run it again to go on."

    def add_arguments(self, parser: CommandParser) -> None:
        instead = parser.add_mutually_exclusive_group()
        instead.add_argument(
            "--once", action="store_true", help="apply what the stream holds, then end: say how much that was"
        )
        instead.add_argument(
            "--status", action="store_true", help="show the shards, their checkpoints and how old what waits is"
        )

    def act(self, *, once: bool, status: bool, verbosity: int, **options: Any) -> None:
        self.tells_batches = verbosity > 1
        if status:
            self.show_status(stream_arn(message_table()))
        elif once:
            self.drain(stream_arn(message_table()))
        else:
            self.work()

    # --- The worker ---------------------------------------------------------------------------------------------------

    def work(self) -> None:
        with stop_signals() as stop:
            arn = stream_arn(message_table())
            while not stop.is_set():
                try:
                    arn = self.consume(arn, stop)
                except (OperationalError, InterfaceError):
                    # The checkpoints cannot be kept: begin again from the last one when the database is back.
                    self.stderr.write("The database does not answer; trying again.")
                    connection.close()
                    stop.wait(PAUSE_SECONDS)
        self.tell("Stopped.", event="stopped")

    def consume(self, arn: str, stop: Event) -> str:
        """Consume until told to stop; when the stream is gone, with its table, returns the one that took its place."""
        self.tell(f"  reading {arn}", event="reading", stream=arn)
        try:
            self.consumer(arn).run(stop)
        except StreamGone:
            stop.wait(PAUSE_SECONDS)
            return stream_arn(message_table())
        return arn

    def consumer(self, arn: str) -> StreamConsumer:
        return StreamConsumer(message_table(), streams_client(), arn, PostgresCheckpoints(arn), self.tell_batch)

    def tell_batch(self, batch: Batch) -> None:
        if not self.tells_batches:
            return
        what = f"{batch.shard_id}: {batch.records:,} records" if batch.shard_id else "every conversation projected"
        self.tell(
            f"  {what}, {batch.entries:,} entries moved",
            event="applied",
            shard=batch.shard_id,
            records=batch.records,
            entries=batch.entries,
        )

    def tell(self, sentence: str, **facts: Any) -> None:
        """Say what happens when it happens: an object a line for programs."""
        if self.as_json and not self.quiet:
            self.stdout.write(as_json(facts))
        else:
            self.say(sentence)
        self.stdout.flush()

    # --- Once ---------------------------------------------------------------------------------------------------------

    def drain(self, arn: str) -> None:
        self.tell(f"  reading {arn}", event="reading", stream=arn)
        consumer = self.consumer(arn)
        consumer.drain(Event())
        self.done(
            f"Drained: {consumer.records:,} records read, {consumer.entries:,} entries moved.",
            event="drained",
            stream=arn,
            records=consumer.records,
            entries=consumer.entries,
        )

    # --- Status -------------------------------------------------------------------------------------------------------

    def show_status(self, arn: str) -> None:
        found = stream_status(streams_client(), arn, saved_checkpoints(arn), now=timezone.now())
        self.say(f"Stream {arn}, {found.status.lower()}")
        stdout = cast("IO[str]", self.stdout)
        if not self.as_json and is_terminal(stdout):
            shard_table.write_shards(stdout, found)
        else:
            self.write_rows(shard_table.COLUMNS, shard_table.rows(found))
        if self.as_json:
            self.write_rows((), shard_table.unlisted_rows(found))
        elif found.unlisted:
            self.say("Checkpoints of shards that the stream lists no more:")
            for shard_id, checkpoint in found.unlisted.items():
                self.say(f"  {shard_id} {shard_table.applied(checkpoint)}")
        self.done(
            shard_table.sentence(found),
            kind="stream",
            stream=arn,
            status=found.status,
            shards=len(found.shards),
            lag_seconds=found.lag,
            begins_anew=found.is_begun_anew,
        )


@contextmanager
def stop_signals() -> Iterator[Event]:
    """An event that SIGTERM and Ctrl-C set, instead of what they do otherwise."""
    stop = Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
