"""ddb_list_conversations on the emulator: whose conversations, in which order, at what cost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.core.management import CommandError
from pytest_django import DjangoAssertNumQueries

from messaging.actions import edit_message
from messaging.domain.entities import pair_group_uuid
from messaging.dynamodb import connection
from messaging.dynamodb.table import MessageTable
from messaging.management import consumption
from messaging.queries import conversations
from tests.messaging.command_runs import Terminal, run, run_json
from tests.messaging.talk import NOW, drain, send, start, write_all
from users.models import User

pytestmark = pytest.mark.django_db

NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)
COMMAND = "ddb_list_conversations"


def with_strangers(table: MessageTable, person: User, number: int) -> list[str]:
    """Create conversations with people without a row, a day apart across New Year.

    Return the groups, newest first.
    """
    groups = []
    for day in range(number):
        stranger = uuid4()
        when = NEW_YEAR + timedelta(days=number // 2 - day)
        write_all(table, [(stranger, f"Day {day}", when)], members=(stranger, person.uuid))
        groups.append(str(pair_group_uuid(stranger, person.uuid)))
    return groups


def test_it_shows_with_whom_what_when_and_how_much_is_unread(
    table: MessageTable, andrew: User, bayko: User, londo: User
) -> None:
    start(by=bayko.uuid, to=andrew.uuid, text="First")
    message = send(by=bayko.uuid, group=pair_group_uuid(andrew.uuid, bayko.uuid), text="Second")
    start(by=andrew.uuid, to=londo.uuid, text="Earlier", now=NOW - timedelta(days=1))
    drain(table)

    rows = run_json(COMMAND, "andrewbrown")

    newest, other, _ = rows
    assert newest == {
        "kind": "conversation",
        "group_uuid": str(message.group_uuid),
        "others": [{"uuid": str(bayko.uuid), "handle": "bayko", "name": "Bayko"}],
        "last_message_at": message.created_at,
        "last_message": "Second",
        "last_user_uuid": str(bayko.uuid),
        "messages": 2,
        "unread": 2,
    }
    assert (other["last_message"], other["unread"]) == ("Earlier", 0)


def test_in_a_pipe_each_is_one_line(table: MessageTable, andrew: User, bayko: User) -> None:
    message = start(by=bayko.uuid, to=andrew.uuid, text="One\nlong " + "line " * 30)

    out, _ = run(COMMAND, "andrewbrown", "-v0")

    heading, line = out.splitlines()
    assert heading.startswith("last message (UTC)   unread  handle  name   what was said")
    assert line.startswith("2026-11-21 09:05:00       1  bayko   Bayko  One ⏎ long line line")
    assert line.endswith(str(message.group_uuid))


@pytest.mark.parametrize("columns", ["80", "140"])
def test_on_a_terminal_the_uuid_is_whole_and_the_preview_is_cut(
    table: MessageTable, andrew: User, bayko: User, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    message = start(by=bayko.uuid, to=andrew.uuid, text="long line " * 20)

    out, _ = run(COMMAND, "andrewbrown", "-v0", out=Terminal())

    _, _, said, group = out.splitlines()
    assert " ".join(said.split()).startswith("2026-11-21 09:05:00 1 @bayko Bayko long line")
    assert said.endswith("…")
    assert int(columns) - 2 <= len(said) <= int(columns)
    assert group.split() == [str(message.group_uuid)]


def test_on_60_columns_a_conversation_is_a_block_and_nothing_is_cut(
    table: MessageTable, andrew: User, bayko: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    message = start(by=bayko.uuid, to=andrew.uuid, text="Are you there?")

    out, _ = run(COMMAND, "andrewbrown", "-v0", out=Terminal())

    assert out.splitlines()[:5] == [
        "last message (UTC)  2026-11-21 09:05:00",
        "unread              1",
        "with                @bayko  Bayko",
        "said last           Are you there?",
        f"group               {message.group_uuid}",
    ]


def test_new_year_parts_nothing(table: MessageTable, andrew: User) -> None:
    groups = with_strangers(table, andrew, 6)

    *rows, _ = run_json(COMMAND, "andrewbrown")

    assert [row["group_uuid"] for row in rows] == groups
    assert {row["last_message_at"][:4] for row in rows} == {"2026", "2027"}


def test_somebody_without_a_row_is_a_deleted_user(table: MessageTable, andrew: User) -> None:
    with_strangers(table, andrew, 1)

    row, _ = run_json(COMMAND, "andrewbrown")

    assert row["others"][0] | {"uuid": ""} == {"uuid": "", "handle": None, "name": "Deleted user"}
    assert "Deleted user" in run(COMMAND, "andrewbrown")[0]
    assert "Deleted user" in run(COMMAND, "andrewbrown", out=Terminal())[0]


@pytest.mark.parametrize("limit", ["7", "20"])
def test_the_cursor_goes_on_where_a_page_ended(table: MessageTable, andrew: User, limit: str) -> None:
    groups = with_strangers(table, andrew, 25)

    seen: list[str] = []
    more: tuple[str, ...] = ()
    while True:
        *rows, summary = run_json(COMMAND, "andrewbrown", "--limit", limit, *more)
        seen += [row["group_uuid"] for row in rows]
        if summary["older"] is None:
            break
        assert len(rows) == int(limit)
        more = ("--before", summary["older"])

    assert seen == groups


def test_people_are_shown_the_cursor_only_when_there_is_more(table: MessageTable, andrew: User) -> None:
    with_strangers(table, andrew, 3)

    assert "Older ones: --before 20" in run(COMMAND, "andrewbrown", "--limit", "2")[0]
    assert "--before" not in run(COMMAND, "andrewbrown", "--limit", "3")[0]


def test_without_a_limit_it_lists_twenty_and_with_0_all(table: MessageTable, andrew: User) -> None:
    groups = with_strangers(table, andrew, 25)

    assert len(run_json(COMMAND, "andrewbrown")) == 20 + 1
    *rows, summary = run_json(COMMAND, "andrewbrown", "--limit", "0")
    assert [row["group_uuid"] for row in rows] == groups
    assert summary["older"] is None


def test_names_take_one_statement_whatever_the_number(
    table: MessageTable, andrew: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with_strangers(table, andrew, 25)

    with django_assert_num_queries(2):  # the person, and everybody else
        run(COMMAND, "andrewbrown", "--limit", "0")


def test_consumed_capacity_is_shown_per_request_and_in_total(table: MessageTable, andrew: User) -> None:
    with_strangers(table, andrew, 25)

    out, _ = run(COMMAND, "andrewbrown", "--limit", "0")
    summary = run_json(COMMAND, "andrewbrown", "--limit", "0")[-1]

    lines = [line.split() for line in out.splitlines() if line.startswith("  Query")]
    units = [request["read_units"] for request in summary["requests"]]
    assert [line[1:3] for line in lines] == [["21", "items"], ["5", "items"]]
    assert [float(line[3]) for line in lines] == units
    assert all(request["milliseconds"] > 0 for request in summary["requests"])
    assert (summary["consumed"]["requests"], summary["consumed"]["read_units"]) == (2, sum(units))
    assert f"25 conversations of @andrewbrown: 2 requests, {sum(units):g} RCU, " in out.splitlines()[-1]


def test_many_requests_are_told_one_by_one_only_to_who_asks(
    table: MessageTable, andrew: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversations, "PAGE_SIZE", 1)
    monkeypatch.setattr(consumption, "SHOWN", 2)
    with_strangers(table, andrew, 5)

    out, _ = run(COMMAND, "andrewbrown", "--limit", "0")
    assert out.count("  Query ") == 2
    assert "and 3 more, which -v2 shows" in out
    assert run(COMMAND, "andrewbrown", "--limit", "0", "-v2")[0].count("  Query ") == 5


def test_a_handle_is_found_however_it_is_typed(table: MessageTable, andrew: User) -> None:
    assert "0 conversations of @andrewbrown" in run(COMMAND, " @AndrewBROWN")[0]


def test_an_unknown_handle_is_a_sentence_with_near_ones(andrew: User) -> None:
    with pytest.raises(CommandError, match=r"Nobody is called @anderwbrown\. Did you mean @andrewbrown\?") as caught:
        run(COMMAND, "anderwbrown")
    assert caught.value.returncode == 1


def test_somebody_who_may_not_sign_in_any_more_is_listed_too(table: MessageTable, andrew: User) -> None:
    with_strangers(table, andrew, 1)
    User.objects.filter(pk=andrew.pk).update(is_active=False)

    assert len(run_json(COMMAND, "andrewbrown")) == 2


@pytest.mark.parametrize(
    "arguments", [("--limit", "-1"), ("--before", "2026"), ("--before", "2026-11-21T09:05:00.000000+00:00_bayko")]
)
def test_a_wrong_call_is_said_to_be_one(andrew: User, arguments: tuple[str, str]) -> None:
    with pytest.raises(CommandError, match=arguments[0]) as caught:
        run(COMMAND, "andrewbrown", *arguments)
    assert caught.value.returncode == 2


def test_output_has_no_control_characters(table: MessageTable, andrew: User, bayko: User) -> None:
    start(by=bayko.uuid, to=andrew.uuid, text="\x1b[2J\u202egone")
    User.objects.filter(pk=bayko.pk).update(display_name="Bay\x1b[31mko")

    for out in (run(COMMAND, "andrewbrown")[0], run(COMMAND, "andrewbrown", out=Terminal())[0]):
        assert "\\x1b[2J\\u202egone" in out
        assert "\x1b[2J" not in out
        assert "Bay\\x1b[31mko" in out


def test_a_deleted_message_is_said_to_be(table: MessageTable, andrew: User, bayko: User) -> None:
    message = start(by=bayko.uuid, to=andrew.uuid, text="Regretted")
    edit_message.delete(
        user_uuid=bayko.uuid, group_uuid=message.group_uuid, created_at=message.created_at, now=message.created
    )
    drain(table)

    assert run_json(COMMAND, "andrewbrown")[0]["last_message"] == ""
    assert "Bayko  (deleted)" in run(COMMAND, "andrewbrown")[0]
    assert "  (deleted)\n" in run(COMMAND, "andrewbrown", out=Terminal())[0]


def test_a_missing_table_is_a_sentence(table: MessageTable, andrew: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "message_table", lambda: MessageTable(table.client, "no-such-table"))
    monkeypatch.setattr(conversations, "message_table", connection.message_table)

    with pytest.raises(CommandError, match="ddb_schema_load"):
        run(COMMAND, "andrewbrown")
