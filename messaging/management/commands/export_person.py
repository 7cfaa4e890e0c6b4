import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, cast

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from cruddur.cli import target
from cruddur.cli.terminal import json_for
from messaging.dynamodb.client import patient
from messaging.dynamodb.connection import message_table
from messaging.dynamodb.malformed import MalformedItem
from messaging.dynamodb.table import MessageTable
from messaging.management.table_command import TableCommand, refuse_incomplete
from messaging.queries import export_data
from users.handle_lookup import person_meant

ONLY_ITS_OWNER = 0o600


class Command(TableCommand):
    help = (
        "Write everything kept about a person as one JSON document. docs/personal-data.md describes it. Exit code 1: "
        "something could not be read; left_out names it."
    )
    needs = (target.postgres, target.dynamodb)
    examples = ("bayko --output bayko.json", "bayko | python -m json.tool")
    when_stopped = "Stopped. No file was written."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("handle", metavar="HANDLE", help="the person")
        parser.add_argument(
            "--output",
            type=Path,
            metavar="FILE",
            help="a new file, readable to you only; default: standard output",
        )

    def say(self, sentence: str, style: Callable[[str], str] | None = None) -> None:
        """Print to stderr, because standard output may have the document."""
        if not self.quiet:
            self.stderr.write(style(sentence) if style else sentence)

    def act(self, *, handle: str, output: Path | None, **options: Any) -> None:
        if output is not None and str(output) == "-":
            output = None
        if output is not None and output.exists():
            raise CommandError(f"{output} is there already: name another file, or move it away.")
        person = person_meant(handle)
        table = message_table()
        table = MessageTable(patient(table.client), table.name)
        left_out: list[MalformedItem] = []
        pieces = export_data.document(person=person, table=table, now=timezone.now(), left_out=left_out)
        if output is None:
            stdout = cast("IO[str]", self.stdout)
            for text in self.awaited(pieces):
                self.stdout.write(json_for(stdout, text), ending="")
            refuse_incomplete(left_out)
            return
        with file_written_whole(output) as write:
            size = sum(map(write, self.awaited(pieces)))
        named = [each.reason for each in left_out]
        self.done(f"Wrote {output}, {size:,} bytes.", file=str(output), bytes=size, uuid=person.uuid, left_out=named)
        refuse_incomplete(left_out)

    def awaited(self, pieces: Iterator[str | export_data.Pause]) -> Iterator[str]:
        """Yield the text once it is available; meanwhile report what is being waited for."""
        for piece in pieces:
            if isinstance(piece, str):
                yield piece
            else:
                self.say(f"DynamoDB does not answer or is throttling: asking again in {piece.seconds:g} s.")
                time.sleep(piece.seconds)


@contextmanager
def file_written_whole(path: Path) -> Iterator[Callable[[str], int]]:
    """Provide a function that writes text and returns its size in bytes; the file appears once complete."""
    part = path.with_name(f"{path.name}.part")
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, ONLY_ITS_OWNER), "wb") as file:  # noqa: PTH123
            yield lambda text: file.write(text.encode())
        part.replace(path)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}. Name another file.") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
