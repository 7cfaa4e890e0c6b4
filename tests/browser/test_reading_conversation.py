"""Reading a conversation in Chromium: where it opens, both ways through it, and what counts as read."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import quote

import pytest
from playwright.sync_api import Locator, Page, Request, Route, expect

from messaging.domain.entities import Message
from messaging.dynamodb.table import MessageTable

from .conftest import SignIn
from .talks import MEASURE_SHIFTS, say, shifts, talk

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]

SCRIPT = pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
TALL = {"width": 1280, "height": 720}


@pytest.fixture
def jurgen(sign_in: SignIn) -> Callable[..., Page]:
    """Open Jürgen's browser, which measures layout shifts."""

    def jurgen(**options: object) -> Page:
        page = sign_in("jurgen", viewport=TALL, **options)
        page.context.add_init_script(MEASURE_SHIFTS)
        return page

    return jurgen


def url_of(messages: list[Message]) -> str:
    return f"/messages/{messages[0].group_uuid}"


def line(page: Page, number: int) -> Locator:
    return page.locator(f"li.message[data-seq='{number}']")


def numbers(page: Page) -> list[int]:
    found: list[int] = page.locator("li.message").evaluate_all("all => all.map((each) => Number(each.dataset.seq))")
    return found


def top_of(target: Locator) -> float:
    box = target.bounding_box()
    assert box is not None
    return box["y"]


def wheel_to(page: Page, target: Locator, *, by: int) -> None:
    """Scroll the log as somebody with a wheel does until the message is in view."""
    page.locator(".thread__log").hover()
    for _ in range(200):
        if target.count() and target.evaluate(
            "(each) => { const { top, bottom } = each.getBoundingClientRect();"
            " return bottom > 70 && top < innerHeight - 100; }"
        ):
            return
        page.mouse.wheel(0, by)
        page.evaluate("() => new Promise(requestAnimationFrame)")
    raise AssertionError("it never came into view")


def is_read(request: Request) -> bool:
    return request.method == "POST" and request.url.endswith("/read")


@SCRIPT
@pytest.mark.parametrize("unread", [5, 60])
def test_conversation_opens_at_the_first_unread_message(
    jurgen: Callable[..., Page], table: MessageTable, script: bool, unread: int
) -> None:
    page = jurgen(java_script_enabled=script)
    talk(table, "londo", "jurgen", number=100, read=100 - unread)
    page.goto("/messages")
    page.get_by_role("link", name="Londo").click()

    expect(page.locator("#new")).to_have_text(f"{unread} new")
    expect(page.locator("#new")).to_be_in_viewport()
    expect(line(page, 100 - unread + 1)).to_be_in_viewport()


def test_scrolling_down_from_the_first_unread_reaches_the_newest_and_reads_all(
    jurgen: Callable[..., Page], table: MessageTable
) -> None:
    page = jurgen()
    messages = talk(table, "londo", "jurgen", number=80, read=20)
    page.goto(f"{url_of(messages)}#new")
    expect(page.locator("#new")).to_be_in_viewport()
    expect(page.locator(".jump")).to_have_text(re.compile("Jump to newest · [1-6]. new"))

    newest = quote(messages[-1].created_at)
    with page.expect_response(
        lambda response: is_read(response.request) and newest in (response.request.post_data or "")
    ):
        wheel_to(page, line(page, 80), by=400)
    expect(page.locator(".jump")).to_be_hidden()
    expect(page.locator(".thread__newer")).to_have_count(0)
    assert numbers(page)[-60:] == list(range(21, 81))
    page.goto("/messages")

    expect(page.get_by_role("link", name="Londo", exact=True)).to_be_visible()
    expect(page.locator("li.conversation--unread")).to_have_count(0)


def test_scrolling_back_reaches_the_first_of_a_thousand_messages(
    jurgen: Callable[..., Page], table: MessageTable
) -> None:
    page = jurgen()
    messages = talk(table, "londo", "jurgen", number=1000, read=1000, apart=timedelta(minutes=40))
    page.goto(url_of(messages))
    expect(line(page, 1000)).to_be_in_viewport()

    page.locator(".thread__log").hover()
    for _ in range(400):
        if line(page, 1).count():
            break
        page.mouse.wheel(0, -3000)
        page.wait_for_timeout(20)
    wheel_to(page, line(page, 1), by=-3000)

    assert numbers(page) == list(range(1, 1001))
    assert page.locator("section.day").count() == len({message.created_at[:10] for message in messages})
    assert shifts(page) == []


