"""A worker killed again and again while messages flow ends in the same table as one that never was.

Longer with KILLS=100 MESSAGES=10000; SEED chooses another course.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from messaging.dynamodb.bulk import BulkWriter
from messaging.dynamodb.client import patient
from messaging.dynamodb.schema import load_schema
from messaging.dynamodb.table import MessageTable
from messaging.stream.projection import project

from .book import check_conversations, check_entries, contents, items
from .flow import Flow
from .processes import Nursery, Process

pytestmark = pytest.mark.django_db(transaction=True)

KILLS = int(os.environ.get("KILLS", "5"))
MESSAGES = int(os.environ.get("MESSAGES", "300"))
SEED = int(os.environ.get("SEED", "2026"))
MOMENTS = 200
"""A worker lives for up to so many, unless it has nothing to do before."""
AHEAD = 2
"""How much may be written until a worker is killed, in kills."""
OWN = ("read_seq", "read_sk")
"""Of an entry, its member's."""

Tell = Callable[[str], None]


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Tell:
    """Say something on the terminal, whatever is captured."""

    def tell(sentence: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{sentence}\n")

    return tell


@pytest.fixture
def twin(table: MessageTable) -> Iterator[MessageTable]:
    """Create another table, for a worker that nobody kills."""
    twin = MessageTable(patient(table.client), f"{table.name}-twin")
    list(load_schema(twin, sleep=lambda _: None))
    yield twin
    twin.client.delete_table(TableName=twin.name)


def test_a_worker_killed_at_random_leaves_the_same_table(
    nursery: Nursery, table: MessageTable, twin: MessageTable, tell: Tell
) -> None:
    tell(f"{KILLS:,} kills while {MESSAGES:,} messages flow, SEED={SEED}")
    flow = Flow(MESSAGES, SEED)
    began = time.monotonic()
    flow.begin()
    workers = killed_while(flow, nursery, table)
    seconds = time.monotonic() - began
    book = flow.end()
    nursery.drain(table.name)

    found = contents(table)
    check_conversations(book, found)
    check_entries(book, found)
    assert project(table, table.conversations()) == 0
    assert entries(table) == entries_of_one_never_killed(nursery, table, twin)
    unread = sum(entry.unread for entry in found.entries.values())
    tell(
        f"{len(workers):,} workers killed in {seconds:.0f} s, when they had last been {dict(last_moments(workers))}; "
        f"{len(book.chapters)} conversations, {unread:,} unread in {len(found.entries)} entries; "
        f"{flow.tried_again} requests tried again"
    )


def killed_while(flow: Flow, nursery: Nursery, table: MessageTable) -> list[Process]:
    """Kill workers in turn, spread over the flow; returns them."""
    chosen = random.Random(SEED)
    killed: list[Process] = []
    worker = nursery.bear("worker", table=table.name)
    for number in range(KILLS):
        sent = (number + chosen.random()) * MESSAGES / KILLS
        flow.allow(sent + AHEAD * MESSAGES / KILLS)
        moments = chosen.randint(1, MOMENTS)
        while flow.sent < sent or not (len(worker.moments()) >= moments or worker.is_idle()):
            assert flow.goes_on or flow.sent >= sent, flow.errors
            time.sleep(0.02)
            if worker.has_given_up():
                worker = nursery.bear("worker", table=table.name)
        worker.kill()
        killed.append(worker)
        worker = nursery.bear("worker", table=table.name)
    flow.end()
    worker.kill()
    return killed


def entries(table: MessageTable) -> list[dict[str, Any]]:
    """Return the entries' items without their members' own attributes."""
    return [
        {name: value for name, value in item.items() if name not in OWN}
        for item in items(table)
        if item["pk"]["S"].startswith("GRP#")
    ]


def entries_of_one_never_killed(nursery: Nursery, table: MessageTable, twin: MessageTable) -> list[dict[str, Any]]:
    """Return the entries that an uninterrupted worker makes of the same conversations."""
    BulkWriter(twin).put(item for item in items(table) if item["pk"]["S"].startswith("MSG#"))
    nursery.drain(twin.name)
    return entries(twin)


def last_moments(workers: list[Process]) -> Counter[str]:
    return Counter(worker.moments()[-1] for worker in workers)
