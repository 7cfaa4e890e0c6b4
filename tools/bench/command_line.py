"""Run the measurements one after the other, each in a separate process, and store the results (`make bench`).

make bench                               # everything, with small numbers: some minutes
make bench ARGS="pages growth --full"    # these two, with the numbers of docs/performance.md
make bench ARGS="--write"                # everything, then the tables and plots of docs/performance.md anew
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from . import results
from .figures import Figure, tell
from .machine import machine
from .stack import INTERRUPTED, say

SECONDS_TO_END = 30.0
FAILED = 1


@dataclass(frozen=True, slots=True)
class Part:
    """A module of this package, its options for a quick run and those for published figures."""

    what: str
    quick: tuple[str, ...] = ()
    full: tuple[str, ...] = ()


PARTS = {
    "costs": Part("what each access pattern consumes, beside the old system"),
    "pages": Part("how long pages take, beside their alternatives", ("--rounds", "8")),
    "growth": Part(
        "the same with ever more messages and conversations",
        ("--rounds", "10", "--each", "2"),
    ),
    "sending": Part(
        "messages a second through web, table and worker, and the lists' lag",
        ("--seconds", "8"),
        ("--seconds", "30"),
    ),
    "send_queue": Part(
        "many senders in one conversation, with the queue of senders and without",
        ("--seconds", "3"),
        ("--seconds", "20", "--rounds", "3"),
    ),
    "live": Part(
        "from send to delivered, and what open streams take",
        ("--messages", "50"),
        ("--messages", "300"),
    ),
    "browser": Part(
        "bytes, first paint, typing, memory, from one browser to another",
        ("--messages", "20", "--loads", "3", "--older", "2000"),
        ("--messages", "200", "--loads", "9", "--older", "10000"),
    ),
}


def arguments_from(words: Sequence[str] | None = None) -> Namespace:
    """Parse `parts` (always in the order of `PARTS`), `full` and `write`."""
    listing = "\n".join(f"  {name:<10} {part.what}" for name, part in PARTS.items())
    parser = ArgumentParser(
        prog="tools.bench", description=f"Measure.\n\n{listing}", formatter_class=RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help="of these; all when none is named")
    parser.add_argument("--full", action="store_true", help="with larger numbers; takes several times as long")
    parser.add_argument("--write", action="store_true", help="write tables and plots of docs/performance.md anew")
    options = parser.parse_args(words)
    if unknown := [name for name in options.parts if name not in PARTS]:
        parser.error(f"there is no part {unknown[0]}: take some of {', '.join(PARTS)}")
    options.parts = [name for name in PARTS if name in (options.parts or PARTS)]
    return options


def command_of(part: str, *, full: bool) -> list[str]:
    """Return the command that prints the part's figures, without `--json`."""
    return ["-m", f"tools.bench.{part}", *(PARTS[part].full if full else PARTS[part].quick)]


@contextmanager
def running(command: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """Run a part in its own session: Ctrl-C reaches only this process, which then lets the part clean up."""
    with subprocess.Popen(  # noqa: S603 - our own
        [sys.executable, *command, "--json"], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            yield process
        except BaseException:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
            raise


def measure(part: str, *, full: bool, load: float) -> bool:
    """Run it, keep its figures and show them; whether it came to its end."""
    command = command_of(part, full=full)
    began, at = time.monotonic(), datetime.now(UTC)
    figures: list[Figure] = []
    with running(command) as process:
        for line in process.stdout or ():
            if line.startswith("{"):
                figures.append(results.figure_from(line))
            else:
                say(line.rstrip())  # for example, that DynamoDB Local is fetched first
    seconds = time.monotonic() - began
    if process.returncode:
        say(f"{part}: failed after {seconds:.0f} s, its figures of before stay. Alone: python {' '.join(command)}")
        return False
    at_text = at.isoformat(timespec="seconds")
    results.save(part, figures, results.Run(at_text, f"python {' '.join(command)}", seconds, load, machine()))
    say(f"{part}: {len(figures)} figures in {seconds:.0f} s")
    tell(figures, as_json=False)
    return True


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def main(words: Sequence[str] | None = None) -> int:
    options = arguments_from(words)
    for each in (signal.SIGINT, signal.SIGTERM):  # A shell starts background jobs with SIGINT ignored.
        signal.signal(each, interrupted)
    load = os.getloadavg()[0]
    for name, value in machine().items():
        say(f"{name}: {value}")
    done = []
    try:
        for number, part in enumerate(options.parts, start=1):
            say(f"\n[{number}/{len(options.parts)}] {part}: {PARTS[part].what} …")
            done.append(measure(part, full=options.full, load=load))
    except KeyboardInterrupt:
        say("Stopped. What was measured before is kept.")
        return INTERRUPTED
    if options.write:
        from . import plots, report  # noqa: PLC0415 - needs matplotlib

        plots.main([])
        report.main([])
    return 0 if all(done) else FAILED
