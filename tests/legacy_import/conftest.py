"""Fixtures for the import: the predecessor with an empty table, and its users in a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from messaging.dynamodb.table import MessageTable

from .imported import ANDREW, BAYKO, LONDO
from .legacy_items import OldSystem


@pytest.fixture
def old(table: MessageTable) -> Iterator[OldSystem]:
    """Yield the predecessor, with an empty table beside this one's."""
    system = OldSystem(table, f"old-messages-{uuid4().hex[:8]}")
    system.create()
    yield system
    system.drop()


@pytest.fixture
def users(tmp_path: Path) -> str:
    """Return the path of the predecessor's users table as a file."""
    path = tmp_path / "users.json"
    path.write_text(json.dumps([user.row for user in (ANDREW, BAYKO, LONDO)]))
    return str(path)
