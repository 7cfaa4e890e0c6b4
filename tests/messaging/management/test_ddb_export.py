"""ddb_export and ddb_restore: the table in a file and back, and what they refuse."""

from __future__ import annotations

import gzip
import json
import os
import stat
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from messaging.dynamodb import connection
from messaging.dynamodb.table import MessageTable
from messaging.operations.backup import BackupProblem, item_of, line_of, read_items, write_items
from tests.messaging.command_runs import run, run_json
from tests.messaging.talk import send, start

ROOT = Path(__file__).parents[3]
SETS = ("SS", "NS", "BS")
pytestmark = pytest.mark.django_db


def items(table: MessageTable) -> list[dict[str, Any]]:
    """Return all items of the table in a fixed order, with their sets sorted."""
    found = table.client.scan(TableName=table.name, ConsistentRead=True)["Items"]
    return sorted(map(in_order, found), key=lambda item: (item["pk"]["S"], item["sk"]["S"]))


def in_order(item: Any) -> dict[str, Any]:
    return {name: {letter: sorted(content) if letter in SETS else content} for name, value in item.items()
            for letter, content in value.items()}  # fmt: skip


def empty(table: MessageTable) -> None:
    for item in table.client.scan(TableName=table.name)["Items"]:
        table.client.delete_item(TableName=table.name, Key={"pk": item["pk"], "sk": item["sk"]})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "table.json.gz"


def refused(command: str, *arguments: object) -> str:
    with pytest.raises(CommandError) as refusal:
        call_command(command, *map(str, arguments), stdout=StringIO(), stderr=StringIO(), skip_checks=True)
    assert refusal.value.returncode == 1
    return str(refusal.value)


def test_restored_items_equal_exported_items(table: MessageTable, file: Path) -> None:
    start(text="Zażółć gęślą jaźń 🛰️")
    send()
    before = items(table)

    exported, _ = run("ddb_export", str(file))
    empty(table)
    restored, _ = run("ddb_restore", str(file))

    assert items(table) == before
    assert f"5 items written to {file}" in exported
    assert f"5 items written to {table.name}" in restored
    assert "ddb_reconcile" in restored


def test_the_file_is_for_its_owner_alone(moto_table: MessageTable, file: Path) -> None:
    start()

    run("ddb_export", str(file))

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]


def test_an_item_a_line_as_in_the_export_of_aws(moto_table: MessageTable, file: Path) -> None:
    start(text="Hello")

    run("ddb_export", str(file))

    lines = [json.loads(line)["Item"] for line in gzip.decompress(file.read_bytes()).splitlines()]
    (message,) = [item for item in lines if item["pk"]["S"].startswith("MSG#") and item["sk"]["S"] != "#CONVERSATION"]
    assert message["message"] == {"S": "Hello"}
    assert message["seq"] == {"N": "1"}


def test_programs_are_told_what_was_done(moto_table: MessageTable, file: Path) -> None:
    start()

    (exported,) = run_json("ddb_export", str(file))
    empty(moto_table)
    (restored,) = run_json("ddb_restore", str(file))

    assert exported["items"] == restored["items"] == 4
    assert exported["size_bytes"] == file.stat().st_size
    assert restored["files"] == [str(file)]


def test_quiet_means_silent(moto_table: MessageTable, file: Path) -> None:
    start()

    assert run("ddb_export", str(file), "-v0") == ("", "")
    empty(moto_table)
    assert run("ddb_restore", str(file), "-v0") == ("", "")


def test_existing_file_is_not_overwritten(moto_table: MessageTable, file: Path) -> None:
    file.write_text("precious")

    assert "is there already" in refused("ddb_export", file)
    assert file.read_text() == "precious"


def test_unwritable_path_is_reported(moto_table: MessageTable, tmp_path: Path) -> None:
    assert "No such file or directory" in refused("ddb_export", tmp_path / "nowhere" / "table.json.gz")


def test_without_a_table_both_say_what_to_do(moto_table: MessageTable, file: Path, settings: Any) -> None:
    start()
    run("ddb_export", str(file))
    settings.DDB_MESSAGE_TABLE = "nothing"
    connection.forget()

    assert "There is no table nothing" in refused("ddb_export", file.with_name("other"))
    assert "There is no table nothing" in refused("ddb_restore", file)


def test_a_table_with_something_in_it_is_left_alone(moto_table: MessageTable, file: Path) -> None:
    start()
    run("ddb_export", str(file))
    send(text="Newer than the file")
    before = items(moto_table)

    assert "is not empty" in refused("ddb_restore", file)
    assert items(moto_table) == before


def test_an_interrupted_restore_is_taken_up(moto_table: MessageTable, file: Path) -> None:
    start()
    send()
    before = items(moto_table)
    run("ddb_export", str(file))
    some = before[0]
    moto_table.client.delete_item(TableName=moto_table.name, Key={"pk": some["pk"], "sk": some["sk"]})

    run("ddb_restore", str(file), "--resume")

    assert items(moto_table) == before


def test_it_takes_files_or_a_table(moto_table: MessageTable, file: Path) -> None:
    for arguments in ([], [str(file), "--from-table", "other"]):
        with pytest.raises(CommandError) as refusal:
            run("ddb_restore", *arguments)
        assert refusal.value.returncode == 2


