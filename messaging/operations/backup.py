"""The table in a file and back: an item a line, as AWS's export to S3 writes it, compressed. Knows no Django.

`{"Item": {"pk": {"S": "…"}, …}}`, binary values in base64. What is in such a file is what people wrote to each other.
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
"""At the end of a file's name until it is whole."""


class BackupProblem(Problem):
    """A file cannot be written or read; the argument says which, where and what to do."""


# --- A line --------------------------------------------------------------------------------------------------------


def line_of(item: Item) -> bytes:
    return attributes_to_json({"Item": item}).encode()


def item_of(line: bytes) -> Item:
    """Raises ValueError for what is no item of this table."""
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
    """Write the items to an open stream, compressed; return how many."""
    count = 0
    with gzip.GzipFile(fileobj=stream, mode="wb", compresslevel=COMPRESSION) as out:
        for item in items:
            out.write(line_of(item) + b"\n")
            count += 1
    return count


def write_items(file: Path, items: Iterable[Item]) -> int:
    """Write the items into a new file, readable to its owner alone; returns how many.

    The file is there whole or not at all. Raises BackupProblem, also where there is one already.
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
    """Read all of the files and return how many items they hold. Raises BackupProblem, as `read_items` would later."""
    return sum(1 for _ in read_items(files))


def read_items(files: Iterable[Path]) -> Iterator[Item]:
    """The items of files, one after the other. Raises BackupProblem at the first line that is none."""
    for file in files:
        number = 0
        try:
            with gzip.open(file) as lines:
                for number, line in enumerate(lines, start=1):  # noqa: B007 - told when it fails
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
    """Write items over any that are there, in so many threads; `written` is called with the number of each batch.

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
