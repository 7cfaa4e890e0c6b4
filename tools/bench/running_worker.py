"""Run the stream worker as a measured process on the stack of the environment."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .senders import Sent, Talk
from .stack import Server

STEADY_SECONDS = 1.5
"""The worker counts as drained after moving nothing for this time; it polls every quarter of a second."""
DRAIN_SECONDS = 300.0
END_SECONDS = 20.0


@dataclass(frozen=True)
class Worker(Server):
    """Reports its units while it runs, and at its end when each entry showed which message."""

    directory: Path

    def units(self) -> dict[str, float]:
        """Return `Units.so_far` and the number of entries written (`moves`)."""
        file = self.directory / "units"
        found: dict[str, float] = json.loads(file.read_text()) if file.exists() else {}
        return found

    def wait_until_drained(self) -> None:
        """Return when nothing has moved for a while. Raises SystemExit when that does not happen."""
        deadline = time.monotonic() + DRAIN_SECONDS
        steady_since, before = time.monotonic(), self.units().get("moves")
        while time.monotonic() - steady_since < STEADY_SECONDS:
            time.sleep(0.2)
            if (now := self.units().get("moves")) != before or now is None:
                steady_since, before = time.monotonic(), now
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("The stream worker ended, or does not come to an end.")

    def moved(self) -> dict[tuple[str, str], list[tuple[int, float]]]:
        """Return, by an entry's key, message numbers with the monotonic second of each write.

        Call it after the worker ended.
        """
        found: dict[tuple[str, str], list[tuple[int, float]]] = {}
        for line in (self.directory / "moves").read_text().splitlines():
            pk, group, seq, at = json.loads(line)
            found.setdefault((pk, group), []).append((seq, at))
        return found


@contextmanager
def running_worker(directory: Path) -> Iterator[Worker]:
    """Run a worker that starts with the next change, until the block ends."""
    begin_with_what_comes()
    command = [sys.executable, "-m", "tools.bench.metered_worker", str(directory / "moves"), str(directory / "units")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:  # noqa: S603 - our own
        try:
            yield Worker(0, process, directory)
        finally:
            process.terminate()
            process.wait(END_SECONDS)


def begin_with_what_comes() -> None:
    """Write checkpoints behind all that the stream holds."""
    from messaging.dynamodb.connection import message_table  # noqa: PLC0415 - once the environment names the stack
    from messaging.dynamodb.schema import stream_arn  # noqa: PLC0415
    from tests.browser.seeded import begin_after_the_seed  # noqa: PLC0415

    begin_after_the_seed(stream_arn(message_table()))


def lags(
    sent: Sequence[Sent], talks: Sequence[Talk], moved: dict[tuple[str, str], list[tuple[int, float]]]
) -> list[float]:
    """Return the milliseconds from each response until the receiver's entry shows that message or a later one.

    Raises SystemExit if an entry never did.
    """
    members = {talk.group: {str(member.uuid) for member in talk.members} for talk in talks}
    found = []
    for each in sent:
        (receiver,) = members[each.group] - {each.sender}
        moves = moved.get((f"GRP#{receiver}", each.group), [])
        place = bisect_left(moves, (each.seq, 0.0))
        if place == len(moves):
            raise SystemExit(f"Message {each.seq} of {each.group} never reached its receiver's list.")
        found.append(max(0.0, moves[place][1] - each.answered_at) * 1000)
    return found
