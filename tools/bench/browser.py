"""Measure in a browser: bytes, first paint, typing, memory, and delivery to another browser.

.venv/bin/python -m tools.bench.browser --messages 200 --loads 9 --older 10000
"""

from __future__ import annotations

from cruddur.cli import program

if __name__ == "__main__":
    # What follows takes long to import.
    program.watch_for_ctrl_c()

import os
import shutil
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, Request, Route, sync_playwright

from cruddur.web.cookies import cookie_names

from . import browser_scripts as scripts
from .figures import Figure, add_json_option, at_percentiles, tell
from .stack import NO_LIMITS, Person, Server, say, signed_in, stack, web_server

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
]
LONG_THREAD = 1000
KEYS = 100
WORK = {"script": "ScriptDuration", "style": "RecalcStyleDuration", "layout": "LayoutDuration"}
"""Kinds of the browser's work, with Chromium's names."""
KEY_PAUSE = 60
"""Milliseconds between two keys, as of a fast typist."""
PAUSE = 200
"""Milliseconds between two messages; stays below the rate limits."""
SETTLED = 1000
"""Milliseconds until a page is idle, with its stream open and missing parts loaded."""
LIST = 40
"""Conversations in the reader's list."""


@dataclass(frozen=True)
class Talks:
    """The people and addresses to visit."""

    reader: Person
    writer: Person
    long: str
    older: str
    short: str


@dataclass(frozen=True)
class Site:
    """The browser at the site."""

    browser: Browser
    url: str

    @contextmanager
    def visit(self, person: Person) -> Iterator[BrowserContext]:
        """Open a new browser profile in which the person is signed in."""
        context = self.browser.new_context(base_url=self.url, viewport={"width": 1280, "height": 800})
        context.set_default_timeout(120_000)
        names = cookie_names(os.environ["APP_URL"])
        context.add_cookies(
            [
                {"name": names.session, "value": person.session, "url": self.url},
                {"name": names.timezone, "value": "UTC", "url": self.url},
            ]
        )
        context.route("**/bare", bare_page)
        yield context
        context.close()


def bare_page(route: Route, request: Request) -> None:
    """Serve a page with only a text field, from the same origin."""
    route.fulfill(content_type="text/html", body=scripts.BARE_PAGE)


# --- First load -------------------------------------------------------------------------------------------------------


def first_loads(site: Site, talks: Talks, *, loads: int) -> Iterator[Figure]:
    """Yield medians of several loads with an empty cache, compared with a bare page."""
    bare = None
    for name, path in (("a bare page", "/bare"), ("the list", "/messages"), ("a conversation", talks.short)):
        found = [first_load(site, talks.reader, path) for _ in range(loads)]
        paint = Figure(
            f"browser/first load/{name}/first contentful paint", median(each["paint"] for each in found), "ms"
        )
        if bare is None:
            bare = paint
            yield paint
            continue
        yield paint.against(bare)
        yield Figure(
            f"browser/first load/{name}/largest contentful paint", median(each["largest"] for each in found), "ms"
        )
        yield Figure(f"browser/first load/{name}/compressed bytes", median(each["bytes"] for each in found), "bytes")
        yield Figure(f"browser/first load/{name}/requests", median(each["requests"] for each in found), "requests")
        before = median(each["before"] for each in found)
        yield Figure(f"browser/first load/{name}/requests before the first paint", before, "requests")


def first_load(site: Site, person: Person, path: str) -> dict[str, float]:
    with site.visit(person) as context:
        page = context.new_page()
        received: list[float] = []
        network = context.new_cdp_session(page)
        network.send("Network.enable")
        network.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
        page.goto(path, wait_until="load")
        page.wait_for_timeout(SETTLED)
        found: dict[str, float] = page.evaluate(scripts.PAINTS)
        return {**found, "bytes": sum(received)}


# --- Typing -----------------------------------------------------------------------------------------------------------


