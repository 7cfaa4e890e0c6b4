"""What a person sees on the terminal, and what a program gets."""

import json
import re
import unicodedata
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cruddur.cli.terminal import Column, as_bytes, as_json, as_text, printable, progress, write_lines, write_table

COLUMNS = [Column("handle"), Column("unread", right=True)]
ROWS = [{"handle": "andrewbrown", "unread": 12345}, {"handle": "李", "unread": 0}]


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def no_preferences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "60")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "yes"),
        (12345, "12,345"),
        (datetime(2026, 11, 21, 9, 5, 1, 5, tzinfo=UTC), "2026-11-21 09:05:01+00:00"),
        (["admins", "staff"], "admins, staff"),
        ("as it is", "as it is"),
    ],
)
def test_a_value_reads_as_people_write_it(value: object, text: str) -> None:
    assert as_text(value) == text


@pytest.mark.parametrize(("size", "text"), [(0, "0 B"), (999, "999 B"), (3400, "3.4 kB"), (5e13, "50.0 TB")])
def test_a_size_has_its_unit(size: float, text: str) -> None:
    assert as_bytes(size) == text


def test_no_text_can_steer_the_terminal() -> None:
    naughty = (Path(__file__).parents[2] / "corpora" / "blns.json").read_text(encoding="utf-8")
    texts = [*json.loads(naughty), "\x1b[2J\x1b]0;title\x07", "\u202eevil", "two\nlines\r", "\x9b31m"]

    for text in texts:
        shown = printable(text)
        assert not any(unicodedata.category(char) in ("Cc", "Zl", "Zp") or char in "\u202e\u2066" for char in shown)
    assert printable("\x1b[31m\u202e") == "\\x1b[31m\\u202e"
    assert printable("two\nlines") == "two ⏎ lines"


def test_texts_of_every_script_stay_as_they_are() -> None:
    for text in ("naïve Ünïcödé", "ありがとう", "עברית", "👩‍👩‍👧‍👧", "می‌خواهم"):
        assert printable(text) == text


def test_in_a_pipe_a_row_is_a_line_without_colours() -> None:
    out = StringIO()

    write_table(out, COLUMNS, [*ROWS, {"handle": "x" * 300, "unread": None}])

    lines = out.getvalue().splitlines()
    assert lines[0].split() == ["handle", "unread"]
    assert lines[1].split() == ["andrewbrown", "12,345"]
    assert lines[3] == "x" * 300
    assert len(lines) == 4
    assert "\x1b" not in out.getvalue()


def test_on_a_terminal_it_has_colours_and_its_width() -> None:
    out = Terminal()

    write_table(out, COLUMNS, [{"handle": "x" * 40, "unread": 1}])

    assert "\x1b[1m" in out.getvalue()
    assert max(map(len, re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue()).splitlines())) <= 60


WIDE = [Column(name) for name in ("handle", "name", "email", "state", "group", "person", "created_at")]
WIDE_ROW = {
    "handle": "andrewbrown", "name": "Andrew Brown", "email": "andrewbrown@cruddur.example", "state": "CONFIRMED",
    "group": "admins, moderators", "person": "@andrewbrown", "created_at": "2026-11-21",
}  # fmt: skip


def without_colours(out: StringIO) -> list[str]:
    return re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue()).splitlines()


def test_table_too_wide_for_whole_words_is_a_block_per_row() -> None:
    out = Terminal()

    write_table(out, WIDE, [WIDE_ROW, {**WIDE_ROW, "handle": "x" * 100}])

    lines = without_colours(out)
    assert max(map(len, lines)) <= 60
    assert lines[:8] == [
        "handle      andrewbrown", "name        Andrew Brown", "email       andrewbrown@cruddur.example",
        "state       CONFIRMED", "group       admins, moderators", "person      @andrewbrown",
        "created at  2026-11-21", "",
    ]  # fmt: skip
    assert "".join(line.strip() for line in lines[8:11]).removeprefix("handle").strip() == "x" * 100


@given(widths=st.lists(st.integers(1, 30), min_size=1, max_size=9), terminal=st.integers(20, 130), whole=st.booleans())
def test_no_word_is_cut_and_no_column_dropped_at_any_width(widths: list[int], terminal: int, whole: bool) -> None:
    columns = [Column(f"c{number}", whole=whole) for number in range(len(widths))]
    words = {
        column.key: f"w{number}" + "x" * width
        for number, (column, width) in enumerate(zip(columns, widths, strict=True))
    }
    out = Terminal()

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", str(terminal))
        write_table(out, columns, [words])

    text = "\n".join(without_colours(out))
    for column, word in words.items():
        assert column in text
        assert word in text or len(word) > terminal - len(column) - 2, "folded only where a line has no room for it"


@pytest.mark.parametrize("how", ["NO_COLOR", "--no-color", "pipe"])
def test_plain_output_is_a_row_a_line_uncut(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    out = StringIO() if how == "pipe" else Terminal()
    if how == "NO_COLOR":
        monkeypatch.setenv("NO_COLOR", "1")
    out.wants_no_colour = how == "--no-color"  # type: ignore[attr-defined]

    write_table(out, WIDE, [{**WIDE_ROW, "name": "x" * 500}])
    write_lines(out, WIDE, [5] * 6, [{**WIDE_ROW, "name": "y" * 500}])

    lines = out.getvalue().splitlines()
    assert len(lines) == 4
    assert "x" * 500 in lines[1]
    assert "y" * 500 in lines[3]
    assert not any("…" in line or "\x1b" in line for line in lines)


def test_rows_that_come_one_by_one_are_blocks_where_their_columns_do_not_fit() -> None:
    out = Terminal()

    write_lines(out, WIDE, [12] * 6, [WIDE_ROW])

    assert without_colours(out)[0] == "handle      andrewbrown"
    assert max(map(len, without_colours(out))) <= 60


def test_no_color_makes_it_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    out = Terminal()

    write_table(out, COLUMNS, ROWS)
    with progress(out, "messages", total=3) as advance:
        advance(3)

    assert "\x1b" not in out.getvalue()


def test_markup_in_a_message_is_text() -> None:
    out = Terminal()

    write_table(out, COLUMNS, [{"handle": "[red]x[/red]", "unread": 1}])

    assert "[red]x[/red]" in out.getvalue()


def test_json_keeps_what_programs_need() -> None:
    line = as_json({"uuid": UUID(int=1), "at": datetime(2026, 1, 1, tzinfo=UTC), "text": "é\n", "none": None})

    assert "\n" not in line
    assert json.loads(line) == {
        "uuid": "00000000-0000-0000-0000-000000000001", "at": "2026-01-01T00:00:00Z", "text": "é\n", "none": None,
    }  # fmt: skip


def test_progress_draws_a_bar_on_a_terminal() -> None:
    out = Terminal()

    with progress(out, "messages", total=10) as advance:
        advance(10)

    assert "messages" in out.getvalue()
    assert "10/10" in out.getvalue()


def test_progress_is_a_line_now_and_then_in_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    out = StringIO()
    now = iter([0.0, 5.0, 10.0, 12.0])
    monkeypatch.setattr("cruddur.cli.terminal.time.monotonic", lambda: next(now))

    with progress(out, "messages", total=4000) as advance:
        for _ in range(3):
            advance(1000)

    assert out.getvalue() == "  messages: 2,000 of 4,000, 200/s\n"


def test_quiet_progress_says_nothing() -> None:
    out = Terminal()

    with progress(out, "messages", total=10, quiet=True) as advance:
        advance(10)

    assert out.getvalue() == ""
