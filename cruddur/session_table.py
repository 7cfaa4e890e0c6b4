"""Database sessions as `db_sessions` and `db_drop` show them to people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from .database_sessions import Session
from .terminal import Column

HIDDEN = "(hidden from this role)"
STATEMENT_CHARS = 160
"""Of a statement on a terminal: enough to know it by."""
UNITS = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))

COLUMNS = (
    Column("pid", show=str, right=True),
    Column("database"),
    Column("program"),
    Column("who"),
    Column("connected", "connected for"),
    Column("state"),
    Column("waits_for", show=lambda pids: ", ".join(map(str, pids))),
    Column("statement", "statement, or the last one"),
)


def columns(found: Sequence[Session]) -> Sequence[Column]:
    """Those that tell something: the database where there are several, the others if anyone waits for any."""
    needed = {
        "database": len({each.database for each in found}) > 1,
        "waits_for": any(each.waits_for for each in found),
    }
    return [column for column in COLUMNS if needed.get(column.key, True)]


def rows(found: Sequence[Session], *, now: datetime, whole: bool) -> Iterator[Mapping[str, Any]]:
    """A row a session; statements are cut unless `whole`."""
    for each in found:
        statement = HIDDEN if each.query is None else each.query
        cut = not whole and len(statement) > STATEMENT_CHARS
        yield {
            "pid": each.pid,
            "database": each.database,
            "program": each.program or "(no name)",
            "who": f"{each.role} from {each.address}" if each.address else each.role,
            "connected": lasting(each.connected_at, now),
            "state": f"{each.state} for {lasting(each.state_since, now)}" if each.state else "",
            "waits_for": each.waits_for,
            "statement": f"{statement[:STATEMENT_CHARS]}…" if cut else statement,
        }


def lasting(since: datetime | None, now: datetime) -> str:
    """How long that is, in the largest unit that fits; nothing for None."""
    if since is None:
        return ""
    seconds = max(0, round((now - since).total_seconds()))
    name, unit = next(((name, unit) for name, unit in UNITS if seconds >= unit), UNITS[-1])
    return f"{seconds // unit} {name}"
