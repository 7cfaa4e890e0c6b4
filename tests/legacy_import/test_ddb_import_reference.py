"""ddb_import_reference: everything of the old system is here afterwards, and what it says about that."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.core.management import CommandError
from django.test import Client

from messaging.dynamodb.table import MessageTable
from tests.messaging.capacity import items
from tests.messaging.command_runs import run
from users.models import User

from .imported import (
    ANDREW,
    BAYKO,
    COMMAND,
    GHOST,
    LONDO,
    all_is_well,
    group_of,
    import_all,
    later,
    person,
    stored,
    summary,
    texts,
    walked,
)
from .legacy_items import OldSystem, in_utc, with_a_z, with_offset, without_zone

pytestmark = pytest.mark.django_db

FORMS = (in_utc, without_zone, with_offset, with_a_z)


def _outsider(old: OldSystem) -> bool:
    group = old.starts(ANDREW, BAYKO, "Hello", in_utc(later(0)))
    old.says(LONDO, group, "Intruding", in_utc(later(1)))
    return False


def _without_row(old: OldSystem) -> bool:
    old.starts(GHOST, BAYKO, "Boo", in_utc(later(0)))
    return False


def _unreadable_time(old: OldSystem) -> bool:
    old.says(ANDREW, old.starts(ANDREW, BAYKO, "Hello", in_utc(later(0))), "When?", "yesterday")
    return False


def _too_long(old: OldSystem) -> bool:
    old.starts(ANDREW, BAYKO, "x" * 2000, in_utc(later(0)))
    return False


def _no_text(old: OldSystem) -> bool:
    old.put(pk=f"MSG#{uuid4()}", sk=in_utc(later(1)), user_uuid=str(ANDREW.uuid))
    return True


def _strange_keys(old: OldSystem) -> bool:
    old.put(pk="CONFIG", sk="v1")
    return True


def _lost_message(old: OldSystem) -> bool:
    old.starts(ANDREW, BAYKO, "Lost", in_utc(later(0)), lost=("message",))
    return True


DEFECTS: dict[str, Callable[[OldSystem], bool]] = {
    "somebody else's message": _outsider,
    "nobody's row": _without_row,
    "an unreadable time": _unreadable_time,
    "a long message": _too_long,
    "a message without text": _no_text,
    "keys of nothing": _strange_keys,
    "a text only in a list": _lost_message,
}
"""Each puts one thing into the old table that is told; whether it is left out."""


# --- Everything at once -----------------------------------------------------------------------------------------------


def fill(old: OldSystem) -> dict[str, int]:
    """Fill a table with years of messages and all its defects; return the number of messages of each pair of users."""
    seeded = str(uuid4())
    for one, other in ((ANDREW, BAYKO), (BAYKO, ANDREW)):
        old.lists(one, other, seeded, "this is a filler message", without_zone(later(0)))
    for minute in range(45):
        by = (ANDREW, BAYKO)[minute % 2]
        old.says(by, seeded, f"Seeded {minute}", FORMS[minute % 4](later(60 * minute)))
    # Four posts to a handle make four groups, all of whose messages lie among the seeded ones.
    for number in range(4):
        group = old.starts(ANDREW, BAYKO, f"Hello {number}", in_utc(later(90 + 60 * number)))
        old.says(BAYKO, group, f"Yes {number}?", without_zone(later(100 + 60 * number)))
        old.moves(group, f"Yes {number}?", without_zone(later(100 + 60 * number)), index_lags=number == 1)
    # A process died between deleting an entry and putting it again: the entry is gone.
    group = old.starts(LONDO, ANDREW, "Do you hear me?", with_offset(later(5)))
    old.says(ANDREW, group, "I do.", in_utc(later(6)))
    old.moves(group, "I do.", in_utc(later(6)), crash=True)
    # Londo writes into a conversation of others.
    old.says(LONDO, seeded, "I am no member.", in_utc(later(61)))
    # Nobody has a row of the ghost, and all lines of this group are lost.
    group = old.starts(GHOST, BAYKO, "Boo", in_utc(later(7)), lost=("own", "other"))
    old.says(BAYKO, group, "Who is there?", in_utc(later(8)))
    return {"andrew-bayko": 45 + 8 + 1, "andrew-londo": 2, "bayko-ghost": 2}


def test_everything_arrives_and_every_message_is_reached_through_the_pages(
    old: OldSystem, table: MessageTable, users: str, client: Client
) -> None:
    expected = fill(old)
    before = old.items()

    told = summary(old, "--users", users)

    assert told["messages_written"] == told["messages_read"] == sum(expected.values())
    assert old.items() == before
    assert all_is_well()
    pairs = {"andrew-bayko": (ANDREW, BAYKO), "andrew-londo": (ANDREW, LONDO), "bayko-ghost": (BAYKO, GHOST)}
    for name, (one, other) in pairs.items():
        wanted = texts(table, one, other)
        assert len(wanted) == expected[name]
        for member in (one, other):
            client.force_login(person(member))
            assert walked(client, group_of(one, other)) == wanted
    of_old = {item["message"]["S"] for item in before if item["pk"]["S"].startswith("MSG#")}
    assert of_old == {text for one, other in pairs.values() for text in texts(table, one, other)}


def test_it_keeps_the_order_of_time_across_groups_and_ways_of_writing_times(
    old: OldSystem, table: MessageTable, users: str
) -> None:
    fill(old)

    import_all(old, "--users", users)

    found = stored(table, ANDREW, BAYKO)
    assert [message.seq for message in found] == list(range(1, 55))
    moments = [message.created for message in found]
    assert moments == sorted(set(moments))
    assert [message.message for message in found][:5] == [
        "Seeded 0",
        "Seeded 1",
        "I am no member.",
        "Hello 0",
        "Yes 0?",
    ]


def test_repeated_import_writes_nothing(old: OldSystem, table: MessageTable, users: str) -> None:
    fill(old)
    first = summary(old, "--users", users)
    before = items(table)

    again = summary(old, "--users", users)

    assert (again["messages_written"], again["messages_found"]) == (0, first["messages_written"])
    assert again["people_found"] == first["people_created"] + first["people_placeholder"] == 4
    assert items(table) == before
    assert User.objects.count() == 4


def test_dry_run_prints_the_same_and_writes_nothing(old: OldSystem, table: MessageTable, users: str) -> None:
    fill(old)
    rehearsed = summary(old, "--users", users, "--dry-run")

    assert items(table) == {}
    assert not User.objects.exists()
    assert {**summary(old, "--users", users), "dry_run": True} == rehearsed
    assert summary(old, "--users", users, "--dry-run")["messages_written"] == 0


# --- What it refuses --------------------------------------------------------------------------------------------------


def test_own_table_is_refused_under_any_name(old: OldSystem, table: MessageTable) -> None:
    with pytest.raises(CommandError, match="is the table that this system writes to") as caught:
        run(COMMAND, table.name)
    assert caught.value.returncode == 2

    old.put(pk=f"MSG#{uuid4()}", sk="#CONVERSATION")
    with pytest.raises(CommandError, match="holds conversations of this system, not of the old one"):
        run(COMMAND, old.name)
    assert items(table) == {}


def test_missing_table_is_refused(table: MessageTable) -> None:
    with pytest.raises(CommandError, match="There is no table elsewhere in this account and region"):
        run(COMMAND, "elsewhere")


def test_output_for_people_has_plain_rows(old: OldSystem, users: str) -> None:
    fill(old)

    out, err, failure, _ = import_all(old, "--users", users)

    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "58 messages written" in lines
    assert "5 groups merged into another one of the same two" not in lines
    assert "4 groups merged into another one of the same two" in lines
    sentence = "58 messages written, 0 were there, in 3 conversations of 7 groups."
    assert failure == f"{sentence} 1 thing was left out: see above."
    assert sum("it was left out" in line for line in lines) == 1
    assert err == ""
    assert import_all(old, "-v0")[:2] == ("", "")


# --- The exit code ----------------------------------------------------------------------------------------------------

SEEDED = 104


def seed_as_the_old_system_did(old: OldSystem) -> None:
    """Write what the old seed script wrote: two entries with their own texts, and 104 messages, one a minute."""
    group = str(uuid4())
    for one, other in ((ANDREW, BAYKO), (BAYKO, ANDREW)):
        old.lists(one, other, group, "this is a filler message", without_zone(later(0)))
    for minute in range(SEEDED):
        old.says((ANDREW, BAYKO)[minute % 2], group, f"Seeded {minute}", without_zone(later(60 * minute)))


def test_the_old_seed_arrives_and_the_exit_code_says_that_its_filler_did_not(
    old: OldSystem, table: MessageTable, users: str
) -> None:
    seed_as_the_old_system_did(old)

    for written, found in ((SEEDED, 0), (0, SEEDED)):
        out, _, failure, exit_code = import_all(old, "--users", users)

        assert exit_code == 1
        assert failure == (
            f"{written} messages written, {found} were there, in 1 conversations of 1 groups. "
            "1 thing was left out: see above."
        )
        assert out.count("it was left out") == 1
    assert len(stored(table, ANDREW, BAYKO)) == SEEDED


@pytest.mark.parametrize("defect", DEFECTS)
def test_the_exit_code_is_1_exactly_when_a_line_says_that_something_was_left_out(
    old: OldSystem, users: str, defect: str
) -> None:
    left_out = DEFECTS[defect](old)

    imported = import_all(old, "--users", users, "--json")

    found = imported.lines[:-1]
    assert found, "the defect is told"
    assert imported.exit_code == int(left_out) == int(any("left out" in each["what"] for each in found))
