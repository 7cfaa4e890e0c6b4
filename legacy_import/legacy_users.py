"""Read the users table of the old system from its database or a file; never write to it.

Columns: uuid, display_name, handle, email, cognito_user_id (`MOCK` until synced), bio (in later versions), created_at
(UTC, without a time zone).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from cruddur.problem import Problem
from users.models import MOCK

POSTGRES = ("postgres://", "postgresql://")
QUERY = "SELECT * FROM users"
ROWS_AT_A_TIME = 1000
SECONDS_TO_CONNECT = 10


class UnreadableUsers(Problem):
    """The old users table cannot be read at all."""


@dataclass(frozen=True, slots=True)
class LegacyUser:
    """A user of the old system, from their row or, without one, from their messages."""

    uuid: UUID
    handle: str
    display_name: str
    email: str = ""
    cognito_user_id: str = MOCK
    bio: str = ""
    created_at: datetime | None = None
    placeholder: bool = False
    """Whether the user has no row. Handle and name then come from the conversations and may be empty."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is not a valid user."""

    number: int
    """The row's number, from 1."""
    why: str


def read_legacy_users(source: str) -> Iterator[LegacyUser | BadRow]:
    """Yield the rows of the old users table one by one.

    `source` is the URL of a Postgres database, or a file: `.json` (an array of objects, or one per line), else CSV with
    a header line. Raises UnreadableUsers, whose text omits the URL because it may contain a password.
    """
    rows = _of_database(source) if source.startswith(POSTGRES) else _of_file(Path(source))
    for number, row in enumerate(rows, start=1):
        yield _person(number, row)


def _of_database(url: str) -> Iterator[Mapping[str, Any]]:
    try:
        with psycopg.connect(url, connect_timeout=SECONDS_TO_CONNECT) as connection:
            connection.read_only = True
            with connection.cursor(name="old_people", row_factory=dict_row) as cursor:
                cursor.itersize = ROWS_AT_A_TIME
                cursor.execute(QUERY)
                yield from cursor
    except psycopg.Error as error:
        why = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UnreadableUsers(f"The old users table cannot be read: {why}.") from error


def _of_file(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        if path.suffix in (".json", ".jsonl"):
            yield from _of_json(path.read_text(encoding="utf-8-sig"))
            return
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from csv.DictReader(file)
    except OSError as error:
        raise UnreadableUsers(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, csv.Error) as error:
        raise UnreadableUsers(f"{path} is neither JSON nor CSV in UTF-8.") from error


def _of_json(text: str) -> list[Mapping[str, Any]]:
    """Parse the rows of a JSON file. Raises ValueError."""
    try:
        found = json.loads(text)
    except ValueError:
        found = [json.loads(line) for line in text.splitlines() if line.strip()]
    rows = found if isinstance(found, list) else [found]
    return [row if isinstance(row, Mapping) else {} for row in rows]


def _person(number: int, row: Mapping[str, Any]) -> LegacyUser | BadRow:
    try:
        uuid = UUID(_text(row, "uuid"))
    except ValueError:
        return BadRow(number, "its uuid is none")
    return LegacyUser(
        uuid=uuid,
        handle=_text(row, "handle"),
        display_name=_text(row, "display_name"),
        email=_text(row, "email"),
        cognito_user_id=_text(row, "cognito_user_id") or MOCK,
        bio=_text(row, "bio"),
        created_at=_moment(row.get("created_at")),
    )


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    # Postgres cannot store this character.
    return "" if value is None else str(value).replace("\x00", "").strip()


def _moment(value: Any) -> datetime | None:
    if isinstance(value, str):
        moment = None
        with suppress(ValueError):
            moment = datetime.fromisoformat(value.strip())
        value = moment
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)