def typing(site: Site, talks: Talks) -> Iterator[Figure]:
    """Measure typing in a conversation with a thousand messages on the page, and in a bare page."""
    with site.visit(talks.reader) as context:
        bare = typed(context.new_page(), "/bare", 0)
        here = typed(context.new_page(), talks.long, LONG_THREAD)
    for kind, unit_of in (("key to frame", "frames"), ("key to paint as the browser tells", "events")):
        others = list(at_percentiles(f"browser/typing/on a bare page/{kind}", bare[unit_of]))
        yield from others
        figures = at_percentiles(f"browser/typing/among {LONG_THREAD:,} messages/{kind}", here[unit_of])
        yield from (each.against(other) for each, other in zip(figures, others, strict=True))
    for kind in WORK:
        other = Figure(f"browser/typing/on a bare page/{kind} a key", bare[kind][0], "ms")
        yield other
        yield Figure(f"browser/typing/among {LONG_THREAD:,} messages/{kind} a key", here[kind][0], "ms").against(other)


def typed(page: Page, path: str, messages: int) -> dict[str, list[float]]:
    """Return the milliseconds of each key until the next frame, and Event Timing's durations (16 for those it omits).

    The names in `WORK` have the browser's total work, per key.
    """
    inspector = page.context.new_cdp_session(page)
    inspector.send("Performance.enable")
    page.goto(path)
    if messages:
        page.wait_for_timeout(SETTLED)
        page.evaluate(scripts.PAGE_BACK, messages)
    field = page.locator("#composer-text")
    field.click()
    page.wait_for_timeout(SETTLED)
    page.evaluate(scripts.WATCH_KEYS)
    before = metrics(inspector)
    for number in range(KEYS):
        page.keyboard.press("Space" if number % 6 == 5 else "abcde"[number % 6])  # noqa: PLR2004
        page.wait_for_timeout(KEY_PAUSE)
    page.wait_for_timeout(SETTLED)
    after = metrics(inspector)
    found: dict[str, list[float]] = page.evaluate(scripts.KEYS_SEEN)
    page.close()
    return found | {kind: [1000 * (after[name] - before[name]) / KEYS] for kind, name in WORK.items()}


def metrics(inspector: CDPSession) -> dict[str, float]:
    """Return Chromium's performance metrics of a page: seconds, bytes, counts."""
    return {each["name"]: each["value"] for each in inspector.send("Performance.getMetrics")["metrics"]}


# --- Memory -----------------------------------------------------------------------------------------------------------


