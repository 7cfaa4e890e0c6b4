import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import IO, Any, cast

from django.core.management.base import CommandError, CommandParser
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from cruddur.cli import target
from cruddur.cli.terminal import Column, is_plain
from cruddur.observability import export, metrics
from messaging.dynamodb.connection import message_table, streams_client
from messaging.dynamodb.schema import stream_arn
from messaging.dynamodb.shards import StreamGone
from messaging.management import shard_table
from messaging.management.table_command import TableCommand
from messaging.models import DeadLetter
from messaging.realtime import publish
from messaging.stream.account_deletion_job import AccountDeletionJob
from messaging.stream.checkpoints import PostgresCheckpoints
from messaging.stream.consumer import StreamConsumer
from messaging.stream.consumer_types import Batch
from messaging.stream.dead_letters import PostgresDeadLetters, Replay, replay
from messaging.stream.leader_lock import leader_session, try_lock
from messaging.stream.status import saved_checkpoints, stream_status

PAUSE_SECONDS = 2.0
LETTER_COLUMNS = (Column("key"), Column("reason"), Column("tries", right=True), Column("created_at", "put aside"))


class Command(TableCommand):
    help = (
        "Keep lists of conversations current from the table's stream. Runs until SIGTERM or Ctrl-C (exit code 0) and "
        "continues where it stopped. Of several workers one is active. What cannot be projected becomes a dead "
        "letter. Also deletes accounts whose owners asked for it. -v2 reports each batch."
    )
    needs = (target.postgres, target.dynamodb)
    examples = ("", "-v2", "--once", "--status", "--status --json", "--replay")
    replaces = ("the stream Lambda",)
    when_stopped = "Stopped. What was applied is noted; run it again to go on."

    def add_arguments(self, parser: CommandParser) -> None:
        instead = parser.add_mutually_exclusive_group()
        instead.add_argument("--once", action="store_true", help="apply the waiting records, print a summary and end")
        instead.add_argument(
            "--status",
            action="store_true",
            help="show shards, checkpoints, lag, the active worker and dead letters",
        )
        instead.add_argument(
            "--replay",
            action="store_true",
            help="project the dead letters again; exit code 1 if some fail",
        )

    def act(self, *, once: bool, status: bool, replay: bool, verbosity: int, **options: Any) -> None:
        self.tells_batches = verbosity > 1
        if not status:
            export.start("worker")
        if status:
            self.show_status(stream_arn(message_table()))
        elif once:
            self.drain(stream_arn(message_table()))
        elif replay:
            self.replay()
        else:
            self.work()

    # --- The worker ---------------------------------------------------------------------------------------------------

    def work(self) -> None:
        with stop_signals() as stop:
            arn = stream_arn(message_table())
            while not stop.is_set():
                try:
                    if self.wait_to_be_active(stop):
                        arn = self.consume(arn, stop)
                except (OperationalError, InterfaceError):
                    # The checkpoints cannot be stored: restart from the last one when the database is back.
                    self.stderr.write("The database does not answer; trying again.")
                    connection.close()
                    stop.wait(PAUSE_SECONDS)
        self.tell("Stopped.", event="stopped")

    def wait_to_be_active(self, stop: Event) -> bool:
        """Wait while another worker is active; return whether this one is active now."""
        told = False
        while not stop.is_set():
            if try_lock(message_table().name):
                return True
            if not told:
                self.tell("  another worker is active; waiting to take over", event="waiting")
                told = True
            stop.wait(PAUSE_SECONDS)
        return False

    def consume(self, arn: str, stop: Event) -> str:
        """Consume until told to stop; if the stream and its table are gone, return the ARN of the new stream."""
        self.tell(f"  reading {arn}", event="reading", stream=arn)
        try:
            self.consumer(arn).run(stop)
        except StreamGone:
            stop.wait(PAUSE_SECONDS)
            return stream_arn(message_table())
        return arn

    def consumer(self, arn: str) -> StreamConsumer:
        consumer = StreamConsumer(
            message_table(),
            streams_client(),
            arn,
            PostgresCheckpoints(arn),
            PostgresDeadLetters(arn),
            self.tell_batch,
            publish.conversations_changed,
            AccountDeletionJob(),
        )
        metrics.gauges[metrics.STREAM_LAG] = lambda: consumer.lag.seconds(timezone.now())
        return consumer

    def tell_batch(self, batch: Batch) -> None:
        metrics.record(metrics.STREAM_RECORDS, batch.records)
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
        """Report an event as it happens: one JSON object per line for programs."""
        if self.as_json and not self.quiet:
            self.write_json(facts)
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

    # --- Dead letters -------------------------------------------------------------------------------------------------

    def replay(self) -> None:
        replayed = list[Replay]()
        for each in replay(message_table()):
            replayed.append(each)
            outcome = f"failed again, {each.reason}" if each.reason else "projected"
            self.tell(f"  {each.letter.key}: {outcome}", event="replayed", key=each.letter.key, reason=each.reason)
        failed = sum(bool(each.reason) for each in replayed)
        sentence = f"{len(replayed) - failed:,} dead letters projected, {failed:,} failed again."
        if failed:
            raise CommandError(f"{sentence} See which with --status; `manage.py ddb_reconcile` may repair them.")
        self.done(sentence, event="done", projected=len(replayed))

    # --- Status -------------------------------------------------------------------------------------------------------

    def show_status(self, arn: str) -> None:
        found = stream_status(streams_client(), arn, saved_checkpoints(arn), now=timezone.now())
        self.say(f"Stream {arn}, {found.status.lower()}")
        stdout = cast("IO[str]", self.stdout)
        if not self.as_json and not is_plain(stdout):
            shard_table.write_shards(stdout, found)
        else:
            self.write_rows(shard_table.COLUMNS, shard_table.rows(found))
        if self.as_json:
            self.write_rows((), shard_table.unlisted_rows(found))
        elif found.unlisted:
            self.say("Checkpoints of shards that the stream lists no more:")
            for shard_id, checkpoint in found.unlisted.items():
                self.say(f"  {shard_id} {shard_table.applied(checkpoint)}")
        letters = [letter_facts(letter) for letter in DeadLetter.objects.order_by("created_at", "pk")]
        if letters:
            self.say("Dead letters:")
            self.write_rows(LETTER_COLUMNS, letters)
        active = leader_session(message_table().name)
        self.say(f"The active worker is session {active} of Postgres." if active else "No worker is active.")
        self.done(
            shard_table.sentence(found),
            kind="stream",
            stream=arn,
            status=found.status,
            shards=len(found.shards),
            lag_seconds=found.lag,
            begins_anew=found.is_begun_anew,
            active_session=active,
            dead_letters=len(letters),
        )


@contextmanager
def stop_signals() -> Iterator[Event]:
    """Provide an event that SIGTERM and Ctrl-C set, instead of their default actions."""
    stop = Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def letter_facts(letter: DeadLetter) -> dict[str, Any]:
    return {
        "kind": "dead_letter",
        "key": letter.key,
        "reason": letter.reason,
        "tries": letter.tries,
        "created_at": letter.created_at,
        "shard_id": letter.shard_id,
        "sequence_number": letter.sequence_number,
    }
