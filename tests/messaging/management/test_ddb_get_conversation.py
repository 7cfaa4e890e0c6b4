"""ddb_get_conversation on the emulator: whose messages, of which time, in which order, at what cost."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import BytesIO, StringIO, TextIOWrapper
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from pytest_django import DjangoAssertNumQueries

from messaging.actions import edit_message
from messaging.domain.entities import Message
from messaging.dynamodb.keys import conversation_key
from messaging.dynamodb.table import MessageTable
from tests.conftest import Calls
from tests.messaging.command_runs import Terminal, run, run_json
from tests.messaging.talk import NOW, start, write_all
from users.models import User

pytestmark = pytest.mark.django_db

NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)
COMMAND = "ddb_get_conversation"
PAIR = ("andrewbrown", "bayko")


@pytest.fixture
def sent(table: MessageTable, andrew: User, bayko: User) -> list[Message]:
    """Create thirty messages six hours apart, number 15 at the stroke of New Year."""
    begin = NEW_YEAR - timedelta(hours=6 * 14)
    lines = [((andrew, bayko)[n % 2].uuid, f"Message {n + 1}", begin + timedelta(hours=6 * n)) for n in range(30)]
    return write_all(table, lines, members=(andrew.uuid, bayko.uuid))


def numbers(*arguments: str) -> list[int]:
    return [row["seq"] for row in run_json(COMMAND, *arguments) if row["kind"] == "message"]


def test_it_shows_the_newest_twenty_across_new_year_oldest_first(sent: list[Message]) -> None:
    rows = [row for row in run_json(COMMAND, *PAIR) if row["kind"] == "message"]

    assert [row["seq"] for row in rows] == list(range(11, 31))
    assert {row["created_at"][:4] for row in rows} == {"2026", "2027"}


@pytest.mark.parametrize("people", [PAIR, ("@Bayko", "@ANDREWBROWN"), None])
def test_a_group_is_named_by_its_uuid_or_its_two_people(sent: list[Message], people: tuple[str, str] | None) -> None:
    assert numbers(*(people or [str(sent[0].group_uuid)]), "--limit", "1") == [30]


def test_with_0_it_gives_every_message_whole(sent: list[Message]) -> None:
    _, *rows, summary = run_json(COMMAND, *PAIR, "--limit", "0")

    assert [(row["seq"], row["created_at"], row["message"]) for row in rows] == [
        (each.seq, each.created_at, each.message) for each in sent
    ]
    assert summary["older"] is None


def test_a_message_says_who_what_and_when(sent: list[Message], andrew: User, bayko: User) -> None:
    _, row, _ = run_json(COMMAND, *PAIR, "--limit", "1")

    assert row == {
        "kind": "message",
        "seq": 30,
        "created_at": sent[29].created_at,
        "user_uuid": str(bayko.uuid),
        "handle": "bayko",
        "name": "Bayko",
        "message": "Message 30",
        "message_uuid": str(sent[29].message_uuid),
        "edited_at": None,
        "deleted_at": None,
    }


def test_its_header_is_the_conversation(table: MessageTable, sent: list[Message], andrew: User, bayko: User) -> None:
    table.client.update_item(
        TableName=table.name,
        Key=conversation_key(sent[0].group_uuid),
        UpdateExpression="SET blocked_by = :who, awaiting = :whom",
        ExpressionAttributeValues={":who": {"BS": [bayko.uuid.bytes]}, ":whom": {"B": andrew.uuid.bytes}},
    )

    header = run_json(COMMAND, *PAIR)[0]
    out, _ = run(COMMAND, *PAIR)

    people = [{"uuid": str(each.uuid), "handle": each.handle, "name": each.display_name} for each in (andrew, bayko)]
    assert header == {
        "kind": "conversation",
        "group_uuid": str(sent[0].group_uuid),
        "members": sorted(people, key=lambda each: each["uuid"]),
        "messages": 30,
        "version": 30,
        "blocked_by": [str(bayko.uuid)],
        "awaiting": str(andrew.uuid),
        "last_message_at": sent[29].created_at,
        "last_message": "Message 30",
        "last_user_uuid": str(bayko.uuid),
    }
    assert f"Conversation {sent[0].group_uuid}\n" in out
    assert f"@andrewbrown  Andrew Brown  {andrew.uuid}\n" in out
    assert "  messages  30, version 30\n  blocked   by @bayko\n  awaiting  @andrewbrown\n" in out
    assert "  last      2027-01-04 18:00:00 UTC by @bayko\n" in out


TIMES = [
    ("--since 2027-01-01", range(15, 31)),
    ("--until 2026-12-31", range(1, 15)),
    ("--since 2026-12-31 --until 2027-01-01", range(11, 19)),
    ("--since 2026-12-31T12:00 --until 2027-01-01T00:00:00", range(13, 16)),
    ("--since 2026-12-31T12:00:00.000001 --until 2026-12-31T23:59:59.999999", range(14, 15)),
    ("--since 2027-01-01T01:00+01:00 --until 2027-01-01T01:00+01:00", range(15, 16)),
    ("--since 2028-01-01", range(0)),
    ("--until 2025-12-31", range(0)),
]
"""And the numbers of the messages in them."""


@pytest.mark.parametrize("limit", ["0", "20"])
def test_times_choose_messages_whatever_the_year(sent: list[Message], limit: str) -> None:
    for arguments, expected in TIMES:
        assert numbers(*PAIR, *arguments.split(), "--limit", limit) == list(expected), arguments


def test_of_a_time_it_shows_the_newest(sent: list[Message]) -> None:
    assert numbers(*PAIR, "--until", "2026-12-31", "--limit", "3") == [12, 13, 14]


@pytest.mark.parametrize("since", [(), ("--since", "2026-12-31")])
def test_the_cursor_goes_on_where_a_page_ended(sent: list[Message], since: tuple[str, ...]) -> None:
    seen: list[int] = []
    more: tuple[str, ...] = ()
    while True:
        _, *rows, summary = run_json(COMMAND, *PAIR, "--limit", "7", *since, *more)
        seen = [*(row["seq"] for row in rows), *seen]
        if summary["older"] is None:
            break
        assert len(rows) == 7
        more = ("--before", summary["older"])

    assert seen == list(range(11 if since else 1, 31))


def test_all_before_a_message_are_those_before_it(sent: list[Message]) -> None:
    assert numbers(*PAIR, "--before", sent[14].created_at, "--limit", "0") == list(range(1, 15))


def test_people_are_shown_the_cursor_only_when_there_is_more(sent: list[Message]) -> None:
    assert f"Older ones: --before {sent[0].created_at}" not in run(COMMAND, *PAIR, "--limit", "30")[0]
    assert f"Older ones: --before {sent[1].created_at}" in run(COMMAND, *PAIR, "--limit", "29")[0]


def test_in_a_pipe_a_message_is_one_line(table: MessageTable, andrew: User, bayko: User) -> None:
    start(by=andrew.uuid, to=bayko.uuid, text="One\nlong " + "line " * 100)

    out, _ = run(COMMAND, *PAIR, "-v0")

    heading, line = out.splitlines()
    assert heading == "seq  when (UTC)           who           text"
    assert line.startswith("  1  2026-11-21 09:05:00  @andrewbrown  One ⏎ long line line")
    assert len(line) > 500


@pytest.mark.parametrize("columns", [80, 140])
def test_on_a_terminal_long_texts_are_folded_and_whole(
    table: MessageTable, andrew: User, bayko: User, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    start(by=andrew.uuid, to=bayko.uuid, text="Two lines:\n" + "word " * 60 + "x" * 200)

    _, first, *rest = run(COMMAND, *PAIR, "-v0", out=Terminal())[0].splitlines()

    indent = len("  1  2026-11-21 09:05:00  @andrewbrown  ")
    assert first == "  1  2026-11-21 09:05:00  @andrewbrown  Two lines:"
    assert all(line.startswith(" " * indent) and len(line) <= columns for line in rest)
    folded = "".join(line[indent:] for line in rest)
    assert folded.count("word") == 60
    assert folded.count("x") == 200


def test_on_a_terminal_lines_are_lines_and_blank_ones_stay(
    table: MessageTable, andrew: User, bayko: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    start(by=andrew.uuid, to=bayko.uuid, text="One\n\nthree")

    _, *lines = run(COMMAND, *PAIR, "-v0", out=Terminal())[0].splitlines()

    assert [line[39:].strip() for line in lines] == ["One", "", "three"]


def test_output_has_no_control_characters(table: MessageTable, andrew: User, bayko: User) -> None:
    start(by=bayko.uuid, to=andrew.uuid, text="\x1b[2J\u202egone")
    User.objects.filter(pk=bayko.pk).update(display_name="Bay\x1b[31mko")

    for out in (run(COMMAND, *PAIR)[0], run(COMMAND, *PAIR, out=Terminal())[0]):
        assert out.count("\\x1b[2J\\u202egone") == 2
        assert "\x1b[2J" not in out
        assert "Bay\\x1b[31mko" in out


def test_edited_and_deleted_messages_are_marked(table: MessageTable, sent: list[Message]) -> None:
    edited, deleted = sent[28], sent[29]
    group = edited.group_uuid
    edit_message.edit(
        user_uuid=edited.user_uuid, group_uuid=group, created_at=edited.created_at, text="Better", now=edited.created
    )
    edit_message.delete(user_uuid=deleted.user_uuid, group_uuid=group, created_at=deleted.created_at, now=NOW)

    _, one, two, _ = run_json(COMMAND, *PAIR, "--limit", "2")
    lines = run(COMMAND, *PAIR, "--limit", "2", "-v0")[0].splitlines()

    assert (one["message"], one["edited_at"], one["deleted_at"]) == ("Better", edited.created_at, None)
    assert (two["message"], two["deleted_at"][:10]) == ("", "2026-11-21")
    assert lines[1].endswith("Better (edited)")
    assert lines[2].endswith("@bayko        (deleted)")
    assert "by @bayko\n            (deleted)\n" in run(COMMAND, *PAIR)[0]


def test_names_take_one_statement(sent: list[Message], django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        run(COMMAND, str(sent[0].group_uuid), "--limit", "0")
    with django_assert_num_queries(3):  # and one for each handle
        run(COMMAND, *PAIR)


def test_people_without_a_row_are_deleted_users(table: MessageTable) -> None:
    message = start(by=UUID(int=1), to=UUID(int=2), text="Nobody is left")

    header, row, _ = run_json(COMMAND, str(message.group_uuid))

    assert [member["name"] for member in header["members"]] == ["Deleted user"] * 2
    assert (row["handle"], row["name"], row["user_uuid"]) == (None, "Deleted user", str(UUID(int=1)))
    assert "Deleted user  Nobody is left" in run(COMMAND, str(message.group_uuid), "-v0")[0]


def test_consumed_capacity_is_shown_per_request_and_in_total(sent: list[Message]) -> None:
    out, _ = run(COMMAND, *PAIR)
    summary = run_json(COMMAND, *PAIR)[-1]

    get, query = (line.split() for line in out.splitlines() if line.startswith(("  GetItem", "  Query")))
    assert get[1:5] == ["1", "item", "1", "RCU"]
    assert query[1:3] == ["21", "items"]
    assert [request["operation"] for request in summary["requests"]] == ["GetItem", "Query"]
    assert all(request["milliseconds"] > 0 for request in summary["requests"])
    units = summary["consumed"]["read_units"]
    assert units == sum(request["read_units"] for request in summary["requests"])
    assert f"20 of 30 messages: 2 requests, {units:g} RCU, " in out.splitlines()[-1]


def test_every_read_is_consistent(table: MessageTable, sent: list[Message], calls: Calls) -> None:
    with calls.counted(table.client):
        run(COMMAND, *PAIR)

    assert calls.operations == ["GetItem", "Query"]
    assert all(parameters["ConsistentRead"] is True for _, parameters in calls.made)


def test_a_group_that_does_not_exist_is_a_sentence(table: MessageTable) -> None:
    group = uuid4()

    with pytest.raises(CommandError, match=f"There is no conversation {group}") as caught:
        run(COMMAND, str(group))
    assert caught.value.returncode == 1


def test_two_people_who_never_talked_are_a_sentence(table: MessageTable, andrew: User, bayko: User) -> None:
    with pytest.raises(CommandError, match="@bayko and @andrewbrown have no conversation") as caught:
        run(COMMAND, "Bayko", "AndrewBrown")
    assert caught.value.returncode == 1


def test_an_unknown_handle_is_a_sentence(andrew: User) -> None:
    with pytest.raises(CommandError, match=r"Nobody is called @nobody-here\.") as caught:
        run(COMMAND, "andrewbrown", "nobody-here")
    assert caught.value.returncode == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("andrewbrown",), "andrewbrown is no group's uuid"),
        (("andrewbrown", "@AndrewBrown"), "no conversation with themselves"),
        ((*PAIR, "--limit", "-1"), "--limit -1"),
        ((*PAIR, "--until", "2026"), "--until 2026 is neither .* write 2026-11-21"),
        ((*PAIR, "--since", "2027-01-01", "--until", "2026-12-31"), "later than"),
        ((*PAIR, "--before", "2026-12-31"), "--before 2026-12-31 is no created_at"),
    ],
)
def test_a_wrong_call_is_said_to_be_one(andrew: User, bayko: User, arguments: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence) as caught:
        run(COMMAND, *arguments)
    assert caught.value.returncode == 2


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-16"])
def test_json_is_ascii_where_standard_output_is_not_utf8(
    table: MessageTable, andrew: User, bayko: User, encoding: str
) -> None:
    start(by=andrew.uuid, to=bayko.uuid, text="Zażółć “gęślą” 🛰")
    written = BytesIO()
    out = TextIOWrapper(written, encoding=encoding, write_through=True)

    call_command(COMMAND, *PAIR, "--json", stdout=out, stderr=StringIO(), skip_checks=True)

    text = written.getvalue().decode(encoding)
    assert text.isascii()
    rows = map(json.loads, text.splitlines())
    assert [row["message"] for row in rows if row["kind"] == "message"] == ["Zażółć “gęślą” 🛰"]
