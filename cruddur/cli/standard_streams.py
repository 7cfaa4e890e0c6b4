"""Standard input, output and error as programs find them: closed, full, in any encoding. Knows no Django."""

from __future__ import annotations

import codecs
import io
import os
import select
import sys
from typing import IO, ClassVar, TextIO

STDIN, STDOUT, STDERR = 0, 1, 2
INSTEAD = {
    "…": "...", "—": "-", "\u2013": "-", "·": "*", "⏎": "\\n", "\u2019": "'", "\u2018": "'", "“": '"', "”": '"',
    **dict.fromkeys("─━╌╍═", "-"), **dict.fromkeys("│┃║", "|"), **dict.fromkeys("┌┐└┘├┤┬┴┼╇╈╸╺╶╴", "+"),
}  # fmt: skip
"""Replacements for our own signs in encodings that lack them; other characters become escapes (`\\u1f642`)."""
DEGRADE = "cruddur.degrade"


class OutputFailed(OSError):
    """Standard output takes nothing more, as a disk that is full. `strerror` says why."""


class ReaderGone(BrokenPipeError):
    """What read standard output has gone, as `head` does when it has enough."""


def failure(error: OutputFailed) -> str:
    return f"Standard output cannot be written: {error.strerror}."


def prepare() -> bool:
    """Make the three streams usable, whatever they are. Returns whether standard output was open.

    A closed one becomes /dev/null: otherwise the next file or connection that is opened would take its number, and get
    what is written there.
    """
    was_open = [_is_open(number) for number in (STDIN, STDOUT, STDERR)]
    if not was_open[STDIN]:
        os.dup2(os.open(os.devnull, os.O_RDONLY), STDIN)
        sys.stdin = open(STDIN, closefd=False, encoding="utf-8")  # noqa: SIM115 - as long as the process
    for number in (STDOUT, STDERR):
        if not was_open[number]:
            os.dup2(os.open(os.devnull, os.O_WRONLY), number)
    codecs.register_error(DEGRADE, _degraded)
    sys.stdout = _wrapped(sys.stdout, _Output(STDOUT, "w", closefd=False))
    sys.stderr = _wrapped(sys.stderr, _Errors(STDERR, "w", closefd=False), line_buffering=True)
    return was_open[STDOUT]


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


class _Output(io.FileIO):
    """Tells a failure of standard output from that of any other file or connection, and remembers it."""

    failure: ClassVar[OSError | None] = None

    def write(self, data: object, /) -> int:
        try:
            # None: a terminal or a pipe that does not block takes nothing at the moment.
            while (written := super().write(data)) is None:  # type: ignore[arg-type]
                select.select([], [self], [])
        except BrokenPipeError as error:
            _Output.failure = ReaderGone(*error.args)
            raise _Output.failure from error
        except OSError as error:
            _Output.failure = OutputFailed(*error.args)
            raise _Output.failure from error
        return written


class _Errors(io.FileIO):
    """Standard error: what cannot be told there cannot be told anywhere, and stops nothing."""

    def write(self, data: object, /) -> int:
        try:
            written = super().write(data)  # type: ignore[arg-type]
        except OSError:
            written = None
        return len(data) if written is None else written  # type: ignore[arg-type]


def _wrapped(stream: TextIO | None, raw: io.FileIO, *, line_buffering: bool | None = None) -> TextIO:
    """Return a text stream on `raw` in the encoding that Python chose for `stream`, which it takes the place of."""
    if stream is not None:
        stream.flush()
    unbuffered = bool(getattr(stream, "write_through", False))  # python -u, PYTHONUNBUFFERED
    return io.TextIOWrapper(
        raw if unbuffered else io.BufferedWriter(raw),
        encoding=getattr(stream, "encoding", None) or "utf-8",
        errors=DEGRADE,
        line_buffering=raw.isatty() if line_buffering is None else line_buffering,
        write_through=unbuffered,
    )


def _degraded(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    chars = error.object[error.start : error.end]
    return "".join(INSTEAD.get(char, char.encode("ascii", "backslashreplace").decode()) for char in chars), error.end


def is_utf8(stream: IO[str]) -> bool:
    """Return whether any text can be written there; a stream without an encoding, as in memory, takes any."""
    try:
        return codecs.lookup(getattr(stream, "encoding", None) or "utf-8").name == "utf-8"
    except LookupError:
        return False


def complain(text: str) -> None:
    """Write to standard error, as far as there is one."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (AttributeError, OSError, ValueError):
        return


def flush_output(*, has_failed: bool) -> None:
    """Flush standard output. Raises OutputFailed or ReaderGone, also for an error that argparse ignored.

    Unless the program `has_failed`: its own exit code then says more.
    """
    sys.stdout.flush()
    if _Output.failure and not has_failed:
        raise _Output.failure


def give_up_output() -> None:
    """Let nothing more be written: Python would complain once more when it flushes standard output at its end."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, STDOUT)
    os.close(null)