def paging_back(site: Site, talks: Talks, *, older: int) -> Iterator[Figure]:
    """Measure the page's memory after loading so many older messages, and the time of each window."""
    with site.visit(talks.reader) as context:
        page = context.new_page()
        inspector = context.new_cdp_session(page)
        inspector.send("Performance.enable")
        inspector.send("HeapProfiler.enable")
        page.goto(talks.older)
        page.wait_for_timeout(SETTLED)
        fresh = memory(inspector)
        times: list[float] = page.evaluate(scripts.PAGE_BACK, older)
        page.wait_for_timeout(SETTLED)
        full = memory(inspector)
    shown = f"browser/memory/after paging back {older:,} messages"
    for name, unit in (("heap", "MB"), ("nodes", "nodes")):
        loaded = Figure(f"browser/memory/freshly loaded/{name}", fresh[name], unit)
        yield loaded
        yield Figure(f"{shown}/{name}", full[name], unit).against(loaded)
    few = max(1, len(times) // 10)
    first = Figure("browser/paging back/the first windows", median(times[:few]), "ms")
    yield first
    yield Figure("browser/paging back/the last windows", median(times[-few:]), "ms").against(first)


def memory(inspector: CDPSession) -> dict[str, float]:
    """Return the megabytes of the JavaScript heap and the number of DOM nodes after garbage collection."""
    inspector.send("HeapProfiler.collectGarbage")
    found = metrics(inspector)
    return {"heap": found["JSHeapUsedSize"] / 1e6, "nodes": found["Nodes"]}


# --- From one browser to another --------------------------------------------------------------------------------------


def delivery(site: Site, talks: Talks, *, messages: int) -> Iterator[Figure]:
    """Measure from Enter in one browser to the frame that shows the message in the other; both send in turn."""
    with site.visit(talks.reader) as one, site.visit(talks.writer) as other:
        pages = []
        for context in (one, other):
            context.add_init_script(scripts.STAMPS)
            page = context.new_page()
            page.goto(talks.short)
            page.wait_for_timeout(2 * SETTLED)
            pages.append(page)
        own, others = [], []
        for number in range(messages):
            sender, receiver = pages[number % 2], pages[1 - number % 2]
            text = f"Message {number} of {messages}"
            field = sender.locator("#composer-text")
            field.fill(text)
            field.press("Enter")
            seen = receiver.wait_for_function("(text) => stamps[text]?.seen", arg=text).json_value()
            stamps = sender.evaluate("(text) => stamps[text]", text)
            others.append(seen - stamps["sent"])
            own.append(stamps["seen"] - stamps["sent"])
            sender.wait_for_timeout(PAUSE)
    mine = list(at_percentiles("browser/send to visible/on one's own page", own))
    yield from mine
    figures = at_percentiles("browser/send to visible/in the other browser", others)
    yield from (each.against(it) for each, it in zip(figures, mine, strict=True))


def begin_talks(older: int) -> Talks:
    """Create a reader with a list of conversations, one of a thousand messages, and one to page through."""
    from django.utils import timezone  # noqa: PLC0415 - once the environment names the stack

    from messaging.domain.entities import pair_group_uuid  # noqa: PLC0415
    from messaging.dynamodb.connection import message_table  # noqa: PLC0415
    from messaging.operations.seeding import SyntheticSeeding  # noqa: PLC0415
    from messaging.operations.synthetic import SyntheticConversation  # noqa: PLC0415

    reader = signed_in("reader", "Andrew Brown")
    others = [signed_in(f"writer_{number}x", f"Bayko {number}") for number in range(LIST)]
    lengths = [older + 100, LONG_THREAD + 100, *(20 for _ in others[2:])]
    told = [SyntheticConversation((reader.uuid, other.uuid), length, f"browser/{other.handle}")
            for other, length in zip(others, lengths, strict=True)]  # fmt: skip
    SyntheticSeeding(message_table(), timezone.now()).write(iter(told))
    paths = [f"/messages/{pair_group_uuid(reader.uuid, other.uuid)}" for other in others]
    return Talks(reader, others[2], long=paths[1], older=paths[0], short=paths[2])


def measure(server: Server, talks: Talks, *, messages: int, loads: int, older: int) -> Iterator[Figure]:
    """Yield all figures, measured in one Chromium. Raises SystemExit if there is no Chromium."""
    chromium = shutil.which("chromium-headless-shell") or shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("There is no Chromium on this machine: install it (on Debian: apt install chromium).")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        try:
            site = Site(browser, f"http://localhost:{server.port}")
            say(f"browser: first loads, {loads} each")
            yield from first_loads(site, talks, loads=loads)
            say(f"browser: {messages} messages from one to the other")
            yield from delivery(site, talks, messages=messages)
            say(f"browser: typing, {KEYS} keys on each page")
            yield from typing(site, talks)
            say(f"browser: paging back through {older:,} messages")
            yield from paging_back(site, talks, older=older)
        finally:
            browser.close()


def run(*, messages: int, loads: int, older: int) -> Iterator[Figure]:
    """Yield all figures, measured on a separate stack."""
    with stack(environment=NO_LIMITS):
        talks = begin_talks(older)
        with web_server() as server:
            yield from measure(server, talks, messages=messages, loads=loads, older=older)


def main(arguments: Sequence[str]) -> int:
    parser = ArgumentParser(prog="tools.bench.browser", description="Measure what a browser is given and how it feels.")
    parser.add_argument("--messages", type=int, default=100, help="sent from one browser to the other (100)")
    parser.add_argument("--loads", type=int, default=5, help="of each page with an empty cache (5)")
    parser.add_argument("--older", type=int, default=10_000, help="messages that are paged back through (10000)")
    add_json_option(parser)
    options = parser.parse_args(arguments)
    # Playwright's sync API keeps an event loop in this thread, in which Django refuses to run.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    tell(run(messages=options.messages, loads=options.loads, older=options.older), as_json=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(program.run(lambda: main(sys.argv[1:]), is_loaded=True))
