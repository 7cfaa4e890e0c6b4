"""ddb_seed: the seed, any number of invented conversations, and the tables it leaves alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from io import StringIO
from threading import Timer
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django.fixtures import Settings

from messaging.dynamodb import connection
from messaging.dynamodb.item_kinds import kind_of
from messaging.dynamodb.table import MessageTable
from messaging.management.commands.ddb_seed import in_words
from messaging.operations.seeding import seed_conversations
from messaging.stream.projection import project
from tests.conftest import Calls
from tests.messaging.command_runs import run, run_json
from tests.messaging.damage import everything, restore
from tests.messaging.faults import answer, fault
from tests.messaging.talk import start
from tests.messaging.unread_total import unread_total
from users.models import User

pytestmark = pytest.mark.django_db

COMMAND = "ddb_seed"


def kinds(table: MessageTable) -> Counter[str]:
    """Count items by kind."""
    return Counter(
        kind_of(item)
        for page in table.client.get_paginator("scan").paginate(TableName=table.name, ConsistentRead=True)
        for item in page["Items"]
    )


@pytest.fixture
def people(db: None) -> None:
    call_command("db_seed", verbosity=0)


# --- The seed ---------------------------------------------------------------------------------------------------------


def test_its_first_line_names_endpoint_table_and_database(table: MessageTable, people: None) -> None:
    first = run(COMMAND)[0].splitlines()[0]

    assert str(django_settings.DYNAMODB_ENDPOINT_URL) in first
    assert table.name in first
    assert str(django_settings.DATABASES["default"]["NAME"]) in first
    assert str(django_settings.DATABASES["default"]["PASSWORD"]) not in first


def test_it_asks_for_the_people_first(moto_table: MessageTable) -> None:
    with pytest.raises(CommandError, match=r"Nobody is called .*bayko.* run `manage.py db_seed` first") as caught:
        run(COMMAND)

    assert caught.value.returncode == 1


def test_seed_is_written(table: MessageTable, people: None) -> None:
    talks = seed_conversations()
    messages = sum(len(talk.messages) for talk in talks)

    assert f"{len(talks)} conversations with {messages} messages written, 0 were there." in run(COMMAND)[0]

    assert len(list(table.conversations())) == len(talks)
    andrew = User.objects.get(handle="andrewbrown")
    assert unread_total(user_uuid=andrew.uuid, now=timezone.now()).count > 0


@pytest.mark.parametrize("arguments", [[], ["--messages", "10"]])
def test_table_with_items_is_refused(moto_table: MessageTable, people: None, arguments: list[str]) -> None:
    start()

    with pytest.raises(CommandError, match=f"{moto_table.name} is not empty: nothing was written. --append") as caught:
        run(COMMAND, *arguments)

    assert caught.value.returncode == 1
    assert kinds(moto_table) == {"conversation": 1, "message": 1, "entry": 2}
    assert not User.objects.filter(handle__startswith="synthetic_").exists()


def test_appending_leaves_what_is_there_and_adds_what_is_missing(table: MessageTable, people: None) -> None:
    handles = User.objects.in_bulk(["andrewbrown", "bayko"], field_name="handle_skeleton")
    start(by=handles["andrewbrown"].uuid, to=handles["bayko"].uuid, text="Mine")

    assert "1 were there" in run(COMMAND, "--append")[0]
    assert "0 conversations with 0 messages written, 43 were there" in run(COMMAND, "--append")[0]
    assert [c.message for c in table.conversations() if c.seq == 1 and c.message == "Mine"] == ["Mine"]


def test_for_programs_it_says_what_was_written(table: MessageTable, people: None) -> None:
    (facts,) = run_json(COMMAND)

    assert facts == {"table": table.name, "conversations": 43, "messages": 493, "found": 0}


def test_verbose_it_names_each_conversation(table: MessageTable, people: None) -> None:
    assert "  andrewbrown and bayko: 143 messages" in run(COMMAND, "-v2")[0]
    assert "andrewbrown and bayko" not in run(COMMAND, "--append")[0]


@pytest.mark.parametrize("arguments", [[], ["--messages", "30"]])
def test_quiet_prints_nothing(table: MessageTable, people: None, arguments: list[str]) -> None:
    assert run(COMMAND, "-v0", *arguments) == ("", "")
    assert not table.is_empty()


def test_without_a_table_it_says_what_to_do(table: MessageTable, people: None, settings: Settings) -> None:
    settings.DDB_MESSAGE_TABLE = "no-such-table"
    connection.forget()

    with pytest.raises(CommandError, match="ddb_schema_load"):
        run(COMMAND)


# --- Invented conversations -------------------------------------------------------------------------------------------


def test_it_invents_people_and_conversations(table: MessageTable) -> None:
    (facts,) = run_json(COMMAND, "--users", "9", "--conversations", "12", "--messages", "150")

    assert kinds(table) == {"message": 150, "conversation": 12, "entry": 24}
    people = User.objects.filter(handle__startswith="synthetic_")
    assert people.count() == 9
    assert {uuid for c in table.conversations() for uuid in c.member_uuids} <= {person.uuid for person in people}
    assert project(table, table.conversations()) == 0
    assert (facts["people"], facts["conversations"], facts["messages"]) == (9, 12, 150)
    assert facts["first_person"] == "synthetic_1"
    assert facts["seconds"] > 0


def test_missing_numbers_are_derived(moto_table: MessageTable) -> None:
    out, _ = run(COMMAND, "--messages", "200")

    assert "  7 people, 10 conversations, 200 messages; --random-seed " in out
    assert "7 people from @synthetic_1 on, 10 conversations, 200 messages in" in out
    assert kinds(moto_table)["message"] == 200


def test_appended_conversations_are_between_new_people(table: MessageTable, people: None) -> None:
    run(COMMAND)
    run(COMMAND, "--messages", "40", "--append")
    before = {each.group_uuid: each for each in table.conversations()}

    run(COMMAND, "--messages", "60", "--append", "--random-seed", "7")
    run(COMMAND, "--messages", "60", "--append", "--random-seed", "7")
    run(COMMAND, "--messages", "60", "--append", "--random-seed", "8")

    after = {each.group_uuid: each for each in table.conversations()}
    assert len(after) == 43 + 2 + 3 + 3
    assert {group: after[group] for group in before} == before


def test_the_same_random_seed_gives_the_same_conversations(moto_table: MessageTable) -> None:
    found = []
    for _ in range(2):
        run(COMMAND, "--messages", "60", "--random-seed", "7")
        found.append({each.group_uuid: (each.seq, each.message) for each in moto_table.conversations()})
        restore(moto_table, {})
        User.objects.all().delete()

    assert found[0] == found[1]
    assert len(found[0]) == 3


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--users", "1"], "at least --users 2"),
        (["--users", "20", "--conversations", "191"], "20 people can have 190 conversations at most"),
        (["--conversations", "5", "--messages", "4"], "at least --messages 5"),
        (["--threads", "33"], "33 is more than 32"),
        (["--random-seed", "7"], "--random-seed is for invented conversations"),
    ],
)
def test_impossible_numbers_are_rejected(moto_table: MessageTable, arguments: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence) as caught:
        run(COMMAND, *arguments)

    assert caught.value.returncode == 2
    assert moto_table.is_empty()
    assert not User.objects.exists()


@pytest.mark.parametrize("number", ["0", "-1", "many", "1.5"])
def test_non_numeric_option_is_rejected(moto_table: MessageTable, number: str) -> None:
    with pytest.raises(CommandError, match=f"{number} is no number from 1 up"):
        run(COMMAND, f"--messages={number}")


def test_when_writing_fails_it_says_what_is_whole_and_how_to_go_on(
    table: MessageTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.management.commands.ddb_seed.patient", lambda client, **how: client)
    err = StringIO()

    with (
        fault(table, "BatchWriteItem", answer("AccessDeniedException")),
        pytest.raises(CommandError, match="lack the permission") as caught,
    ):
        call_command(COMMAND, "--messages", "40", "--threads", "1", stdout=StringIO(), stderr=err)

    assert caught.value.returncode == 1
    assert "0 of 2 conversations are whole; this completes the others: manage.py ddb_seed --append " in err.getvalue()
    assert "--conversations 2 --messages 40 --random-seed " in err.getvalue()


NUMBERS = ("--users", "6", "--conversations", "8", "--messages", "60", "--random-seed", "7", "--threads", "1")


def test_the_same_seed_completes_what_it_began_and_writes_nothing_twice(
    table: MessageTable, monkeypatch: pytest.MonkeyPatch, calls: Calls
) -> None:
    monkeypatch.setattr("messaging.management.commands.ddb_seed.patient", lambda client, **how: client)
    monkeypatch.setattr("messaging.operations.seeding.PARCEL", 15)
    with calls.counted(table.client) as made:
        run(COMMAND, *NUMBERS)
    writes = made.operations.count("BatchWriteItem")
    whole, people = everything(table), User.objects.count()
    assert (people, writes > 5) == (6, True)

    for number in range(writes):
        restore(table, {})
        going_on: list[Any] = [lambda: None] * number
        with fault(table, "BatchWriteItem", *going_on, answer("AccessDeniedException")), pytest.raises(CommandError):
            run(COMMAND, *NUMBERS)
        assert everything(table) != whole

        with calls.counted(table.client) as made:
            completed = run_json(COMMAND, *NUMBERS, "--append")[-1]

        assert everything(table) == whole, number
        # Messages, conversations, entries: the parcels that were written to their end are not written again.
        assert made.operations.count("BatchWriteItem") == writes - 3 * (number // 3)
        assert (completed["conversations"], completed["messages"]) == (8, 60)
    assert User.objects.count() == people

    with calls.counted(table.client) as made:
        again = run_json(COMMAND, *NUMBERS, "--append")[-1]
    assert (again["found"], made.operations.count("BatchWriteItem")) == (8, 0)


# --- Where it writes --------------------------------------------------------------------------------------------------


def test_away_from_this_machine_it_says_what_it_takes(moto_table: MessageTable) -> None:
    out, _ = run(COMMAND, "--users", "2", "--conversations", "1", "--messages", "200")

    # 200 messages of 1.05 units, and 3 + 4 units for the conversation; the indexes' 4 are not the table's.
    assert "Takes about 217 write units. At the 5 a second that the table has, that lasts 43 seconds." in out


def test_where_requests_are_paid_for_it_says_so(moto_table: MessageTable) -> None:
    moto_table.client.update_table(TableName=moto_table.name, BillingMode="PAY_PER_REQUEST")

    out, _ = run(COMMAND, "--messages", "20")

    assert "Takes about 28 write units, each of which is paid for." in out


def test_on_this_machine_units_cost_nothing(table: MessageTable) -> None:
    assert "Takes about" not in run(COMMAND, "--messages", "20")[0]


@pytest.mark.parametrize("arguments", [[], ["--messages", "20"]])
def test_in_production_the_table_has_to_be_named(
    table: MessageTable, people: None, settings: Settings, arguments: list[str]
) -> None:
    settings.PRODUCTION = True

    with pytest.raises(CommandError, match=f"This is production.*nothing was written.*--confirm {table.name}"):
        run(COMMAND, *arguments)
    with pytest.raises(CommandError, match=f"--confirm another is not {table.name}"):
        run(COMMAND, *arguments, "--confirm", "another")
    assert table.is_empty()

    run(COMMAND, *arguments, "--confirm", table.name)
    assert not table.is_empty()


@pytest.mark.parametrize(
    ("seconds", "words"), [(43, "43 seconds"), (200, "3.3 minutes"), (12_600, "3.5 hours"), (1_000_000, "11.6 days")]
)
def test_it_says_how_long_in_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


# --- Ctrl-C -----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_stopped_it_says_what_is_whole_and_how_to_go_on(table: MessageTable) -> None:
    url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**django_settings.DATABASES["default"])
    process = subprocess.Popen(
        [sys.executable, "manage.py", COMMAND, "--users", "50", "--conversations", "500", "--messages", "500000"],
        env={**os.environ, "DDB_MESSAGE_TABLE": table.name, "DATABASE_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    watchdog = Timer(60, process.kill)
    watchdog.start()
    try:
        while table.is_empty():
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
    finally:
        watchdog.cancel()
        process.kill()
        process.communicate()

    assert process.returncode == 130
    assert "Traceback" not in errors
    advice = "manage.py ddb_seed --append --users 50 --conversations 500 --messages 500000 --random-seed "
    assert errors.count("manage.py") == errors.count(f"Stopped. What is written stays, and this completes it: {advice}")
    assert errors.count("Stopped.") == 1
    assert kinds(table).keys() == {"message"}
    assert User.objects.count() == 50
