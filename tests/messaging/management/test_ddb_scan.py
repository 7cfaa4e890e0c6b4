"""ddb_scan: every item once, whatever it is, in however many segments; and the numbers it ends with."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings
from rich.cells import cell_len
from tenacity import stop_after_attempt

from messaging.domain.entities import Message
from messaging.dynamodb import connection, retry
from messaging.dynamodb.client import ServiceError, Throttled, Unavailable, patient
from messaging.dynamodb.codec import message_item
from messaging.dynamodb.item_kinds import KINDS, OTHER, kind_of
from messaging.dynamodb.scan import MAX_READERS, Scan, kinds_in, segments_for
from messaging.dynamodb.table import MessageTable
from messaging.operations.plain_items import line, plain_item
from tests.messaging.command_runs import Terminal, run, run_json
from tests.messaging.faults import answer, fault
from tests.messaging.talk import ANDREW, BAYKO, GROUP, LONDO, NOW, drain, send, start, write_all

COMMAND = "ddb_scan"
STRANGERS = [UUID(int=number) for number in range(100, 130)]

MESSAGE_ITEM = message_item(Message(GROUP, "2026-11-21T09:05:00.000000+00:00", 1, "Hello", ANDREW, BAYKO))

# What stands in a table besides the model's items: other systems', the old one's, and spoilt ones.
FOREIGN: list[dict[str, Any]] = [
    {"pk": {"S": "CONFIG"}, "sk": {"S": "v1"}},
    {"pk": {"S": "MSG#"}, "sk": {"S": "0"}},
    {"pk": {"S": f"MSG#{GROUP}"}, "sk": {"S": "#CONVERSATION"}, "seq": {"S": "7"}},
    {"pk": {"S": f"MSG#{GROUP}"}, "sk": {"S": "#SETTINGS"}, "seq": {"N": "7"}},
    {"pk": {"S": f"MSG#{GROUP}"}, "sk": {"S": "2022-04-04T10:00:00+00:00"}, "message": {"S": "old"},
     "message_uuid": {"S": "a"}, "user_uuid": {"S": "b"}, "user_handle": {"S": "andrewbrown"}},
    {"pk": {"S": f"MSG#{GROUP}"}, "sk": {"S": "zz"}, "seq": {"N": "1"}, "message_uuid": {"S": "a"},
     "user_uuid": {"S": "b"}},
    {"pk": {"S": f"GRP#{ANDREW}"}, "sk": {"S": "2022-04-04T10:00:00"}, "message_group_uuid": {"S": "x"}},
    {"pk": {"S": "X"}, "sk": {"S": "y"}, "list": {"L": [{"NULL": True}, {"BOOL": True}, {"M": {}}]},
     "numbers": {"NS": ["3", "20", "1.5"]}, "binary": {"B": b"\x00\xff"}, "sets": {"BS": [b"b", b"a"]}},
]  # fmt: skip
# Of the model by their keys and the types that tell it, and wrong in what does not.
ODD: list[dict[str, Any]] = [
    {"pk": {"S": "MSG#no uuid"}, "sk": {"S": "9"}, "seq": {"N": "1E+2"}, "message_uuid": {"S": ""},
     "user_uuid": {"S": "\x1b[31m"}, "message": {"NS": ["1"]}},
    {"pk": {"S": "GRP#"}, "sk": {"S": "f"}, "last_seq": {"N": "1.5"}, "version": {"N": "-1"},
     "message_group_uuid": {"S": "x"}, "member_uuids": {"BS": [b"short"]}, "read_seq": {"S": "three"}},
]  # fmt: skip


def put(table: MessageTable, items: list[dict[str, Any]]) -> None:
    for item in items:
        table.client.put_item(TableName=table.name, Item=item)


def fill(table: MessageTable, conversations: int = 12) -> int:
    """Create conversations of five messages each; return the number of items."""
    for stranger in STRANGERS[:conversations]:
        written = [(stranger, f"Message {number}", NOW + timedelta(seconds=number)) for number in range(5)]
        write_all(table, written, members=(ANDREW, stranger))
    return conversations * (5 + 1 + 2)


def every(scan: Scan) -> list[Any]:
    with scan:
        return [item for page in scan for item in page.items]


def keys_of(items: list[Any]) -> Counter[tuple[str, str]]:
    return Counter((item["pk"]["S"], item["sk"]["S"]) for item in items)


@contextmanager
def requests_of(table: MessageTable, page: int | None = None) -> Iterator[list[dict[str, Any]]]:
    """Record the scan requests of this client, which are answered with pages of this size."""
    made: list[dict[str, Any]] = []
    events: Any = table.client.meta.events

    def note(params: dict[str, Any], **_: Any) -> dict[str, Any]:
        made.append(params)
        return {"Limit": page} | params if page else params

    events.register("provide-client-params.dynamodb.Scan", note)
    try:
        yield made
    finally:
        events.unregister("provide-client-params.dynamodb.Scan", note)


def are_over(scan: Scan) -> bool:
    return not any(thread.is_alive() for thread in scan._threads)


# --- What is an item --------------------------------------------------------------------------------------------------


def test_each_kind_is_told(either_table: MessageTable) -> None:
    start()
    drain(either_table)

    assert Counter(map(kind_of, every(Scan(either_table.client, either_table.name)))) == {
        "message": 1,
        "conversation": 1,
        "entry": 2,
    }


def test_a_deleted_message_is_still_a_message() -> None:
    item = {key: value for key, value in MESSAGE_ITEM.items() if key != "message"} | {"deleted_at": {"S": "x"}}

    assert kind_of(item) == "message"
    assert line(item, short=False)["what"].endswith(": (deleted) ")


@pytest.mark.parametrize("item", FOREIGN)
def test_unknown_item_is_shown_whole_as_other(item: dict[str, Any]) -> None:
    shown = line(item, short=True)

    assert shown["kind"] == kind_of(item) == OTHER
    assert (shown["pk"], shown["sk"]) == (item["pk"]["S"], item["sk"]["S"])
    assert json.loads(shown["what"]).keys() == item.keys() - {"pk", "sk"}


@pytest.mark.parametrize("item", [*ODD, ODD[1] | {"read_seq": {"N": "1"}, "inbox": {"N": "7"}}])
def test_irregular_items_are_shown_too(item: dict[str, Any]) -> None:
    assert kind_of(item) in KINDS
    assert line(item, short=True)["what"]
    assert json.dumps(plain_item(item))


def test_dynamodb_tells_the_kinds_as_we_do(either_table: MessageTable) -> None:
    fill(either_table, 2)
    put(either_table, [*FOREIGN, *ODD])
    items = every(Scan(either_table.client, either_table.name))
    ours = Counter(map(kind_of, items))

    for kind in KINDS:
        found = every(Scan(either_table.client, either_table.name, kind=kind))
        assert keys_of(found) == keys_of([item for item in items if kind_of(item) == kind])
    assert set(ours) == {*KINDS, OTHER}
    with Scan(either_table.client, either_table.name, count=True) as scan:
        assert sum(map(kinds_in, scan), Counter()) == ours


def test_programs_get_an_item_as_json_has_it() -> None:
    assert plain_item(
        {
            "n": {"N": "7"}, "long": {"N": "12345678901234567890123456789012345678"}, "decimal": {"N": "-1.50"},
            "exponent": {"N": "1E+3"}, "uuid": {"B": ANDREW.bytes}, "bytes": {"B": b"\xff"},
            "uuids": {"BS": [BAYKO.bytes, ANDREW.bytes]}, "ns": {"NS": ["10", "9", "-1"]}, "ss": {"SS": ["b", "a"]},
            "map": {"M": {"list": {"L": [{"S": "x"}, {"NULL": True}, {"BOOL": False}]}}},
        }
    ) == {
        "n": 7, "long": 12345678901234567890123456789012345678, "decimal": -1.5, "exponent": 1000, "uuid": str(ANDREW),
        "bytes": "/w==", "uuids": [str(ANDREW), str(BAYKO)], "ns": [-1, 9, 10], "ss": ["a", "b"],
        "map": {"list": ["x", None, False]},
    }  # fmt: skip


# --- Every item once --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("readers", "segments"), [(1, 1), (1, 7), (2, 2), (3, 40), (8, 8)])
def test_scan_reads_every_item_once(either_table: MessageTable, readers: int, segments: int) -> None:
    number = fill(either_table)

    with requests_of(either_table, page=4):
        scan = Scan(either_table.client, either_table.name, readers, segments)
        keys = keys_of(every(scan))

    assert len(keys) == number
    assert set(keys.values()) == {1}
    assert scan.totals.scanned == number
    assert scan.totals.requests >= number / 4
    assert are_over(scan)


@pytest.mark.parametrize("readers", [1, 4])
def test_count_includes_every_item_once(either_table: MessageTable, readers: int) -> None:
    fill(either_table)

    with (
        requests_of(either_table, page=5),
        Scan(either_table.client, either_table.name, readers, 9, count=True) as scan,
    ):
        assert sum(map(kinds_in, scan), Counter()) == {"message": 60, "conversation": 12, "entry": 24}


def test_counting_brings_no_message(either_table: MessageTable) -> None:
    fill(either_table, 1)

    with Scan(either_table.client, either_table.name, count=True) as scan:
        (page,) = scan

    assert len(page.items) == 3
    assert (page.matched, page.scanned) == (3, 8)


def test_it_reads_consistently_unless_told_otherwise(moto_table: MessageTable) -> None:
    with requests_of(moto_table) as requests:
        every(Scan(moto_table.client, moto_table.name))
        every(Scan(moto_table.client, moto_table.name, consistent=False))

    assert [request["ConsistentRead"] for request in requests] == [True, False]


def test_a_limit_is_not_read_past(moto_table: MessageTable) -> None:
    fill(moto_table)

    with requests_of(moto_table) as requests:
        items = every(Scan(moto_table.client, moto_table.name, segments=9, limit=20))

    assert len(items) == 20
    assert [request["Limit"] for request in requests] == sorted(
        (request["Limit"] for request in requests), reverse=True
    )
    assert requests[0]["Limit"] == 20


@pytest.mark.parametrize(
    ("size", "readers", "segments"), [(0, 1, 1), (300_000, 4, 4), (220_000_000, 4, 220), (10**12, 4, 4000)]
)
def test_a_segment_is_about_a_page(size: int, readers: int, segments: int) -> None:
    assert segments_for(size, readers=readers) == segments


# --- Side by side -----------------------------------------------------------------------------------------------------


def test_segments_are_read_at_the_same_time(table: MessageTable) -> None:
    fill(table)
    together = threading.Barrier(4, timeout=60)

    def wait(**_: Any) -> None:
        together.wait()

    with requests_of(table) as requests:
        table.client.meta.events.register("before-send.dynamodb.Scan", wait)
        keys = keys_of(every(Scan(table.client, table.name, readers=4, segments=4)))

    assert len(requests) == 4
    assert set(keys.values()) == {1}


def test_pages_that_nobody_takes_are_not_piled_up(table: MessageTable) -> None:
    fill(table)

    with requests_of(table, page=1) as requests, Scan(table.client, table.name, readers=2, segments=4) as scan:
        pages = iter(scan)
        for taken in range(1, 6):
            next(pages)
            time.sleep(0.05)  # in which readers without a bound would run ahead
            assert len(requests) <= taken + 2 + 1


def test_an_error_in_one_segment_ends_all_of_them(table: MessageTable) -> None:
    fill(table)
    scan = Scan(table.client, table.name, readers=4, segments=8)

    with (
        requests_of(table, page=1) as requests,
        fault(table, "Scan", *[lambda: None] * 9, answer("AccessDeniedException")),  # type: ignore[arg-type]
        pytest.raises(ServiceError, match="AccessDenied"),
    ):
        every(scan)

    assert are_over(scan)
    assert len(requests) < 30


def test_signing_out_ends_all_sessions(table: MessageTable) -> None:
    fill(table)
    scan = Scan(table.client, table.name, readers=4, segments=8)

    def leave() -> None:
        with scan:
            next(iter(scan))
            raise KeyboardInterrupt

    with requests_of(table, page=1), pytest.raises(KeyboardInterrupt):
        leave()

    assert are_over(scan)
    assert scan.totals.seconds > 0


# --- When DynamoDB has no time ----------------------------------------------------------------------------------------


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messaging.dynamodb.retry.LONGEST_WAIT", 0.001)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("times", [3, 12])
def test_throttled_pages_are_waited_for(moto_table: MessageTable, times: int) -> None:
    number = fill(moto_table, 2)
    told: list[str] = []
    client = patient(moto_table.client, attempts=1)
    throttled = [answer("ProvisionedThroughputExceededException")] * times

    with fault(MessageTable(client, moto_table.name), "Scan", *throttled):
        scan = Scan(client, moto_table.name, on_throttled=lambda: told.append("waiting"))
        items = every(scan)

    assert len(items) == number
    assert scan.totals.throttled == times
    assert told == ["waiting"]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("code", "status", "patience", "error"),
    [
        ("ThrottlingException", 400, "THROTTLED_SECONDS", Throttled),
        ("InternalServerError", 500, "FAILING_SECONDS", Unavailable),
    ],
)
def test_patience_has_an_end(
    moto_table: MessageTable, monkeypatch: pytest.MonkeyPatch, code: str, status: int, patience: str, error: type
) -> None:
    """The end is put after three attempts, whatever time they take; what is asked for is the time of this failure."""
    seconds: list[float] = []

    def stop_after_three(after: float) -> stop_after_attempt:
        seconds.append(after)
        return stop_after_attempt(3)

    monkeypatch.setattr("messaging.dynamodb.retry.stop_after_delay", stop_after_three)
    client = patient(moto_table.client, attempts=1)

    with (
        fault(MessageTable(client, moto_table.name), "Scan", *[answer(code, status)] * 100_000) as sent,
        pytest.raises(error),
    ):
        every(Scan(client, moto_table.name))

    assert len(sent) == 3
    assert seconds[-1 if error is Unavailable else 0] == getattr(retry, patience)


def test_nobody_waits_for_a_throttled_page_any_more_when_the_scan_is_left(
    moto_table: MessageTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.dynamodb.retry.wait_random_exponential", lambda **_: lambda state: 3600.0)
    client = patient(moto_table.client, attempts=1)
    throttled = threading.Event()
    scan = Scan(client, moto_table.name, on_throttled=throttled.set)

    with fault(MessageTable(client, moto_table.name), "Scan", *[answer("ThrottlingException")] * 10), scan:
        assert throttled.wait(10)

    assert are_over(scan)
    assert scan.totals.seconds < 10


# --- The command ------------------------------------------------------------------------------------------------------


def test_people_get_a_line_for_each_item(table: MessageTable) -> None:
    message = start(text="Two\nlines \x1b[31mred")
    send(by=BAYKO, text="x" * 300)
    drain(table)

    out, err = run(COMMAND)

    first, heading, *lines, last = out.splitlines()
    assert table.name in first
    assert heading.split() == ["kind", "pk", "sk", "what"]
    said = {tuple(line.split()[:3]): line[94:] for line in lines}
    assert said[("message", f"MSG#{GROUP}", message.created_at)] == f"#1 by {ANDREW}: Two ⏎ lines \\x1b[31mred"
    assert said[("conversation", f"MSG#{GROUP}", "#CONVERSATION")] == f"seq 2: {ANDREW} {BAYKO}"
    assert said[("entry", f"GRP#{ANDREW}", str(GROUP))] == f"1 unread, in GRP#{ANDREW}"
    assert said[("entry", f"GRP#{BAYKO}", str(GROUP))] == f"0 unread, in GRP#{BAYKO}"
    assert any(line.endswith("x" * 300) for line in lines)
    assert last.startswith("5 shown; 5 items read in 1 request, ")
    assert err == ""


def test_programs_get_every_item_whole(table: MessageTable) -> None:
    message = start(text="Héllo")
    put(table, FOREIGN)

    rows = run_json(COMMAND)

    assert {(row["pk"], row["sk"]) for row in rows} >= {(item["pk"]["S"], item["sk"]["S"]) for item in FOREIGN[3:]}
    assert [row for row in rows if row["sk"] == message.created_at] == [
        {
            "pk": f"MSG#{GROUP}", "sk": message.created_at, "seq": 1, "message": "Héllo",
            "message_uuid": str(message.message_uuid), "user_uuid": str(ANDREW),
        }
    ]  # fmt: skip


@pytest.mark.parametrize("columns", ["80", "140"])
def test_on_a_terminal_a_line_is_cut_to_its_width(
    table: MessageTable, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    message = start(text="漢字" * 200)
    send(by=BAYKO, text="👩‍👩‍👧‍👧 family " * 30)

    out, err = run(COMMAND, "-v0", out=Terminal())

    assert max(map(cell_len, out.splitlines())) <= int(columns)
    assert f"{message.created_at[:19]}…" in out
    assert f"MSG#{str(GROUP)[:8]}…" in out
    assert err == ""


def test_in_a_pipe_nothing_is_cut(table: MessageTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    start(text="漢字" * 200)

    assert "漢字" * 200 in run(COMMAND)[0]


def test_scan_stops_at_the_limit(table: MessageTable) -> None:
    fill(table)

    out, _ = run(COMMAND, "--limit", "7", "--segments", "3")

    assert len(out.splitlines()) == 2 + 7 + 1
    assert "7 shown; " in out


@pytest.mark.parametrize(("kind", "number"), [("message", 10), ("conversation", 2), ("entry", 4)])
def test_it_shows_one_kind_alone(table: MessageTable, kind: str, number: int) -> None:
    fill(table, 2)
    put(table, FOREIGN)

    lines = run(COMMAND, "-v0", "--kind", kind)[0].splitlines()[1:]

    assert len(lines) == number
    assert all(line.startswith(f"{kind} ") for line in lines)
    assert len(run_json(COMMAND, "--kind", kind, "--limit", "2")) == 2


@pytest.mark.parametrize("segments", ["1", "4"])
def test_items_are_counted_by_kind(table: MessageTable, segments: str) -> None:
    fill(table, 3)
    put(table, FOREIGN[:1])

    out, _ = run(COMMAND, "--count", "--segments", segments)

    _, *lines, last = out.splitlines()
    assert [line.split() for line in lines] == [
        ["kind", "items"], ["message", "15"], ["conversation", "3"], ["entry", "6"], ["other", "1"],
    ]  # fmt: skip
    assert last.startswith("25 items read in ")


def test_programs_get_the_numbers_as_one_object(table: MessageTable) -> None:
    fill(table, 3)

    (facts,) = run_json(COMMAND, "--count")

    assert facts.pop("seconds") > 0
    assert facts.pop("read_units") > 0
    assert facts == {
        "table": table.name, "items": {"message": 15, "conversation": 3, "entry": 6, "other": 0}, "scanned": 24,
        "requests": 1, "throttled": 0,
    }  # fmt: skip


def test_programs_get_the_number_of_one_kind(table: MessageTable) -> None:
    fill(table, 3)

    (facts,) = run_json(COMMAND, "--count", "--kind", "entry")

    assert (facts["items"], facts["scanned"]) == ({"entry": 6}, 24)


def test_quiet_still_prints_counts(table: MessageTable) -> None:
    out, err = run(COMMAND, "--count", "-v0")

    assert out.split() == ["kind", "items", "message", "0", "conversation", "0", "entry", "0", "other", "0"]
    assert err == ""


def test_items_of_every_year_and_of_the_old_system_are_shown_and_nobody_needs_to_exist(table: MessageTable) -> None:
    for number, year in enumerate((1999, 2022, 2026, 2027, 2101)):
        write_all(table, [(LONDO, f"In {year}", NOW.replace(year=year))], members=(LONDO, STRANGERS[number]))
    put(table, FOREIGN)

    out, _ = run(COMMAND)

    assert all(f": In {year}" in out for year in (1999, 2022, 2026, 2027, 2101))
    assert "2022-04-04T10:00:00 " in out


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--limit", "0"], "0 is no number from 1 up"),
        (["--limit", "-1"], "-1 is no number"),
        (["--segments", "many"], "many is no number from 1 to 32"),
        (["--segments", str(MAX_READERS + 1)], "33 is no number"),
        (["--kind", "user"], "invalid choice: 'user'"),
        (["--count", "--limit", "3"], "not allowed with"),
    ],
)
def test_impossible_numbers_are_rejected(arguments: list[str], why: str) -> None:
    with pytest.raises(CommandError, match=why):
        run(COMMAND, *arguments)


def test_without_a_table_it_says_how_to_make_it(table: MessageTable, settings: Settings) -> None:
    settings.DDB_MESSAGE_TABLE = "not-yet"
    connection.forget()

    with pytest.raises(CommandError, match=r"There is no table not-yet: run `manage\.py ddb_schema_load`") as caught:
        run(COMMAND)
    assert caught.value.returncode == 1


class Interrupted(StringIO):
    """Somebody presses Ctrl-C when the third line comes."""

    def write(self, text: str) -> int:
        if self.getvalue().count("\n") == 3:
            raise KeyboardInterrupt
        return super().write(text)


def test_ctrl_c_says_how_far_it_came(table: MessageTable) -> None:
    fill(table)
    err = StringIO()

    with pytest.raises(SystemExit) as caught:
        call_command(COMMAND, "--segments", "2", stdout=Interrupted(), stderr=err, skip_checks=True)

    assert caught.value.code == 130
    assert "items read in " in err.getvalue()
    assert "Nothing was changed." in err.getvalue()
    assert not any(thread.name.startswith("scan-") for thread in threading.enumerate())
