"""Back up the table to a compressed file and restore it: one item per line, as in AWS's export to S3.

Does not use Django. `{"Item": {"pk": {"S": "…"}, …}}`, binary values in base64. The file contains people's messages.
"""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from threading import Event, Lock
from typing import IO, Any

from cruddur.problem import Problem
from messaging.dynamodb.bulk import BATCH, BulkWriter, in_threads
from messaging.dynamodb.codec import Item, attributes_from_json, attributes_to_json, is_value, type_of
from messaging.dynamodb.table import MessageTable

KEYS = ("pk", "sk")
COMPRESSION = 6
PART = ".part"
"""The suffix of a file's name until it is complete."""


class BackupProblem(Problem):
    """A file cannot be written or read; the argument says which, where and what to do."""


# --- A line --------------------------------------------------------------------------------------------------------


def line_of(item: Item) -> bytes:
    return attributes_to_json({"Item": item}).encode()


def item_of(line: bytes) -> Item:
    """Parse a line. Raises ValueError for anything but an item of this table."""
    found: Any = attributes_from_json(line)
    item = found.get("Item") if isinstance(found, dict) else None
    if (
        not isinstance(item, dict)
        or any(type_of(item, key) != "S" for key in KEYS)
        or not all(map(is_value, item.values()))
    ):
        msg = "no item"
        raise ValueError(msg)
    return item


# --- A file --------------------------------------------------------------------------------------------------------


def write_stream(stream: IO[bytes], items: Iterable[Item]) -> int:
    """Write the items compressed to an open stream; return how many."""
    count = 0
    with gzip.GzipFile(fileobj=stream, mode="wb", compresslevel=COMPRESSION) as out:
        for item in items:
            out.write(line_of(item) + b"\n")
            count += 1
    return count


def write_items(file: Path, items: Iterable[Item]) -> int:
    """Write the items to a new file that only its owner can read; return how many.

    The file appears only once complete. Raises BackupProblem, also if it exists already.
    """
    part = file.with_name(file.name + PART)
    if file.exists():
        raise BackupProblem(f"{file} is there already: name another file, or move it away.")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as raw:
            count = write_stream(raw, items)
        with part.open("rb") as whole:
            os.fsync(whole.fileno())
        part.rename(file)
    except OSError as error:
        raise BackupProblem(f"{file} cannot be written: {error.strerror or error}.") from error
    finally:
        part.unlink(missing_ok=True)
    return count


def check_files(files: Iterable[Path]) -> int:
    """Read all files and return how many items they hold. Raises BackupProblem, as `read_items` would later."""
    return sum(1 for _ in read_items(files))


def read_items(files: Iterable[Path]) -> Iterator[Item]:
    """Yield the items of the files in order. Raises BackupProblem at the first invalid line."""
    for file in files:
        number = 0
        try:
            with gzip.open(file) as lines:
                for number, line in enumerate(lines, start=1):  # noqa: B007 - used in the error message
                    if line.strip():
                        yield item_of(line)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise BackupProblem(f"{file} is damaged or not whole: take another copy of it.") from error
        except OSError as error:
            raise BackupProblem(f"{file} cannot be read: {error.strerror or error}.") from error
        except (ValueError, AttributeError, TypeError) as error:
            raise BackupProblem(f"Line {number} of {file} is no item of a table of conversations.") from error


# --- The table -----------------------------------------------------------------------------------------------------


def put_items(
    table: MessageTable, items: Iterable[Item], *, threads: int, written: Callable[[int], object]
) -> BulkWriter:
    """Write items in so many threads, overwriting existing ones; call `written` with the size of each batch.

    Raises Unavailable, and what reading `items` raises.
    """
    writer = BulkWriter(table, Event())
    left, taking, telling = iter(items), Lock(), Lock()

    def tell(number: int) -> None:
        with telling:
            written(number)

    def work() -> None:
        while True:
            with taking:
                batch = list(islice(left, BATCH))
            if not batch:
                return
            writer.put(map(dict, batch), tell)

    in_threads(threads, work, stop=writer.stop)
    return writer
