"""Programs end with a sentence and their exit code, whatever their standard streams are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cruddur.cli.terminal import json_for

ROOT = Path(__file__).parents[3]
PROGRAMS = [
    ("manage.py", "ddb_capacity"),
    ("manage.py", "help"),
    ("manage.py", "check"),
    ("manage.py", "ddb_capacity", "--help"),
    ("manage.py", "diffsettings"),
    ("-m", "deploy", "--help"),
    ("-m", "tools.bench", "--help"),
]
NAMES = [" ".join(program) for program in PROGRAMS]
SCRIPT = """
import sys
from cruddur.cli.program import run
def main():
    {}
    return 0
sys.exit(run(main, is_loaded=True))
"""


def shell(redirection: str, *program: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Run a program with its standard streams redirected by bash."""
    return subprocess.run(
        ["bash", "-c", f'exec "$@" {redirection}', "bash", sys.executable, *program], cwd=ROOT, capture_output=True,
        check=False, timeout=60, env=os.environ | variables,
    )  # fmt: skip


def script(body: str, redirection: str = "", **variables: str) -> subprocess.CompletedProcess[bytes]:
    return shell(redirection, "-c", SCRIPT.format(body), **variables)


@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS, ids=NAMES)
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(("redirection", "words"), [(">&-", b"is closed"), (">/dev/full", b"No space left")])
def test_failed_output_is_one_sentence_and_exit_code_1(
    program: tuple[str, ...], redirection: str, words: bytes, unbuffered: str
) -> None:
    answer = shell(redirection, *program, PYTHONUNBUFFERED=unbuffered)

    assert answer.returncode == 1, answer.stderr
    assert words in answer.stderr
    assert answer.stderr.count(b"\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS, ids=NAMES)
@pytest.mark.parametrize("redirection", ["<&-", "2>&-", "2>/dev/full"])
def test_closed_input_and_a_closed_or_full_standard_error_change_nothing(
    program: tuple[str, ...], redirection: str
) -> None:
    answer = shell(redirection, *program)

    assert answer.returncode == 0
    assert answer.stderr == b""
    assert answer.stdout


@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS, ids=NAMES)
def test_a_reader_that_goes_away_ends_it_silently(program: tuple[str, ...]) -> None:
    answer = shell("> >(exec true)", *program)

    assert answer.returncode in (0, 141)
    assert answer.stderr == b""


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-16"])
def test_text_degrades_where_the_encoding_lacks_it(encoding: str) -> None:
    answer = script('print("caf\\xe9 \\u2026 \\U0001f642")', PYTHONIOENCODING=encoding)

    assert answer.returncode == 0
    assert answer.stderr == b""
    expected = {
        "ascii": "caf\\xe9 ... \\U0001f642\n", "latin-1": "café ... \\U0001f642\n", "utf-16": "café … 🙂\n"
    }  # fmt: skip
    assert answer.stdout.decode(encoding) == expected[encoding]


def test_json_is_escaped_to_ascii_where_the_encoding_is_not_utf8() -> None:
    value = {"name": "café … 🙂 \x7f", "other": ["\u2028", 1.5]}
    text = json.dumps(value, ensure_ascii=False)
    nothing = Path(os.devnull)
    with nothing.open("w", encoding="latin-1") as latin, nothing.open("w", encoding="utf-8") as utf8:
        assert json_for(utf8, text) == text
        escaped = json_for(latin, text)

    assert escaped.isascii()
    assert json.loads(escaped) == value


@pytest.mark.slow
def test_unbuffered_output_is_written_at_once() -> None:
    body = "import os; print('text'); os._exit(0)"

    assert script(body, PYTHONUNBUFFERED="").stdout == b""
    assert script(body, PYTHONUNBUFFERED="1").stdout == b"text\n"


@pytest.mark.slow
def test_the_failure_of_another_file_is_not_taken_for_that_of_the_output() -> None:
    body = """
    try:
        with open("/dev/full", "w") as file:
            file.write("text")
    except OSError as error:
        print(type(error).__name__)
    """

    answer = script(body.strip())

    assert (answer.returncode, answer.stdout) == (0, b"OSError\n")


@pytest.mark.slow
def test_no_file_gets_the_number_of_a_closed_stream() -> None:
    answer = script("import os; sys.stderr.write(str(os.open('/dev/null', os.O_RDONLY)))", ">&- <&-")
    nothing_needed = shell(
        "<&- 3>&1 >&-", "-c", SCRIPT.replace("is_loaded=True", "needs_output=False").format(
            "import os; os.write(3, str(os.open('/dev/null', os.O_RDONLY)).encode())"
        )
    )  # fmt: skip

    assert answer.returncode == 1
    assert int(nothing_needed.stdout) > 2
