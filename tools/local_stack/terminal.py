"""Print lines for the developer. A closed terminal or pipe is ignored."""

import contextlib
import select
import sys

SECONDS_TO_WAIT = 0.2


def say(line: str = "") -> None:
    """Write a line to standard output, or give it up when it cannot be written now."""
    with contextlib.suppress(OSError, ValueError):
        if select.select([], [sys.stdout], [], SECONDS_TO_WAIT)[1]:
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()


def complain(line: str) -> None:
    """Write a line to standard error, as far as possible."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
