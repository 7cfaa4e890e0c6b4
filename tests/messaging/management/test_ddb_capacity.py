"""ddb_capacity: what it says, to people and to programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.management import CommandError

from messaging.operations.capacity import patterns
from tests.messaging.command_runs import run, run_json

COMMAND = "ddb_capacity"


def rows(*arguments: str) -> list[str]:
    return [" ".join(line.split()) for line in run(COMMAND, *arguments)[0].splitlines()]


def test_it_says_units_settings_processes_and_costs_without_asking_anything() -> None:
    found = rows("--people", "1000")

    assert found[0] == "A calculation: nothing is asked of AWS, of the table or of the database."
    assert "sending 78 0 0 20 0" in found
    assert "inbox-index, writes 1.17 5.86 2 to 9" in found
    assert any(line.startswith("Processes: 1 for the web, ") and "a worker, and a second" in line for line in found)
    assert any(line.startswith("Stored after 12 months: 3.03 GB; 4 partitions") for line in found)
    assert "table: writes 4.67" in found
    assert found[-1].endswith("Prices of us-east-1 as of 2025-05-01: look them up.")


def test_programs_get_everything_as_one_object() -> None:
    (found,) = run_json(COMMAND, "--people", "1", "--messages", "1", "--starts", "0")

    assert found["habits"]["people"] == 1
    assert found["units_a_day"]["sending"]["table_writes"] == patterns.SEND.writes
    a_second = found["units_a_second"]
    assert a_second["peak"]["table_writes"] == pytest.approx(5 * a_second["average"]["table_writes"])
    assert found["provision"]["table"]["write_units"] == [1, 1]
    assert found["processes"]["web"] == 1
    assert found["costs_a_month"]["together"] > 0
    assert found["prices"]["as_of"] == "2025-05-01"


def test_a_million_people_take_the_function_and_valkey() -> None:
    line = next(line for line in rows("--people", "1000000") if line.startswith("Processes: "))

    assert "the Lambda function, 12 at once at least" in line
    assert line.endswith("Valkey as the bus.")


def test_prices_of_one_s_own_are_named(tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    path.write_text(json.dumps({"as_of": "2027-01-01", "region": "eu-central-1", "currency": "EUR"}))

    found = rows("--prices", str(path))

    assert "part EUR a month" in found
    assert found[-1].endswith("Prices of eu-central-1 as of 2027-01-01: look them up.")


@pytest.mark.parametrize(
    ("option", "value", "why"),
    [
        ("--people", "0", "0 is no number from 1 to 1,000,000,000"),
        ("--starts", "2", "2 is no number from 0 to 1"),
        ("--peak", "0.5", "0.5 is no number from 1 up"),
        ("--minutes", "many", "many is no number from 0 to 1,440"),
        ("--months", "nan", "nan is no number from 0 up"),
        ("--conversations", "inf", "inf is no number from 0 up"),
    ],
)
def test_impossible_habit_is_rejected(option: str, value: str, why: str) -> None:
    with pytest.raises(CommandError) as caught:
        run(COMMAND, option, value)
    assert why in str(caught.value)


def test_a_file_of_prices_that_is_not_there_is_a_sentence() -> None:
    with pytest.raises(CommandError, match=r"none\.json cannot be read"):
        run(COMMAND, "--prices", "none.json")


def test_quiet_leaves_the_plan() -> None:
    assert run_json(COMMAND, "-v0")
    assert "sending" in run(COMMAND, "-v0")[0]
