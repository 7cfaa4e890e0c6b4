from pathlib import Path

import pytest

from tools.local_stack.aws import ROOT
from tools.local_stack.setup_stamp import SetupStamp, fingerprint


def test_it_changes_with_a_migration_and_with_the_databases(tmp_path: Path) -> None:
    migrations = tmp_path / "users" / "migrations"
    migrations.mkdir(parents=True)
    before = fingerprint(tmp_path, ["pool"])

    assert fingerprint(tmp_path, ["pool"]) == before
    assert fingerprint(tmp_path, ["another pool"]) != before
    (migrations / "0001_initial.py").write_text("")
    assert fingerprint(tmp_path, ["pool"]) != before


@pytest.mark.parametrize(
    "source",
    [
        "cruddur/postgres/roles.py",
        "messaging/dynamodb/table_definition.py",
        "messaging/operations/seeding.py",
        "messaging/seed/people.json",
        "users/cognito/linking.py",
        "users/people.py",
    ],
)
def test_it_changes_with_the_code_that_setup_runs(tmp_path: Path, source: str) -> None:
    assert (ROOT / source).exists(), f"{source} moved: name its new place here"
    before = fingerprint(tmp_path, [])
    copy = tmp_path / source
    copy.parent.mkdir(parents=True)

    copy.write_text("")

    assert fingerprint(tmp_path, []) != before


def test_it_matches_what_was_written_last(tmp_path: Path) -> None:
    stamp = SetupStamp(tmp_path / "setup-done")
    assert not stamp.matches("a")

    stamp.write("a")

    assert stamp.matches("a")
    assert not stamp.matches("b")
