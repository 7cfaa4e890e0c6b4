"""Database sessions as `db_sessions` and `db_drop` show them to people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from cruddur.cli.terminal import Column

from .connections import Session

HIDDEN = "(hidden from this role)"
STATEMENT_CHARS = 160
"""Of a statement on a terminal: enough to know it by."""
NARROW = 120
"""Columns of a terminal below which the statements get a table of their own."""
UNITS = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))

PID = Column("pid", show=str, right=True, whole=True)
DATABASE = Column("database")
WHO = (
    Column("program", whole=True),
    Column("who"),
    Column("connected", "connected for", whole=True),
    Column("state"),
)
WAITS_FOR = Column("waits_for", show=lambda pids: ", ".join(map(str, pids)))
STATEMENT = Column("statement", "statement, or the last one")

Rows = Sequence[Mapping[str, Any]]


def tables(
    found: Sequence[Session], *, now: datetime, width: int, cut: bool
) -> Iterator[tuple[Sequence[Column], Rows]]:
    """Return columns and rows: one table, or two on a narrow terminal; statements are shortened to be `cut`.

    The database shows where there are several, and which waits for which if any does.
    """
    rows = [row_of(each, now, cut=cut) for each in found]
    columns = [PID, *WHO]
    if len({each.database for each in found}) > 1:
        columns.insert(1, DATABASE)
    if any(each.waits_for for each in found):
        columns.append(WAITS_FOR)
    if width < NARROW:
        yield columns, rows
        yield [PID, STATEMENT], rows
    else:
        yield [*columns, STATEMENT], rows


def row_of(session: Session, now: datetime, *, cut: bool) -> Mapping[str, Any]:
    statement = HIDDEN if session.query is None else session.query
    return {
        "pid": session.pid,
        "database": session.database,
        "program": session.program or "(no name)",
        "who": f"{session.role} from {session.address}" if session.address else session.role,
        "connected": lasting(session.connected_at, now),
        "state": f"{session.state} for {lasting(session.state_since, now)}" if session.state else "",
        "waits_for": session.waits_for,
        "statement": f"{statement[:STATEMENT_CHARS]}…" if cut and len(statement) > STATEMENT_CHARS else statement,
    }


def lasting(since: datetime | None, now: datetime) -> str:
    """Return how long that is, in the largest unit that fits; nothing for None."""
    if since is None:
        return ""
    seconds = max(0, round((now - since).total_seconds()))
    name, unit = next(((name, unit) for name, unit in UNITS if seconds >= unit), UNITS[-1])
    return f"{seconds // unit} {name}"
