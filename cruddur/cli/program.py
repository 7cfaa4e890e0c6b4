"""How every program of the project starts and stops: `run`, its exit codes, and Ctrl-C at any moment.

Imports next to nothing, so that Ctrl-C is answered from the first moment on, and knows no Django.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable

REFUSED = 1
"""Exit code of what was refused or failed; a sentence says what to do."""
STOPPED = 130
"""Exit code after Ctrl-C: 128 and the number of SIGINT, as shells have it."""
CLOSED = 141
"""Exit code when what reads the output has gone, as `head` does: 128 and the number of SIGPIPE."""
MOMENT = 0.01
"""Seconds until a Ctrl-C that was raised in a destructor is raised again."""
STDERR = 2
BEFORE, AFTER = "\nStopped. Nothing was changed.\n", "\nStopped.\n"
NO_OUTPUT = "Standard output is closed: nothing was done. Send it to a file, or to /dev/null.\n"


def run(main: Callable[[], int], *, needs_output: bool = True, is_loaded: bool = False) -> int:
    """Run a program and return its exit code: its own, or 1, 130 or 141, with a sentence instead of a traceback.

    Without `needs_output` it runs on where nobody can read what it says. Unless it `is_loaded`, Ctrl-C ends it at once
    until it calls `raise_when_stopped`.
    """
    watch_for_ctrl_c()
    # Takes longer to import than the rest of a program's first moment, in which Python itself answers Ctrl-C.
    from . import standard_streams  # noqa: PLC0415

    if is_loaded:
        raise_when_stopped()
    if not standard_streams.prepare() and needs_output:
        standard_streams.complain(NO_OUTPUT)
        return REFUSED
    code = REFUSED
    try:
        code = _code_of(main)
        standard_streams.flush_output(has_failed=bool(code))
    except standard_streams.ReaderGone:
        standard_streams.give_up_output()
        return CLOSED
    except standard_streams.OutputFailed as error:
        standard_streams.give_up_output()
        if needs_output:
            standard_streams.complain(f"{standard_streams.failure(error)}\n")
            return REFUSED
        return code
    except KeyboardInterrupt:
        stop_at_once()
        standard_streams.complain(AFTER)
        standard_streams.give_up_output()
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
        from .standard_streams import complain  # noqa: PLC0415

        complain(f"{end.code}\n")
        return REFUSED


# --- Ctrl-C -----------------------------------------------------------------------------------------------------------

_is_watched = False
"""Whether `run` has taken over what Ctrl-C does: not where a test or another program runs our functions."""
_sentence = BEFORE


def watch_for_ctrl_c() -> None:
    """Let Ctrl-C end the process at once from now on, with a sentence, until `raise_when_stopped`.

    While modules are imported, an exception may come up anywhere and be swallowed or dressed as another one. What a
    shell has started in the background ignores Ctrl-C, and goes on doing so.
    """
    global _is_watched  # noqa: PLW0603 - as the signal's handler is, of the process
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        _is_watched = True
        signal.signal(signal.SIGINT, _stop)
        sys.unraisablehook = _raise_again


def raise_when_stopped() -> None:
    """Let Ctrl-C raise KeyboardInterrupt from now on, so that what was begun can be ended."""
    if _is_watched and signal.getsignal(signal.SIGINT) is _stop:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def stop_at_once() -> None:
    """Let Ctrl-C, perhaps the second, end the process at once from now on: nothing is left to tidy up."""
    global _sentence  # noqa: PLW0603
    if _is_watched:
        _sentence = AFTER
        signal.signal(signal.SIGINT, _stop)


def _stop(number: int, frame: object) -> None:
    try:
        os.write(STDERR, _sentence.encode())
    finally:
        os._exit(STOPPED)


def _raise_again(unraisable: sys.UnraisableHookArgs) -> None:
    """Raise a Ctrl-C again that was raised in a destructor, where Python only prints it."""
    if isinstance(unraisable.exc_value, KeyboardInterrupt):
        import threading  # noqa: PLC0415

        # A signal of its own, which also ends a wait of the main thread.
        threading.Timer(MOMENT, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT)).start()
    else:
        sys.__unraisablehook__(unraisable)