def test_visible_messages_stay_in_place_while_older_ones_load(jurgen: Callable[..., Page], table: MessageTable) -> None:
    page = jurgen()
    messages = talk(table, "londo", "jurgen", number=90, read=90)
    page.goto(url_of(messages))
    waiting: list[Route] = []
    page.route("**/messages?before=*", lambda route: waiting.append(route))  # noqa: PLW0108 # Playwright writes on it
    wheel_to(page, line(page, 71), by=-200)
    expect(page.get_by_role("link", name="Loading earlier messages")).to_be_visible()
    place = top_of(line(page, 75))

    waiting[0].continue_()
    expect(line(page, 60)).to_be_attached()

    assert top_of(line(page, 75)) == pytest.approx(place, abs=1)
    assert shifts(page) == []


@SCRIPT
def test_a_link_to_a_message_opens_the_thread_around_it(
    jurgen: Callable[..., Page], table: MessageTable, script: bool
) -> None:
    page = jurgen(java_script_enabled=script)
    messages = talk(table, "londo", "jurgen", number=80, read=80)
    at = messages[39].created_at
    page.goto(f"{url_of(messages)}?around={at.replace('+', '%2B')}#m{at}")

    expect(line(page, 40)).to_be_in_viewport()
    assert line(page, 40).evaluate("(each) => each.matches(':target')")
    expect(page.locator(".jump")).to_be_visible()
    if script:
        expect(line(page, 40)).to_be_focused()
        wheel_to(page, line(page, 80), by=800)
        wheel_to(page, line(page, 1), by=-1500)
        assert numbers(page) == list(range(1, 81))
    else:
        page.get_by_role("link", name="Later messages").click()
        expect(line(page, 50)).to_be_in_viewport()
        page.get_by_role("link", name="Jump to newest").click()
        expect(line(page, 80)).to_be_in_viewport()


def test_the_jump_counts_what_comes_in_and_leads_to_it(jurgen: Callable[..., Page], table: MessageTable) -> None:
    page = jurgen()
    messages = talk(table, "londo", "jurgen", number=60, read=60)
    with page.expect_response("**/messages/stream"):
        page.goto(url_of(messages))
    expect(page.locator(".jump")).to_be_hidden()
    wheel_to(page, line(page, 45), by=-300)
    jump = page.get_by_role("link", name="Jump to newest")
    expect(jump).to_have_text("Jump to newest", use_inner_text=True)
    place = top_of(line(page, 45))

    say("londo", "jurgen", "One more")
    expect(jump).to_have_text("Jump to newest · 1 new", use_inner_text=True)
    say("londo", "jurgen", "And one")
    expect(jump).to_have_text("Jump to newest · 2 new", use_inner_text=True)
    assert top_of(line(page, 45)) == pytest.approx(place, abs=1)
    assert shifts(page) == []

    jump.click()
    expect(page.get_by_text("And one").last).to_be_in_viewport()
    expect(jump).to_be_hidden()
    expect(page.locator(".thread__log")).to_be_focused()


def test_the_jump_loads_the_newest_messages_where_they_are_not_loaded(
    jurgen: Callable[..., Page], table: MessageTable
) -> None:
    page = jurgen()
    messages = talk(table, "londo", "jurgen", number=100, read=20)
    page.goto(f"{url_of(messages)}#new")
    page.get_by_role("link", name=re.compile("Jump to newest · [67]. new")).click()

    expect(line(page, 100)).to_be_in_viewport()
    assert numbers(page) == list(range(81, 101))
    wheel_to(page, line(page, 62), by=-400)


def test_nothing_shifts_when_a_thread_opens(jurgen: Callable[..., Page], table: MessageTable) -> None:
    page = jurgen()
    messages = talk(table, "londo", "jurgen", number=60, read=50)
    for address in (url_of(messages), f"{url_of(messages)}#new", f"{url_of(messages)}?newest"):
        page.goto(address)
        expect(line(page, 55)).to_be_in_viewport()
        assert shifts(page) == []


def test_only_viewed_messages_are_marked_read(jurgen: Callable[..., Page], table: MessageTable) -> None:
    page = jurgen()
    messages = talk(table, "londo", "jurgen", number=5)
    page.context.add_init_script(
        "Object.defineProperty(document, 'visibilityState', { get: () => window.looked ? 'visible' : 'hidden' })"
    )
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if is_read(request) else None)
    page.goto(url_of(messages))
    expect(line(page, 5)).to_be_in_viewport()
    page.wait_for_timeout(600)
    assert asked == []

    with page.expect_request(is_read):
        page.evaluate("window.looked = true; document.dispatchEvent(new Event('visibilitychange'))")
