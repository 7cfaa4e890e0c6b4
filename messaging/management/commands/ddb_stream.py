import signal
from threading import Event
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError, connection

from cruddur.stack import describe_stack
from messaging.checkpoints import PostgresCheckpoints
from messaging.connection import message_table, streams_client
from messaging.management.foreseen import foreseen
from messaging.schema import stream_arn
from messaging.stream import StreamConsumer, StreamGone

PAUSE_SECONDS = 2.0


class Command(BaseCommand):
    help = (
        "Keep everyone's list of conversations current: read the table's stream and move the entries of what changed. "
        "Runs until SIGTERM or Ctrl-C; takes up where it stopped."
    )

    def handle(self, **options: Any) -> None:
        self.stdout.write(describe_stack())
        stop = Event()

        def stop_soon(signum: int, frame: FrameType | None) -> None:
            stop.set()

        signal.signal(signal.SIGTERM, stop_soon)
        signal.signal(signal.SIGINT, stop_soon)
        with foreseen():
            arn = stream_arn(message_table())
        while not stop.is_set():
            try:
                arn = self.consume(arn, stop)
            except (OperationalError, InterfaceError):
                # The checkpoints cannot be kept: begin again from the last one when the database is back.
                self.stderr.write("The database does not answer; trying again.")
                connection.close()
                stop.wait(PAUSE_SECONDS)
        self.stdout.write("Stopped.")

    def consume(self, arn: str, stop: Event) -> str:
        """Consume until told to stop; when the stream is gone, with its table, returns the one that took its place."""
        self.stdout.write(f"  reading {arn}")
        try:
            StreamConsumer(message_table(), streams_client(), arn, PostgresCheckpoints(arn)).run(stop)
        except StreamGone:
            stop.wait(PAUSE_SECONDS)
            with foreseen():
                return stream_arn(message_table())
        return arn
