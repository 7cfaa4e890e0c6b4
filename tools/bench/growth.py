"""Whether pages and sends take longer the more messages a conversation and the more conversations a person has.

.venv/bin/python -m tools.bench.growth --messages 100 10000 --conversations 10 1000
"""

from __future__ import annotations

from cruddur.cli import program

if __name__ == "__main__":
    # What follows takes long to import.
    program.watch_for_ctrl_c()

import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .figures import Figure, add_json_option, tell
from .stack import NO_LIMITS, say, stack, web_server
from .timing import Subject, at, measure

MESSAGES = (100, 1_000, 10_000, 100_000)
CONVERSATIONS = (10, 20, 100, 1_000, 10_000)
ROUNDS, EACH = 40, 3
MEDIAN = 50
FULL_PAGE = 20
"""Messages and conversations; a shorter list takes less by itself."""


@dataclass(frozen=True, slots=True)
class Sized:
    """A page at one size."""

    page: str
    size: int
    of: str
    """`messages` or `conversations`."""
    subject: Subject
    again: bool = False
    """Whether it is the base, measured a second time: how far that is from the first is noise."""

    @property
    def figure(self) -> Figure:
        name = f"growth/{self.page}/{self.size} {self.of}{' again' if self.again else ''}/p{MEDIAN}"
        return Figure(name, at(self.subject.times, MEDIAN), "ms")


def base(sizes: Sequence[int]) -> int:
    """The size that the others are compared with: the smallest that fills a page."""
    return min((size for size in sizes if size >= FULL_PAGE), default=max(sizes))


def figures(found: Sequence[Sized]) -> Iterator[Figure]:
    """The median of each page at each size, beside that at the base."""
    for page in dict.fromkeys(each.page for each in found):
        sizes = sorted((each for each in found if each.page == page), key=lambda each: (each.size, each.again))
        compared_with = base([each.size for each in sizes])
        first = next(each for each in sizes if each.size == compared_with)
        for each in sizes:
            yield each.figure if each is first else each.figure.against(first.figure)


def main(arguments: Sequence[str]) -> int:
    parser = ArgumentParser(prog="tools.bench.growth", description="Measure pages at several sizes.")
    parser.add_argument("--messages", type=int, nargs="+", default=MESSAGES, help="in a conversation (100 to 100000)")
    parser.add_argument(
        "--conversations", type=int, nargs="+", default=CONVERSATIONS, help="of one person (10 to 10000)"
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"in which all take turns ({ROUNDS})")
    parser.add_argument("--each", type=int, default=EACH, help=f"requests in a round ({EACH})")
    add_json_option(parser)
    options = parser.parse_args(arguments)
    with stack(environment=NO_LIMITS), web_server() as site:
        from .growth_subjects import filled, sized  # noqa: PLC0415 - once Django is set up

        say("growth: filling the table, about 2,000 messages a second")
        people = filled(messages=sorted(options.messages), conversations=sorted(options.conversations))
        found = list(sized(people, site))
        say(f"growth: {options.rounds} rounds of {len(found)} pages, {options.each} each")
        measure([each.subject for each in found], clients=1, rounds=options.rounds, each=options.each)
        tell(figures(found), as_json=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(program.run(lambda: main(sys.argv[1:]), is_loaded=True))
