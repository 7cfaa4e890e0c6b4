"""Writing in a conversation: what the tests of it look at and do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field as dataclass_field

from playwright.sync_api import Locator, Page, Request, Route

from .conftest import Enter

STATUS = ".message__status"


def open_with(page: Page, name: str) -> Page:
    """Open the conversation with someone from the list; returns when the page is there."""
    page.get_by_role("navigation", name="Conversations").get_by_role("link", name=name).first.click()
    page.wait_for_url(re.compile(r"/messages/[0-9a-f-]{36}"))
    page.wait_for_load_state("load")
    return page


def writing_to(enter: Enter, name: str = "Alt Brown", *, handle: str = "andrewbrown", **options: object) -> Page:
    """Sign someone in and open a conversation."""
    return open_with(enter(handle, **options), name)


def field(page: Page) -> Locator:
    return page.locator("#composer-text")


def write(page: Page, *texts: str) -> None:
    """Type and send, by the keyboard."""
    for text in texts:
        field(page).fill(text)
        field(page).press("Enter")


def message(page: Page, text: str) -> Locator:
    """Return the messages in the thread with this text, stored or not."""
    return page.locator(".thread__log li.message").filter(has=page.get_by_text(text, exact=True))


def is_stored(text: Locator) -> Locator:
    """Return those of these messages that the server has acknowledged."""
    return text.and_(text.page.locator(".message[id]"))


def last_texts(page: Page, number: int) -> list[str]:
    return page.locator(".thread__log .message__text").all_inner_texts()[-number:]


def row(page: Page, name: str) -> Locator:
    """Return the entry of a conversation in the list."""
    return page.locator("li.conversation").filter(has=page.get_by_role("link", name=name))


def unsent(page: Page) -> list[str]:
    """Return the names of the messages in the browser's outbox."""
    found: list[str] = page.evaluate("Object.keys(localStorage).filter((name) => name.includes(':outbox:'))")
    return found


def is_send(request: Request) -> bool:
    return request.method == "POST" and re.search(r"/messages/[0-9a-f-]{36}$", request.url) is not None


def without_news(page: Page) -> Page:
    """Block all events, so that the page learns only from the answers to its sends."""
    page.context.route("**/messages/stream", lambda route: route.abort())
    page.context.route("**/since?*", lambda route: route.abort())
    return page


@dataclass
class Sends:
    """The sends of a page."""

    bodies: list[str | None] = dataclass_field(default_factory=list)


@contextmanager
def answering_sends(page: Page, *answers: dict[str, object] | str) -> Iterator[Sends]:
    """Answer the first sends of the block with these instead of the server's answers; yield the sends.

    All others pass. "lost" lets the server store the message and loses its answer; "unreachable" never gets there.
    """
    sends = Sends()
    waiting = list(answers)

    def handle(route: Route) -> None:
        if not is_send(route.request):
            route.fallback()
            return
        sends.bodies.append(route.request.post_data)
        answer = waiting.pop(0) if waiting else None
        if answer is None:
            route.continue_()
        elif answer == "lost":
            route.fetch()
            route.abort("connectionreset")
        elif answer == "unreachable":
            route.abort("connectionrefused")
        else:
            assert isinstance(answer, dict)
            route.fulfill(**answer)  # type: ignore[arg-type]

    page.route("**/messages/*", handle)
    yield sends
    waiting.clear()
