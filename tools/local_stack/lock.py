"""Allow one stack per state directory. The system releases the lock when its holder exits, so it is never stale."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .problem import Problem


@contextmanager
def held(local: Path) -> Iterator[Callable[[str], None]]:
    """Hold the lock; what is yielded notes an address, which tells others where the stack is.

    Raises Problem if it is held by someone else.
    """
    with (local / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            where = file.read().strip() or "an address it has not told yet"
            raise Problem(f"The local stack is already running at {where}: use that one, or stop it first.") from None

        def note(address: str) -> None:
            file.truncate(0)
            file.write(f"{address}\n")
            file.flush()

        note("")
        try:
            yield note
        finally:
            file.truncate(0)
