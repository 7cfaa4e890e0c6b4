from pathlib import Path

from tools.local_stack.setup_stamp import SetupStamp, fingerprint


def test_it_changes_with_a_migration_and_with_the_databases(tmp_path: Path) -> None:
    migrations = tmp_path / "users" / "migrations"
    migrations.mkdir(parents=True)
    before = fingerprint(tmp_path, ["pool"])

    assert fingerprint(tmp_path, ["pool"]) == before
    assert fingerprint(tmp_path, ["another pool"]) != before
    (migrations / "0001_initial.py").write_text("")
    assert fingerprint(tmp_path, ["pool"]) != before


def test_it_matches_what_was_written_last(tmp_path: Path) -> None:
    stamp = SetupStamp(tmp_path / "setup-done")
    assert not stamp.matches("a")

    stamp.write("a")

    assert stamp.matches("a")
    assert not stamp.matches("b")
