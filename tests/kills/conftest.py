"""Real processes on the test database, ended before the database is emptied."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from messaging.dynamodb.table import MessageTable

from . import processes
from .processes import Nursery


@pytest.fixture(scope="session")
def one_nursery(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    with processes.nursery(tmp_path_factory.mktemp("processes")) as found:
        yield found


@pytest.fixture
def nursery(one_nursery: Nursery, transactional_db: None, table: MessageTable) -> Iterator[Nursery]:
    """Return the nursery that starts web servers and workers."""
    yield one_nursery
    one_nursery.end_all()
