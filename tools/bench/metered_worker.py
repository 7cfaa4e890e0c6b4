"""The stream worker of `manage.py ddb_stream` with a meter. At its end it writes a JSON line per moved entry.

Arguments: the file for those lines, and a file that it keeps updating with its units.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event, Thread
from typing import Any

from messaging.dynamodb.metering import Request, watch

from .units import Units

EVERY_SECONDS = 0.2


class Moves:
    """When entries showed messages: (key of the member, group, number of the message, monotonic seconds)."""

    def __init__(self) -> None:
        self.noted: list[tuple[str, str, int, float]] = []

    def note(self, request: Request, parameters: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        """Record the response of a write; `metering.watch` calls it."""
        if request.operation != "UpdateItem" or request.error:
            return
        key, values = parameters["Key"], parameters["ExpressionAttributeValues"]
        self.noted.append((key["pk"]["S"], key["sk"]["S"], int(values[":seq"]["N"]), time.monotonic()))


def write_whole(file: Path, text: str) -> None:
    """Put it in the place of what was there at once, so that a reader never sees half."""
    draft = file.with_suffix(".draft")
    draft.write_text(text)
    draft.replace(file)


def main(arguments: Sequence[str]) -> None:
    import django  # noqa: PLC0415 - the settings come from the environment

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    from messaging.dynamodb.connection import message_table  # noqa: PLC0415

    moves_file, units_file = map(Path, arguments)
    moves, units, ended = Moves(), Units(), Event()
    watch(message_table().client, moves.note)
    watch(message_table().client, units.note)

    def tell() -> None:
        while not ended.wait(EVERY_SECONDS):
            write_whole(units_file, json.dumps(units.so_far() | {"moves": len(moves.noted)}))

    telling = Thread(target=tell)
    telling.start()
    try:
        call_command("ddb_stream", verbosity=0)
    finally:
        ended.set()
        telling.join()
        write_whole(units_file, json.dumps(units.so_far() | {"moves": len(moves.noted)}))
        write_whole(moves_file, "".join(f"{json.dumps(each)}\n" for each in moves.noted))


if __name__ == "__main__":
    main(sys.argv[1:])