def test_a_table_cannot_be_restored_from_itself_or_from_one_that_is_not_there(moto_table: MessageTable) -> None:
    assert "is the table to be restored" in refused("ddb_restore", "--from-table", moto_table.name)
    assert "There is no table other" in refused("ddb_restore", "--from-table", "other")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"plain text", "is damaged or not whole"),
        (gzip.compress(b'{"Item": {"pk": {"S": "a"}, "sk": {"S": "b"}}}\n')[:-6], "is damaged or not whole"),
        (gzip.compress(b'{"Item": {"pk": {"S": "a"}}}\n'), "Line 1 of"),
        (gzip.compress(b'{"Item": {"pk": {"S": "a"}, "sk": {"S": "b"}}}\n[]\n'), "Line 2 of"),
        (gzip.compress(b'{"Item": {"pk": {"S": "a"}, "sk": {"S": "b"}, "x": {"B": "?"}}}\n'), "Line 1 of"),
    ],
    ids=["no gzip", "cut off", "an item without its whole key", "no item", "no base64"],
)
def test_a_file_that_is_none_is_refused_in_one_sentence(
    moto_table: MessageTable, file: Path, content: bytes, why: str
) -> None:
    file.write_bytes(content)

    assert why in refused("ddb_restore", file)


def test_a_truncated_file_writes_nothing_and_comes_before_a_missing_table(
    moto_table: MessageTable, tmp_path: Path, settings: Any
) -> None:
    line = b'{"Item": {"pk": {"S": "a"}, "sk": {"S": "%d"}}}\n'
    whole, cut = tmp_path / "whole.json.gz", tmp_path / "cut.json.gz"
    whole.write_bytes(gzip.compress(b"".join(line % number for number in range(200))))
    cut.write_bytes(whole.read_bytes()[:-8])

    for files in ([cut], [whole, cut], [whole, tmp_path / "missing"]):
        assert str(files[-1]) in refused("ddb_restore", *files)
    assert items(moto_table) == []

    settings.DDB_MESSAGE_TABLE = "nothing"
    connection.forget()
    assert str(cut) in refused("ddb_restore", cut)


def in_shell(table: MessageTable, line: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}", sys.executable], cwd=ROOT, capture_output=True, check=False,
        timeout=60, env={**os.environ, "DDB_MESSAGE_TABLE": table.name},
    )  # fmt: skip


@pytest.mark.slow
def test_a_dash_is_standard_output_and_input(table: MessageTable, tmp_path: Path) -> None:
    start(text="Zażółć")
    before = items(table)

    exported = in_shell(table, f"$0 manage.py ddb_export - > {tmp_path}/out")
    empty(table)
    restored = in_shell(table, f"$0 manage.py ddb_restore - < {tmp_path}/out")

    assert (exported.returncode, exported.stdout) == (0, b""), exported.stderr
    assert b"4 items written" in exported.stderr
    assert restored.returncode == 0, restored.stderr
    assert items(table) == before
    assert not (ROOT / "-").exists()


@pytest.mark.slow
def test_an_export_into_a_full_or_closed_output_is_told(table: MessageTable) -> None:
    start()

    full, gone = (in_shell(table, f"$0 manage.py ddb_export - {to}") for to in ("> /dev/full", "| true"))

    assert full.returncode == 1
    assert b"No space left on device" in full.stderr
    assert b"Traceback" not in full.stderr + gone.stderr
    assert gone.returncode in (0, 141)


@pytest.mark.slow
def test_a_truncated_standard_input_writes_nothing(table: MessageTable) -> None:
    answer = in_shell(table, "printf 'x' | $0 manage.py ddb_restore -")

    assert answer.returncode == 1
    assert b"is damaged or not whole" in answer.stderr
    assert items(table) == []


def test_a_file_that_is_missing_is_named(moto_table: MessageTable, file: Path) -> None:
    assert f"{file} cannot be read: No such file or directory." in refused("ddb_restore", file)


def test_an_export_that_ends_early_leaves_no_file(file: Path) -> None:
    def interrupted() -> Any:
        yield {"pk": {"S": "a"}, "sk": {"S": "b"}}
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_items(file, interrupted())

    assert list(file.parent.iterdir()) == []


def test_a_full_disk_is_told_in_one_sentence(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)

    with pytest.raises(BackupProblem, match="No space left on device"):
        write_items(file, [])
    assert list(file.parent.iterdir()) == []


def test_every_type_of_dynamodb_survives() -> None:
    item: Any = {
        "pk": {"S": "a"}, "sk": {"S": "b"}, "n": {"N": "1.50"}, "b": {"B": b"\x00\xff"}, "bs": {"BS": [b"\x01"]},
        "ss": {"SS": ["x"]}, "l": {"L": [{"B": b"\x03"}, {"NULL": True}]}, "m": {"M": {"q": {"BOOL": False}}},
    }  # fmt: skip

    assert item_of(line_of(item)) == item


def test_files_are_read_one_after_the_other(tmp_path: Path) -> None:
    for name in "ab":
        write_items(tmp_path / name, [{"pk": {"S": name}, "sk": {"S": "1"}}])

    assert [item["pk"]["S"] for item in read_items([tmp_path / "a", tmp_path / "b"])] == ["a", "b"]
