"""An import from the old system, killed after each of its writes, and run again until it is done."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from pathlib import Path
from uuid import uuid4

import pytest

from messaging.domain.entities import pair_group_uuid
from messaging.dynamodb.table import MessageTable
from tests.legacy_import.legacy_items import OldSystem, OldUser, in_utc, without_zone
from tests.messaging.command_runs import run
from tests.messaging.talk import entry_of, start
from users.models import User

from .processes import Nursery

pytestmark = pytest.mark.django_db(transaction=True)

ANDREW, BAYKO, LONDO = (OldUser(handle, handle, f"{handle}@cruddur.example") for handle in ("andrew", "bayko", "londo"))
THEN = datetime(2023, 3, 1, tzinfo=UTC)
AT_MOST = 50
"""Runs, far more than it takes."""
MOVES = ("after INSERT",)
DIE_AT = (0, 0, 1, 2)
"""Of these: the first is stored; the second is of a transaction that goes with it, and so is the third."""
WRITES = ("after BatchWriteItem", "after PutItem", "after TransactWriteItems", "after UpdateItem")


@pytest.fixture
def old(table: MessageTable) -> Iterator[OldSystem]:
    system = OldSystem(table, f"old-messages-{uuid4().hex[:8]}")
    system.create()
    yield system
    system.drop()


def test_killed_import_is_completed_by_next_run_without_loss_or_duplicates(
    nursery: Nursery, table: MessageTable, old: OldSystem, tmp_path: Path
) -> None:
    rows = tmp_path / "users.json"
    rows.write_text(json.dumps([user.row for user in (ANDREW, BAYKO, LONDO)]))
    # Two groups become one, one is new, and into one there is written here already.
    for number in range(2):
        group = old.starts(ANDREW, BAYKO, f"Hello {number}", in_utc(THEN + timedelta(seconds=number)))
        old.says(BAYKO, group, f"Yes {number}", without_zone(THEN + timedelta(seconds=10 + number)))
    group = old.starts(LONDO, ANDREW, "Old", in_utc(THEN))
    old.says(ANDREW, group, "Old, too", in_utc(THEN + timedelta(seconds=1)))
    for each in (ANDREW, LONDO):
        User.objects.create_user(uuid=each.uuid, handle=each.handle, display_name=each.handle)
    start(by=ANDREW.uuid, to=LONDO.uuid, text="New")
    how = ("--users", str(rows), "--threads", "1")

    def killed(die_at: int, of: tuple[str, ...]) -> str:
        """Return when a run died, or "" when it finished."""
        importer = nursery.bear("importer", table=table.name, die_at=die_at, of=of, arguments=(old.name, *how))
        return importer.moments()[-1] if importer.was_killed() else ""

    moves = [killed(die_at, MOVES) for die_at in DIE_AT]
    # Each run finds the writes of those before and dies after its own first one.
    writes = list(takewhile(bool, (killed(0, WRITES) for _ in range(AT_MOST))))

    movedin, user = "after INSERT users_movedin", "after INSERT users_user"
    assert moves == [movedin, user, movedin, movedin]
    assert set(writes) == set(WRITES)
    assert User.objects.count() == 3
    for one, other, wanted in (
        (ANDREW, BAYKO, ["Hello 0", "Hello 1", "Yes 0", "Yes 1"]),
        (ANDREW, LONDO, ["Old", "Old, too", "New"]),
    ):
        found = table.messages_after(pair_group_uuid(one.uuid, other.uuid), "", limit=100)
        assert [(message.seq, message.message) for message in found] == list(enumerate(wanted, start=1))
    assert entry_of(table, LONDO.uuid, pair_group_uuid(ANDREW.uuid, LONDO.uuid)).unread == 1
    assert "all is well" in run("ddb_reconcile", "--dry-run")[0]
