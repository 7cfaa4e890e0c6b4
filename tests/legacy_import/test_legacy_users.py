"""The users table of the old system, read from wherever it is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from django.conf import settings
from psycopg import sql

from legacy_import.legacy_users import BadRow, LegacyUser, UnreadableUsers, read_legacy_users
from users.models import MOCK

ROW = {
    "uuid": "0c37ddd7-6a41-4d0c-a8d9-0f5a6c2b7e11",
    "display_name": "Andrew Brown",
    "handle": "andrewbrown",
    "email": "andrew@cruddur.example",
    "cognito_user_id": "MOCK",
    "created_at": "2023-02-01 12:00:00.123456",
}
ANDREW = LegacyUser(
    uuid=UUID(ROW["uuid"]),
    handle="andrewbrown",
    display_name="Andrew Brown",
    email="andrew@cruddur.example",
    created_at=datetime(2023, 2, 1, 12, 0, 0, 123456, tzinfo=UTC),
)


@pytest.fixture
def old_database(django_db_setup: None) -> Iterator[str]:
    """Create a database with one row in a users table like the old one; yield its URL."""
    server = "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/".format(**settings.DATABASES["default"])
    name = f"old_{uuid4().hex[:8]}"
    with psycopg.connect(f"{server}postgres", autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    with psycopg.connect(f"{server}{name}") as connection:
        connection.execute(
            "CREATE TABLE users (uuid UUID PRIMARY KEY, display_name text NOT NULL, handle text NOT NULL, "
            "email text NOT NULL, cognito_user_id text NOT NULL, created_at timestamp NOT NULL)"
        )
        connection.execute("INSERT INTO users VALUES (%s, %s, %s, %s, %s, %s)", [*ROW.values()])
    yield f"{server}{name}"
    with psycopg.connect(f"{server}postgres", autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


def test_it_reads_the_table_of_a_database_that_has_no_bios(old_database: str) -> None:
    assert list(read_legacy_users(old_database)) == [ANDREW]


def test_a_database_that_does_not_answer_is_told_without_its_password() -> None:
    with pytest.raises(UnreadableUsers, match="The old users table cannot be read: ") as caught:
        list(read_legacy_users("postgresql://reader:secret@127.0.0.1:1/cruddur"))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("lines", [False, True], ids=["array", "lines"])
def test_json_is_read(tmp_path: Path, lines: bool) -> None:
    path = tmp_path / "users.json"
    path.write_text("\n".join(map(json.dumps, [ROW, ROW])) if lines else json.dumps([ROW, ROW]))

    assert list(read_legacy_users(str(path))) == [ANDREW, ANDREW]


def test_csv_with_headings_is_read(tmp_path: Path) -> None:
    path = tmp_path / "users.csv"
    path.write_text(f"\ufeff{','.join(ROW)}\r\n{','.join(ROW.values())}\r\n")

    assert list(read_legacy_users(str(path))) == [ANDREW]


def test_a_row_without_a_uuid_is_told_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "users.json"
    path.write_text(json.dumps([ROW, ROW | {"uuid": "me"}, "nonsense"]))

    assert list(read_legacy_users(str(path)))[1:] == [BadRow(2, "its uuid is none"), BadRow(3, "its uuid is none")]


def test_missing_columns_are_empty_and_unsynced_users_wait(tmp_path: Path) -> None:
    path = tmp_path / "users.json"
    path.write_text(json.dumps([{"uuid": ROW["uuid"], "handle": "andrewbrown", "bio": None, "created_at": "lately"}]))

    assert list(read_legacy_users(str(path))) == [LegacyUser(ANDREW.uuid, "andrewbrown", "", cognito_user_id=MOCK)]


@pytest.mark.parametrize(("name", "content"), [("none.csv", None), ("users.json", b"\xff{")])
def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path: Path, name: str, content: bytes | None) -> None:
    if content:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableUsers, match=name):
        list(read_legacy_users(str(tmp_path / name)))
