"""Measure bulk writes and scans on a DynamoDB endpoint. See README.md in this directory.

.venv/bin/python -m tools.bench.seed_and_scan http://127.0.0.1:8000 --messages 100000 --threads 1 2 4 8
"""

from __future__ import annotations

from cruddur.cli import program

if __name__ == "__main__":
    # What follows takes long to import.
    program.watch_for_ctrl_c()

import resource
import sys
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from cruddur.cli.terminal import as_bytes
from messaging.dynamodb.client import connect, patient, translated_errors
from messaging.dynamodb.codec import message_item
from messaging.dynamodb.scan import Scan, kinds_in, segments_for
from messaging.dynamodb.schema import load_schema
from messaging.dynamodb.table import MessageTable
from messaging.dynamodb.tables import find_table
from messaging.operations.seeding import THREADS, SyntheticSeeding, phrasebooks
from messaging.operations.synthetic import MessageTexts, SyntheticConversation, synthetic_conversations, volume_of

REGION = "us-east-1"
SINGLE_PUTS = 2000
KIB = 1024


@dataclass(slots=True)
class Stopwatch:
    """Wall-clock and processor time of a block, in seconds."""

    wall: float = 0.0
    cpu: float = 0.0


@contextmanager
def timed() -> Iterator[Stopwatch]:
    watch = Stopwatch()
    wall, cpu = time.perf_counter(), time.process_time()
    yield watch
    watch.wall, watch.cpu = time.perf_counter() - wall, time.process_time() - cpu


def say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


def peak_memory() -> str:
    """Describe the peak memory of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return as_bytes(peak if sys.platform == "darwin" else peak * KIB)


def put_one_by_one(table: MessageTable, number: int) -> None:
    """Write items with PutItem in one thread, for comparison."""
    telling = MessageTexts(
        SyntheticConversation((uuid4(), uuid4()), number, "single"), datetime.now(UTC), phrasebooks()
    )
    with timed() as watch:
        for message in telling.messages():
            with translated_errors():
                table.client.put_item(TableName=table.name, Item=message_item(message))
    say(f"put_item, 1 thread: {number / watch.wall:,.0f} messages/s")


def seed_in_bulk(table: MessageTable, messages: int, threads: int) -> int:
    """Write invented conversations as ddb_seed does; return the number of items."""
    volume = volume_of(messages=messages)
    people = [uuid4() for _ in range(volume.users)]
    seeding = SyntheticSeeding(table, datetime.now(UTC), threads)
    with timed() as watch:
        seeding.write(synthetic_conversations(people, volume, random_seed=1))
    say(
        f"in bulk, {threads} threads: {messages / watch.wall:,.0f} messages/s "
        f"({messages:,} messages and {volume.conversations:,} conversations in {watch.wall:,.1f} s, "
        f"{watch.cpu:,.1f} s of them busy here; {seeding.write_units:,.0f} write units; peak {peak_memory()})"
    )
    return messages + 3 * volume.conversations


def count_by_scanning(table: MessageTable, readers: int) -> int:
    """Scan all items; return their number."""
    described = find_table(table.client, table.name)
    parts = segments_for(described.size_bytes if described else 0, readers=readers)
    kinds: Counter[str] = Counter()
    with timed() as watch, Scan(table.client, table.name, readers, parts, count=True) as scan:
        for page in scan:
            kinds += kinds_in(page)
    found = kinds.total()
    say(
        f"scan, {readers} readers: {found / watch.wall:,.0f} items/s ({found:,} in {watch.wall:,.1f} s; "
        f"{scan.totals.read_units:,.0f} read units; peak {peak_memory()})"
    )
    return found


def main(arguments: Sequence[str]) -> int:
    parser = ArgumentParser(prog="tools.bench.seed_and_scan", description="Measure bulk writing and scanning.")
    parser.add_argument("endpoint", help="as in http://127.0.0.1:8000; a table of its own is made and deleted there")
    parser.add_argument("--messages", type=int, default=100_000, help="for each number of threads (100000)")
    parser.add_argument("--threads", type=int, nargs="+", default=[THREADS], help=f"that write ({THREADS})")
    parser.add_argument("--readers", type=int, nargs="+", default=[1, 2, 4], help="that scan (1 2 4)")
    options = parser.parse_args(arguments)

    client = patient(connect(endpoint_url=options.endpoint, region=REGION), attempts=1, validate=False)
    table = MessageTable(client, f"bench-{uuid4().hex[:8]}")
    list(load_schema(table, on_demand=True))
    say(f"{options.endpoint}, table {table.name}; {peak_memory()} before it begins")
    try:
        put_one_by_one(table, SINGLE_PUTS)
        written = SINGLE_PUTS + sum(seed_in_bulk(table, options.messages, threads) for threads in options.threads)
        found = {count_by_scanning(table, readers) for readers in options.readers}
    finally:
        client.delete_table(TableName=table.name)
    if found != {written}:
        say(f"{written:,} items were written, {found} found")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(program.run(lambda: main(sys.argv[1:]), is_loaded=True))
