"""How long a message takes from the key in one browser to the eye in another. See README.md beside this.

.venv/bin/python -m bench.live_browser http://localhost:8000 --messages 200
"""

from __future__ import annotations

import shutil
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from statistics import quantiles

from playwright.sync_api import Browser, Page, sync_playwright

PEOPLE = (("andrewbrown", "Londo"), ("londo", "Andrew Brown"))
PASSWORD = "Cruddur123!"  # noqa: S105 - of the seed, on the local stack
PAUSE = 700
"""Milliseconds between two messages, so that nobody writes faster than the rate limit lets them."""

# Times are of one clock, as all is on one machine: when Enter was pressed, and the frame in which the message stands.
STAMPS = """
globalThis.stamps = {};
const now = () => performance.timeOrigin + performance.now();
addEventListener("keydown", ({ key, target }) => { if (key === "Enter") stamps[target.value] ??= now(); }, true);
addEventListener("DOMContentLoaded", () => {
  new MutationObserver(() => {
    const text = [...document.querySelectorAll(".thread__log .message__text")].at(-1)?.textContent;
    if (text && !stamps[text]) requestAnimationFrame(() => { stamps[text] ??= now(); });
  }).observe(document.body, { childList: true, subtree: true });
});
"""


def conversation_of(browser: Browser, url: str, handle: str, other: str) -> Page:
    """The page of the conversation of the two, signed in."""
    context = browser.new_context(base_url=url)
    context.add_init_script(STAMPS)
    page = context.new_page()
    page.goto("/")
    page.get_by_role("button", name="Sign in to chat").click()
    page.locator("[name=username]").fill(f"{handle}@cruddur.example")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[type=submit]").click()
    page.get_by_role("navigation", name="Conversations").get_by_role("link", name=other).first.click()
    page.locator("#composer-text").wait_for()
    page.wait_for_timeout(2_000)  # until its stream is open and all is quiet
    return page


def stamp(page: Page, text: str) -> float:
    """When this text was sent or seen on the page, in milliseconds."""
    found: float = page.wait_for_function("(text) => stamps[text]", arg=text).json_value()
    return found


def measure(url: str, messages: int) -> list[float]:
    """Milliseconds of each message; the two write in turn."""
    chromium = shutil.which("chromium-headless-shell") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        pages = [conversation_of(browser, url, handle, other) for handle, other in PEOPLE]
        times: list[float] = []
        for number in range(messages):
            sender, receiver = pages[number % 2], pages[1 - number % 2]
            text = f"Message {number} of {messages}, {id(times)}"
            field = sender.locator("#composer-text")
            field.fill(text)
            field.press("Enter")
            times.append(stamp(receiver, text) - stamp(sender, text))
            sender.wait_for_timeout(PAUSE)
        browser.close()
    return times


def main(arguments: Sequence[str] | None = None) -> None:
    parser = ArgumentParser(description="How long a message takes from the key in one browser to the eye in another.")
    parser.add_argument("url", help="where the site is, with the people of the seed")
    parser.add_argument("--messages", type=int, default=200)
    options = parser.parse_args(arguments)
    times = sorted(measure(options.url, options.messages))
    cuts = quantiles(times, n=100)
    sys.stdout.write(
        f"{len(times)} messages: p50 {cuts[49]:.0f} ms, p95 {cuts[94]:.0f} ms, p99 {cuts[98]:.0f} ms, "
        f"longest {times[-1]:.0f} ms\n"
    )


if __name__ == "__main__":
    main()
