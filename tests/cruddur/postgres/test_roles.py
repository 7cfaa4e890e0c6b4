"""Two roles in Postgres: what the application's may do in a database that the migration role has made."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection as tests_connection
from psycopg import errors
from psycopg.sql import SQL, Identifier

ROOT = Path(__file__).parents[3]
RESTRICTED = ("moderation_auditentry", "moderation_decision", "moderation_report")


@dataclass
class TwoRoles:
    """A separate database, its owner (not a superuser) and the role that the application signs in with."""

    name: str
    owner: str
    application: str
    server: str

    def url(self, role: str) -> str:
        return f"postgres://{role}:{role}-secret@{self.server}/{self.name}"

    def environment(self, **changes: str | None) -> dict[str, str]:
        values = {
            **os.environ,
            "DATABASE_URL": self.url(self.application),
            "MIGRATION_DATABASE_URL": self.url(self.owner),
            **changes,
        }
        return {name: value for name, value in values.items() if value is not None}

    def manage(self, *arguments: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env=self.environment(**changes), capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    def connect(self, role: str) -> psycopg.Connection[Any]:
        return psycopg.connect(self.url(role), autocommit=True)


@pytest.fixture(scope="module")
def roles() -> Iterator[TwoRoles]:
    """Create both roles as an operator does: `db_create`, `migrate`."""
    values = tests_connection.settings_dict
    server = "{HOST}:{PORT}".format(**values)
    some = uuid.uuid4().hex[:12]
    two = TwoRoles(f"cruddur_test_{some}", f"owner_{some}", f"app_{some}", server)
    with psycopg.connect(
        "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/postgres".format(**values), autocommit=True
    ) as superuser:
        superuser.execute(
            SQL("CREATE ROLE {} LOGIN CREATEDB CREATEROLE PASSWORD {}").format(
                Identifier(two.owner), f"{two.owner}-secret"
            )
        )
        try:
            for command in ("db_create", "migrate"):
                done = two.manage(command)
                assert done.returncode == 0, done.stdout + done.stderr
            yield two
        finally:
            superuser.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(two.name)))
            for role in (two.application, two.owner):
                superuser.execute(SQL("DROP ROLE IF EXISTS {}").format(Identifier(role)))


@pytest.fixture
def application(roles: TwoRoles) -> Iterator[psycopg.Connection[Any]]:
    with roles.connect(roles.application) as connection:
        yield connection


ENTRY = (
    "INSERT INTO moderation_auditentry (at, actor_handle, act, subject, reason, facts) "
    "VALUES (now(), 'mo', 'person.view', '', '', '{}')"
)


@pytest.mark.slow
@pytest.mark.parametrize("table", RESTRICTED)
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM {table}",
        "TRUNCATE {table}",
        "TRUNCATE {table} CASCADE",
        "ALTER TABLE {table} DISABLE TRIGGER ALL",
        "ALTER TABLE {table} DISABLE TRIGGER never_emptied",
        "DROP TRIGGER never_emptied ON {table}",
        "DROP TABLE {table} CASCADE",
        "ALTER TABLE {table} RENAME TO another",
        "ALTER TABLE {table} OWNER TO CURRENT_USER",
        "ALTER TABLE {table} ADD COLUMN more text",
        "CREATE TRIGGER mine BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION moderation_refuse()",
        "CREATE RULE mine AS ON INSERT TO {table} DO INSTEAD NOTHING",
        "UPDATE {table} SET id = id + 1",
    ],
)
def test_the_application_cannot_take_anything_back(
    application: psycopg.Connection[Any], table: str, statement: str
) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        application.execute(statement.format(table=table).encode())


@pytest.mark.slow
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE moderation_auditentry SET reason = 'another'",
        "UPDATE moderation_decision SET verdict = 'warn'",
        "UPDATE moderation_report SET snapshot = '[]'",
        "UPDATE moderation_report SET note = ''",
        "UPDATE django_migrations SET name = ''",
        "DELETE FROM django_migrations",
        "CREATE TABLE mine (a int)",
        "CREATE SCHEMA mine",
        "CREATE OR REPLACE FUNCTION moderation_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
        "DROP FUNCTION moderation_refuse() CASCADE",
        "SET session_replication_role = replica",
        "SET ROLE {owner}",
        "CREATE ROLE another",
        "ALTER ROLE {application} CREATEROLE",
        "GRANT {owner} TO {application}",
        "ALTER DATABASE {name} SET session_replication_role = replica",
        "DROP DATABASE {name}",
    ],
)
def test_the_application_cannot_give_itself_the_right(
    application: psycopg.Connection[Any], roles: TwoRoles, statement: str
) -> None:
    with pytest.raises((errors.InsufficientPrivilege, errors.ObjectInUse)):
        application.execute(
            statement.format(owner=roles.owner, application=roles.application, name=roles.name).encode()
        )


@pytest.mark.slow
def test_the_application_adds_to_the_log_and_reads_it(application: psycopg.Connection[Any]) -> None:
    before = application.execute("SELECT count(*) FROM moderation_auditentry").fetchone()
    application.execute(ENTRY.encode())

    after = application.execute("SELECT count(*) FROM moderation_auditentry").fetchone()
    assert before is not None
    assert after == (before[0] + 1,)


@pytest.mark.slow
def test_the_application_uses_every_other_table(application: psycopg.Connection[Any]) -> None:
    rows = application.execute(
        "SELECT relname, has_table_privilege(oid, 'SELECT'), has_table_privilege(oid, 'INSERT'), "
        "has_table_privilege(oid, 'UPDATE'), has_table_privilege(oid, 'DELETE') FROM pg_class "
        "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    ).fetchall()
    may = {name: rights for name, *rights in rows}

    assert {name for name, rights in may.items() if not all(rights)} == {*RESTRICTED, "django_migrations"}
    assert may["django_migrations"] == [True, False, False, False]
    assert len(may) > 10


@pytest.mark.slow
def test_a_table_of_a_later_migration_is_the_application_s_to_use(
    roles: TwoRoles, application: psycopg.Connection[Any]
) -> None:
    with roles.connect(roles.owner) as owner:
        owner.execute("CREATE TABLE later (id bigserial PRIMARY KEY, a int)")
    try:
        application.execute("INSERT INTO later (a) VALUES (1)")
        application.execute("UPDATE later SET a = 2")
        assert application.execute("DELETE FROM later RETURNING a").fetchone() == (2,)
    finally:
        with roles.connect(roles.owner) as owner:
            owner.execute("DROP TABLE later")


@pytest.mark.slow
def test_db_create_and_migrate_can_be_repeated(roles: TwoRoles, application: psycopg.Connection[Any]) -> None:
    for command in ("db_create", "migrate"):
        done = roles.manage(command)
        assert done.returncode == 0, done.stderr
    with pytest.raises(errors.InsufficientPrivilege):
        application.execute("DELETE FROM moderation_auditentry")
    with roles.connect(roles.application) as again:
        again.execute(ENTRY.encode())


@pytest.mark.slow
def test_migrate_revokes_excess_grants(roles: TwoRoles, application: psycopg.Connection[Any]) -> None:
    with roles.connect(roles.owner) as owner:
        owner.execute(
            SQL("GRANT ALL ON moderation_auditentry, moderation_report TO {}").format(Identifier(roles.application))
        )

    assert roles.manage("migrate").returncode == 0

    for statement in (b"DELETE FROM moderation_auditentry", b"DELETE FROM moderation_report"):
        with pytest.raises(errors.InsufficientPrivilege):
            application.execute(statement)


@pytest.mark.slow
def test_migrate_without_the_migration_role_changes_nothing(roles: TwoRoles) -> None:
    with roles.connect(roles.owner) as owner:
        owner.execute("DELETE FROM django_migrations WHERE app = 'moderation' AND name = '0003_notice_text'")
    try:
        done = roles.manage("migrate", MIGRATION_DATABASE_URL=None)
        assert done.returncode != 0
        assert "Traceback" not in done.stderr
    finally:
        assert roles.manage("migrate", "moderation", "--fake").returncode == 0


PRODUCTION = {
    "CRUDDUR_ENV": "production",
    "APP_URL": "https://cruddur.example",
    "SECRET_KEY": "".join(f"{number:x}é" for number in range(40)),
}


@pytest.mark.slow
def test_the_check_for_production_says_whether_the_application_owns_what_it_must_not(roles: TwoRoles) -> None:
    arguments = ("check", "--deploy", "--database", "default")

    apart = roles.manage(*arguments, **PRODUCTION)
    owner = roles.manage(*arguments, **PRODUCTION, DATABASE_URL=roles.url(roles.owner), MIGRATION_DATABASE_URL=None)

    assert "cruddur.E027" not in apart.stderr
    assert "cruddur.E027" in owner.stderr
    assert all(table in owner.stderr for table in RESTRICTED)
    assert owner.returncode != 0


@pytest.mark.slow
def test_two_urls_of_different_databases_are_refused(roles: TwoRoles) -> None:
    for command in (("db_create",), ("migrate",), ("db_drop", "nothing", "--yes")):
        done = roles.manage(*command, MIGRATION_DATABASE_URL=roles.url(roles.owner).replace(roles.name, "another"))
        assert done.returncode != 0
        assert "MIGRATION_DATABASE_URL names another database" in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_role_with_more_rights_is_no_role_for_the_application(roles: TwoRoles) -> None:
    values = tests_connection.settings_dict
    superuser = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/".format(**values) + roles.name

    done = roles.manage("db_create", DATABASE_URL=superuser)

    assert done.returncode != 0
    assert "may more than use tables" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "commands",
    [(("db_create",), ("migrate",)), (("setup", "--only", "database", "--only", "tables"),)],
    ids=["two commands", "setup"],
)
def test_a_database_of_one_role_gets_the_second_by_the_same_commands(
    roles: TwoRoles, commands: tuple[tuple[str, ...], ...]
) -> None:
    some = uuid.uuid4().hex[:12]
    old = TwoRoles(f"cruddur_test_{some}", roles.owner, f"app_{some}", roles.server)
    try:
        for command in ("db_create", "migrate"):
            done = old.manage(command, DATABASE_URL=old.url(old.owner), MIGRATION_DATABASE_URL=None)
            assert done.returncode == 0, done.stderr
        for each in commands:
            done = old.manage(*each)
            assert done.returncode == 0, done.stderr
        with old.connect(old.application) as application:
            application.execute(ENTRY.encode())
            with pytest.raises(errors.InsufficientPrivilege):
                application.execute("DELETE FROM moderation_auditentry")
        dropped = old.manage("db_drop", old.name, "--yes", "--json")
        assert json.loads(dropped.stdout)["database"] == old.name
    finally:
        with psycopg.connect(roles.url(roles.owner).replace(roles.name, "postgres"), autocommit=True) as owner:
            owner.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(old.name)))
            owner.execute(SQL("DROP ROLE IF EXISTS {}").format(Identifier(old.application)))
