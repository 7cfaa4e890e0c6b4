"""Standard input, output and error as programs find them: closed, full, in any encoding; and Ctrl-C at any moment.

`run` is what every program of the project is started through. Imports little, so that it works from the first
moment on, and knows no Django.
"""

from __future__ import annotations

import codecs
import io
import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any, ClassVar, TextIO

if TYPE_CHECKING:
    from types import FrameType

REFUSED = 1
"""Exit code of what was refused or failed; a sentence says what to do."""
STOPPED = 130
"""Exit code after Ctrl-C: 128 and the number of SIGINT, as shells have it."""
CLOSED = 141
"""Exit code when what reads the output has gone, as `head` does: 128 and the number of SIGPIPE."""
MOMENT = 0.01
"""Seconds until Ctrl-C that came up in a destructor comes up again."""
STDIN, STDOUT, STDERR = 0, 1, 2
BEFORE, AFTER = "\nStopped. Nothing was changed.\n", "\nStopped.\n"
NO_OUTPUT = "Standard output is closed: nothing was done. Send it to a file, or to /dev/null.\n"
INSTEAD = {
    "…": "...", "—": "-", "\u2013": "-", "·": "*", "⏎": "\\n", "\u2019": "'", "\u2018": "'", "“": '"', "”": '"',
    **dict.fromkeys("─━╌╍═", "-"), **dict.fromkeys("│┃║", "|"), **dict.fromkeys("┌┐└┘├┤┬┴┼╇╈╸╺╶╴", "+"),
}  # fmt: skip
"""What stands for our own signs where the encoding of the output lacks them; others are written as `\\u1f642`."""
DEGRADE = "cruddur.degrade"


class OutputFailed(OSError):
    """Standard output takes nothing more, as a disk that is full. `strerror` says why."""


class ReaderGone(BrokenPipeError):
    """What read standard output has gone, as `head` does when it has enough."""


def run(main: Callable[[], int], *, needs_output: bool = True, is_loaded: bool = False) -> int:
    """Run a program and return its exit code: its own, or 1, 130 or 141, with a sentence instead of a traceback.

    Without `needs_output` it runs on where nobody can read what it says. Unless it `is_loaded`, Ctrl-C ends it at once
    until it calls `raise_when_stopped`.
    """
    watch_for_ctrl_c()
    if is_loaded:
        raise_when_stopped()
    if not prepare() and needs_output:
        complain(NO_OUTPUT)
        return REFUSED
    code = REFUSED
    try:
        code = _code_of(main)
        sys.stdout.flush()
        if _Output.failure and not code:
            raise _Output.failure  # argparse, for one, passes over it
    except ReaderGone:
        give_up_output()
        return CLOSED
    except OutputFailed as error:
        give_up_output()
        if needs_output:
            complain(f"{failure(error)}\n")
            return REFUSED
        return code
    except KeyboardInterrupt:
        stop_at_once()
        complain(AFTER)
        give_up_output()
        return STOPPED
    # What is left is Python's own end.
    stop_at_once()
    return code


def _code_of(main: Callable[[], int]) -> int:
    try:
        return main()
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        complain(f"{end.code}\n")
        return REFUSED


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
    """A text stream on `raw` in the encoding that Python chose for `stream`, which it takes the place of."""
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
    """Whether any text can be written there; a stream without an encoding, as in memory, takes any."""
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


def give_up_output() -> None:
    """Let nothing more be written: Python would complain once more when it flushes standard output at its end."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, STDOUT)
    os.close(null)


# --- Ctrl-C -----------------------------------------------------------------------------------------------------------

_is_watched = False
"""Whether `run` has taken over what Ctrl-C does: not where a test or another program runs our functions."""
_sentence = BEFORE


def watch_for_ctrl_c() -> None:
    """From now on Ctrl-C ends the process at once, with a sentence, until `raise_when_stopped`.

    While modules are imported, an exception may come up anywhere and be swallowed or dressed as another one. What a
    shell has started in the background ignores Ctrl-C, and goes on doing so.
    """
    global _is_watched  # noqa: PLW0603 - as the signal's handler is, of the process
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        _is_watched = True
        signal.signal(signal.SIGINT, _stop)
        sys.unraisablehook = _raise_again


def raise_when_stopped() -> None:
    """From now on Ctrl-C raises KeyboardInterrupt, so that what was begun can be ended."""
    if _is_watched and signal.getsignal(signal.SIGINT) is _stop:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def stop_at_once() -> None:
    """From now on Ctrl-C, perhaps the second, ends the process at once: nothing is left to tidy up."""
    global _sentence  # noqa: PLW0603
    if _is_watched:
        _sentence = AFTER
        signal.signal(signal.SIGINT, _stop)


def _stop(number: int, frame: FrameType | None) -> None:
    try:
        os.write(STDERR, _sentence.encode())
    finally:
        os._exit(STOPPED)


def _raise_again(unraisable: Any) -> None:
    """Ctrl-C that came up in a destructor, where Python can only print it, comes up again a moment later."""
    if isinstance(unraisable.exc_value, KeyboardInterrupt):
        # A signal of its own, which also ends a wait of the main thread.
        threading.Timer(MOMENT, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT)).start()
    else:
        sys.__unraisablehook__(unraisable)
