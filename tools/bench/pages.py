"""Measure each page through the whole stack, compared with the minimum and with other systems.

.venv/bench/bin/python -m tools.bench.pages --json
"""

from __future__ import annotations

from cruddur.cli import program

if __name__ == "__main__":
    # What follows takes long to import.
    program.watch_for_ctrl_c()

import importlib.util
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from .bare import BARE_PAGE
from .figures import Figure, add_json_option, tell
from .stack import NO_LIMITS, Server, say, stack, web_server
from .timing import PERCENTILES, Subject, at, measure, together

CONVERSATIONS = 500
"""Conversations of the person whose pages are measured."""
MESSAGES = 100
"""Messages in the opened conversation."""
CLIENTS = (1, 16)
ROUNDS, EACH = 40, 5
"""Repetitions of one client. Several clients share the same number of requests, at least one per round each."""
PLAIN = "tools.bench.plain_asgi:application"


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the site and the subjects that it is compared with, by their names."""

    name: str
    calls: str | None = None
    """The bare calls that the page needs, if any."""
    old: str | None = None
    others: str | None = None
    """django-postman's page."""


PAGES = (
    Page("conversations", "bare calls/conversations", "old system/conversations", "django-postman/inbox"),
    Page("thread", "bare calls/thread", "old system/thread", "django-postman/thread"),
    Page("older", "bare calls/older"),
    Page("send", "bare calls/send", "old system/send", "django-postman/reply"),
    Page("search"),
)


def servers(end: ExitStack) -> tuple[Server, Server, Server | None]:
    """Start the site, a bare Django site, and django-postman's if that is installed."""
    site = end.enter_context(web_server())
    bare = end.enter_context(web_server(PLAIN, environment={"DJANGO_SETTINGS_MODULE": "tools.bench.bare.settings"}))
    if importlib.util.find_spec("postman") is None:
        say("django-postman is not installed, and is left out: `make packages-bench`, then .venv/bench/bin/python")
        return site, bare, None
    environment = {"DJANGO_SETTINGS_MODULE": "tools.bench.postman_site.settings"}
    return site, bare, end.enter_context(web_server(PLAIN, environment=environment))


def figures(subjects: Sequence[Subject], clients: int) -> Iterator[Figure]:
    """Yield the figures of all subjects, and of each page compared with its counterparts."""
    by_name = {subject.name: subject for subject in subjects}
    at_once = f"{clients} client{'s' if clients > 1 else ''}"
    for subject in subjects:
        if subject.name not in {page.name for page in PAGES}:
            yield from subject.figures(f"pages/{subject.name}/{at_once}")
    for page in PAGES:
        subject, name = by_name[page.name], f"pages/{page.name}/{at_once}"
        parts = [by_name[each] for each in (page.calls, BARE_PAGE) if each]
        least = [
            Figure(f"pages/bare calls and page/{page.name}/{at_once}/p{each}", at(together(*parts), each), "ms")
            for each in PERCENTILES
        ]
        yield from least
        for figure, beside in zip(subject.figures(name), (*least, None), strict=False):
            yield figure.against(beside) if beside else figure
        for other in (page.old, page.others):
            if other in by_name:
                theirs = Figure(f"pages/{other}/{at_once}/p50", at(by_name[other].times, 50), "ms")
                ours = Figure(f"{name}/p50 beside {other.split('/')[0]}", at(subject.times, 50), "ms")
                yield ours.against(theirs)


def main(arguments: Sequence[str]) -> int:
    parser = ArgumentParser(prog="tools.bench.pages", description="Measure how long pages take, beside others.")
    parser.add_argument("--conversations", type=int, default=CONVERSATIONS, help=f"the person has ({CONVERSATIONS})")
    parser.add_argument("--messages", type=int, default=MESSAGES, help=f"in the conversation ({MESSAGES})")
    parser.add_argument("--clients", type=int, nargs="+", default=CLIENTS, help="at once (1 16)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"in which all take turns ({ROUNDS})")
    parser.add_argument("--each", type=int, default=EACH, help=f"requests of one client in a round ({EACH})")
    add_json_option(parser)
    options = parser.parse_args(arguments)
    with stack(environment=NO_LIMITS), ExitStack() as end:
        from .page_subjects import Scene, subjects  # noqa: PLC0415 - once Django is set up

        say("pages: filling the table and the database")
        scene = Scene.set(conversations=options.conversations, messages=options.messages, writers=max(options.clients))
        found: list[Figure] = []
        made = subjects(scene, *servers(end))
        for clients in options.clients:
            fresh = [replace(each, times=[], cpu_seconds=0.0) for each in made]
            each = max(1, options.each // clients)
            say(f"pages: {clients} at once, {options.rounds} rounds of {len(fresh)} subjects, {each} each")
            measure(fresh, clients=clients, rounds=options.rounds, each=each)
            found += figures(fresh, clients)
        tell(found, as_json=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(program.run(lambda: main(sys.argv[1:]), is_loaded=True))
