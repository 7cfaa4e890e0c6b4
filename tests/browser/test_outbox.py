"""A sent message appears in the thread at once, and is stored once and in order despite network failures."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.cookies import COOKIES

from .conftest import Enter
from .writing import (
    STATUS,
    answering_sends,
    field,
    is_send,
    is_stored,
    last_texts,
    message,
    open_with,
    row,
    unsent,
    without_news,
    write,
    writing_to,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NOTE_WAITS = """() => {
  globalThis.waits = [];
  const wait = globalThis.setTimeout;
  globalThis.setTimeout = (work, ms, ...rest) => (waits.push(ms), wait(work, ms, ...rest));
}"""
AWAY = {"status": 503, "headers": {"Retry-After": "1"}, "json": {"error": "unavailable"}}


def reloaded(page: Page) -> Page:
    """Reload the page once nothing is left to send.

    An event may show a message before its send is answered.
    """
    page.wait_for_function("() => !Object.keys(localStorage).some((name) => name.includes(':outbox:'))")
    page.reload()
    return page


def test_new_message_appears_in_thread_before_it_is_sent(enter: Enter) -> None:
    page = writing_to(enter)
    page.context.set_offline(True)
    write(page, "Look: https://example.com/a")

    sending = message(page, "Look: https://example.com/a")
    expect(sending).to_have_attribute("data-state", "sending")
    expect(sending.locator(STATUS)).to_have_text("1 waiting to be sent")
    expect(sending.get_by_role("link")).to_have_count(0)
    expect(sending).to_be_in_viewport()
    page.context.set_offline(False)

    expect(is_stored(message(page, "Look: https://example.com/a"))).to_have_count(1, timeout=8_000)
    stored = page.locator(".message[id]").last
    expect(stored.get_by_role("link", name="https://example.com/a")).to_have_attribute(
        "rel", "noopener noreferrer nofollow"
    )
    expect(stored.locator(STATUS)).to_have_text("Sent")


def test_messages_written_offline_are_sent_in_order(enter: Enter) -> None:
    page = writing_to(enter)
    page.context.set_offline(True)
    write(page, "First", "Second", "Third")

    expect(page.locator(STATUS)).to_have_text(["3 waiting to be sent"])
    page.context.set_offline(False)

    expect(is_stored(message(page, "Third"))).to_have_count(1, timeout=8_000)
    assert last_texts(reloaded(page), 3) == ["First", "Second", "Third"]


def test_messages_written_at_once_keep_their_order(enter: Enter) -> None:
    page = writing_to(enter)
    texts = [f"Line {number}" for number in range(8)]

    write(page, *texts)

    expect(is_stored(message(page, texts[-1]))).to_have_count(1)
    assert last_texts(page, 8) == texts
    assert last_texts(reloaded(page), 8) == texts


def test_retry_after_lost_answer_stores_message_once(enter: Enter) -> None:
    page = open_with(without_news(enter("andrewbrown")), "Alt Brown")
    with answering_sends(page, "lost") as sends:
        write(page, "Only once")
        expect(is_stored(message(page, "Only once"))).to_have_count(1)

    assert len(sends.bodies) == 2
    assert len(set(sends.bodies)) == 1
    expect(message(reloaded(page), "Only once")).to_have_count(1)


def test_event_acknowledges_message_whose_answer_was_lost(enter: Enter) -> None:
    page = writing_to(enter)
    with answering_sends(page, "lost", *["unreachable"] * 99):
        write(page, "Heard of")
        expect(is_stored(message(page, "Heard of"))).to_have_count(1)
        expect(message(page, "Heard of").locator(STATUS)).to_have_text("Sent")

        assert not unsent(page)
    expect(message(reloaded(page), "Heard of")).to_have_count(1)


def test_failed_send_is_shown_and_stored_once_on_retry(enter: Enter) -> None:
    page = writing_to(enter)
    with answering_sends(page, {"status": 422, "json": {"error": "form_incomplete"}}, "lost"):
        write(page, "Try me")
        failed = message(page, "Try me")
        expect(failed).to_have_attribute("data-state", "failed")
        expect(failed.locator(STATUS)).to_contain_text("Not sent")
        expect(page.locator("#composer-alert")).to_contain_text("Not sent")
        expect(row(page, "Alt Brown")).to_contain_text("Not sent: Try me")
        failed.get_by_role("button", name="Try again").click()

        expect(is_stored(message(page, "Try me"))).to_have_count(1)
    expect(row(page, "Alt Brown")).not_to_contain_text("Not sent:")
    expect(message(reloaded(page), "Try me")).to_have_count(1)


def test_discarded_draft_is_gone(enter: Enter) -> None:
    page = writing_to(enter)
    with answering_sends(page, {"status": 422, "json": {"error": "form_incomplete"}}):
        write(page, "Better not")
        message(page, "Better not").get_by_role("button", name="Discard").click()

        expect(message(page, "Better not")).to_have_count(0)
    expect(field(page)).to_be_focused()
    expect(message(reloaded(page), "Better not")).to_have_count(0)


def test_unavailable_server_is_retried_after_retry_after(enter: Enter) -> None:
    page = writing_to(enter)
    page.evaluate(NOTE_WAITS)
    with answering_sends(page, {**AWAY, "headers": {"Retry-After": "3"}}) as sends:
        write(page, "Patience")
        expect(message(page, "Patience")).to_have_attribute("data-state", "sending")
        expect(is_stored(message(page, "Patience"))).to_have_count(1, timeout=30_000)

    assert len(sends.bodies) == 2
    assert 3000 in page.evaluate("waits")


def test_expired_csrf_token_is_fetched_again(enter: Enter) -> None:
    page = writing_to(enter)
    page.context.add_cookies([{"name": COOKIES.csrf, "value": "x" * 32, "url": page.url}])

    write(page, "As if nothing had happened")

    expect(is_stored(message(page, "As if nothing had happened"))).to_have_count(1)
    assert page.context.cookies(page.url)


def test_message_of_signed_out_page_is_sent_after_sign_in(enter: Enter) -> None:
    page = open_with(without_news(enter("andrewbrown")), "Alt Brown")
    session = next(cookie for cookie in page.context.cookies() if cookie["name"] == COOKIES.session)
    page.context.clear_cookies(name=COOKIES.session)
    write(page, "From before")

    failed = message(page, "From before")
    expect(failed.locator(STATUS)).to_contain_text("you are signed out")
    expect(failed.get_by_role("link", name="Sign in")).to_be_visible()
    page.context.add_cookies([session])  # type: ignore[list-item]
    failed.get_by_role("button", name="Try again").click()

    expect(is_stored(message(page, "From before"))).to_have_count(1)


def test_next_page_sends_unsent_messages_of_the_last(enter: Enter) -> None:
    page = writing_to(enter)
    url = page.url
    with answering_sends(page, *["unreachable"] * 99):
        write(page, "Left behind", "And this")
        expect(message(page, "And this")).to_have_attribute("data-state", "sending")
        page.goto("/settings")
    page.goto(url)

    expect(is_stored(message(page, "And this"))).to_have_count(1, timeout=8_000)
    assert last_texts(reloaded(page), 2) == ["Left behind", "And this"]


def test_two_tabs_send_what_is_in_their_outbox_once(enter: Enter) -> None:
    page = writing_to(enter)
    other = page.context.new_page()
    other.goto(page.url)
    page.context.set_offline(True)
    write(page, "One outbox", "Two tabs")
    expect(message(other, "Two tabs")).to_have_attribute("data-state", "sending")
    sends: list[str | None] = []
    page.context.on("request", lambda request: sends.append(request.post_data) if is_send(request) else None)
    page.context.set_offline(False)

    for tab in (page, other):
        expect(is_stored(message(tab, "Two tabs"))).to_have_count(1, timeout=8_000)
        expect(message(tab, "One outbox")).to_have_count(1)
    assert len(sends) == len(set(sends)) == 2


def test_reused_uuid_is_replaced_when_user_retries(enter: Enter) -> None:
    page = writing_to(enter)
    conflict = {"status": 409, "json": {"error": "message_uuid_reused"}}
    with answering_sends(page, conflict) as sends:
        write(page, "Another text")
        message(page, "Another text").get_by_role("button", name="Try again").click()
        expect(is_stored(message(page, "Another text"))).to_have_count(1)

    first, second = (re.search(r"message_uuid=([^&]+)", body or "") for body in sends.bodies)
    assert first
    assert second
    assert first[1] != second[1]


def test_first_message_creates_conversation_and_opens_it(enter: Enter) -> None:
    page = enter("londo")
    page.goto("/messages/new/jurgen")
    with answering_sends(page):
        write(page, "Guten Tag")
    page.wait_for_url(re.compile(r"/messages/[0-9a-f-]{36}"))

    expect(is_stored(message(page, "Guten Tag"))).to_have_count(1)
    expect(field(page)).to_have_value("")


def test_sending_scrolls_from_old_messages_to_newest(enter: Enter) -> None:
    page = open_with(enter("bayko"), "Andrew Brown")
    page.goto(page.url.partition("#")[0].partition("?")[0] + "?" + earliest(page))
    write(page, "Down here")

    expect(is_stored(message(page, "Down here"))).to_have_count(1, timeout=8_000)
    expect(message(page, "Down here")).to_be_in_viewport()


def earliest(page: Page) -> str:
    """Return the query of the window before the one shown."""
    href = page.get_by_role("link", name="Earlier messages").first.get_attribute("href") or ""
    return href.partition("?")[2]


def test_sent_message_is_removed_from_outbox(enter: Enter) -> None:
    page = writing_to(enter)
    write(page, "Gone from here")
    expect(is_stored(message(page, "Gone from here"))).to_have_count(1)

    assert not unsent(page)
    assert not page.evaluate("JSON.stringify(localStorage).includes('Gone from here')")
