"""Measure whether pages and sends slow down with more messages in a conversation and more conversations.

.venv/bin/python -m tools.bench.growth --messages 100 10000 --conversations 10 1000
"""

from __future__ import annotations

from cruddur.cli import program

if __name__ == "__main__":
    # What follows takes long to import.
    program.watch_for_ctrl_c()

import sys
from argparse import ArgumentParser
from collections.abc import Sequence

from .figures import add_json_option, tell
from .growth_figures import figures
from .stack import NO_LIMITS, say, stack, web_server
from .timing import measure

MESSAGES = (100, 1_000, 10_000, 100_000)
CONVERSATIONS = (10, 20, 100, 1_000, 10_000)
ROUNDS, EACH = 40, 3


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
