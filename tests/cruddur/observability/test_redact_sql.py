"""What people wrote never shows in a statement, however it is quoted and wherever Postgres cut it off."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.db import connection
from psycopg import sql

from cruddur.observability.redact_sql import redact_literals

NAUGHTY = Path(__file__).parents[2] / "corpora" / "blns.json"


@pytest.mark.parametrize(
    ("statement", "shown"),
    [
        ("SELECT 1, 2.5e3 FROM users_user LIMIT 21", "SELECT 1, 2.5e3 FROM users_user LIMIT 21"),
        ("WHERE key = 'secret' AND n = 4", "WHERE key = '…' AND n = 4"),
        ("VALUES ('it''s secret', '', 'b')", "VALUES ('…', '…', '…')"),
        (r"VALUES ( E'it\'s \\', e'b\\\'secret')", "VALUES ( '…', '…')"),
        ("VALUES ($$it's$$, $a$ $b$ $$ ' $a$, $été$'$été$)", "VALUES ('…', '…', '…')"),
        ("WHERE a = $1 AND b = $2", "WHERE a = $1 AND b = $2"),
        ("SELECT a$$b, c$x$ FROM t", "SELECT a$$b, c$x$ FROM t"),
        ("""SELECT "it's", "a""'b" FROM "o'k" """, """SELECT "it's", "a""'b" FROM "o'k\""""),
        ("SELECT date'2026-11-21', note'x', U&'\\0441', N'x', x'1F'", "SELECT date'…', note'…', U&'…', N'…', x'…'"),
        ("SELECT 1 -- it's\n, 'x' -- key = 'secret'", "SELECT 1 , '…'"),
        ("SELECT 1 /* it's /* nested */ 'secret' */, 'x'", "SELECT 1 , '…'"),
        ("SELECT '--', '/*', 'x' /* a */", "SELECT '…', '…', '…'"),
        ("SELECT\n    a,\n\tb", "SELECT a, b"),
        ("", ""),
    ],
)
def test_redaction_hides_only_texts_and_comments(statement: str, shown: str) -> None:
    assert redact_literals(statement) == shown


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT a, 'sec",
        "SELECT a, 'it''sec",
        "SELECT a, E'it''sec",
        r"SELECT a, E'it\'sec",
        r"SELECT a, E'\\\'sec",
        "SELECT a, $$sec",
        "SELECT a, $t$sec $$ 'sec'",
        "SELECT a, /* sec",
        "SELECT a, -- sec",
        'SELECT a, "sec',
    ],
)
def test_redaction_hides_truncated_text(statement: str) -> None:
    assert redact_literals(statement) in ("SELECT a, …", "SELECT a, E…", "SELECT a,")


@pytest.mark.parametrize(
    "statement",
    [
        r"SELECT 'C:\', 'secret'",
        r"SELECT 'it\'s secret', 1",
        r"SELECT 'a\''secret', 'secret'",
        "SELECT E'a'\n'b\\'secret', 'secret'",
    ],
)
def test_redaction_hides_the_rest_after_ambiguous_quoting(statement: str) -> None:
    assert "secret" not in redact_literals(statement)


@pytest.mark.django_db
def test_redaction_hides_psycopg_quoted_text_wherever_it_is_truncated() -> None:
    connection.ensure_connection()
    for text in json.loads(NAUGHTY.read_text(encoding="utf-8")):
        quoted = sql.quote(f"{text}MARK{text}".replace("\x00", ""), connection.connection)
        statement = f"SELECT {quoted}, {quoted}"

        assert redact_literals(f"{statement} FROM t") == "SELECT '…', '…' FROM t"
        for end in range(0, len(statement), 7):
            assert "MARK" not in redact_literals(statement[:end])
