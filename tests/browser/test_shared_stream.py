"""One stream serves all tabs of a person in a browser, and ends with the person."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.cookies import COOKIES

from .chat import conversation, first_line, messages, open_conversation, wait_until_heard, write
from .conftest import Enter, SignIn, fill_in_sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def another_tab(page: Page, path: str = "/messages") -> Page:
    tab = page.context.new_page()
    tab.goto(path)
    wait_until_heard(tab, "live:up")
    return tab


def count_streams(page: Page) -> list[str]:
    """Return a list that grows with each stream that the tabs of this browser open from now on."""
    streams: list[str] = []
    page.context.on("request", lambda request: streams.append(request.url) if request.url.endswith("/stream") else None)
    return streams


def test_two_tabs_have_one_stream_and_both_follow(enter: Enter) -> None:
    first = enter("andrewbrown")
    wait_until_heard(first, "live:up")
    streams = count_streams(first)
    second = another_tab(first)
    londo = open_conversation(enter("londo"), "Andrew Brown")

    write(londo, "To both")

    for tab in (first, second):
        expect(first_line(tab)).to_contain_text("To both")
    assert streams == []


def test_a_tab_without_the_list_says_how_much_is_unread(enter: Enter) -> None:
    settings = enter("andrewbrown", "/settings")
    badge = settings.locator(".badge[data-unread] [data-count]")
    expect(badge).to_be_visible()
    before = int(badge.inner_text())
    londo = open_conversation(enter("londo"), "Andrew Brown")

    write(londo, "Not where you are")

    expect(badge).to_have_text(str(before + 1))
    expect(settings).to_have_title(re.compile(rf"^\({before + 1}\) "))


def test_remaining_tab_takes_over_stream_of_closed_tab(enter: Enter) -> None:
    first = enter("andrewbrown")
    wait_until_heard(first, "live:up")
    second = another_tab(first)
    londo = open_conversation(enter("londo"), "Andrew Brown")

    with second.expect_request("**/messages/stream"):
        first.close()
    wait_until_heard(second, "live:up", times=2)
    write(londo, "Still there?")

    expect(first_line(second)).to_contain_text("Still there?")


def test_two_tabs_agree_on_what_is_read(enter: Enter) -> None:
    reading = open_conversation(enter("andrewbrown"), "Londo")
    looking = another_tab(reading)
    londo = open_conversation(enter("londo"), "Andrew Brown")
    title = looking.title()

    with reading.expect_response("**/read"):
        write(londo, "Read it once")
    expect(messages(reading).last).to_have_text("Read it once")

    expect(first_line(looking)).to_contain_text("Read it once")
    expect(first_line(looking).locator(".badge")).to_have_count(0)
    expect(looking).to_have_title(title)


def test_a_page_that_comes_back_out_of_the_history_follows_again(enter: Enter) -> None:
    page = enter("andrewbrown")
    wait_until_heard(page, "live:up")
    persisted = "(name) => dispatchEvent(new PageTransitionEvent(name, { persisted: true }))"
    page.evaluate(persisted, "pagehide")

    with page.expect_request("**/messages/stream"):
        page.evaluate(persisted, "pageshow")
    wait_until_heard(page, "live:up", times=2)
    londo = open_conversation(enter("londo"), "Andrew Brown")
    write(londo, "Welcome back")

    expect(first_line(page)).to_contain_text("Welcome back")


def test_signing_out_ends_the_streams_and_clears_what_was_kept(sign_in: SignIn) -> None:
    page = sign_in("andrewbrown")
    wait_until_heard(page, "live:up")
    keep = "() => localStorage.setItem(`cruddur:${document.body.dataset.user}:drafts`, 'secret')"
    page.evaluate(keep)
    other = another_tab(page)
    page.goto("/settings")

    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/")

    assert "secret" not in page.evaluate("() => Object.values(localStorage)")
    # The other tab shows nothing any more either, and has not signed in again by itself.
    expect(other.get_by_role("button", name="Sign in to chat")).to_be_visible()


def test_next_user_of_browser_finds_no_stored_data(sign_in: SignIn, enter: Enter) -> None:
    page = sign_in("andrewbrown")
    wait_until_heard(page, "live:up")
    page.evaluate("() => localStorage.setItem(`cruddur:${document.body.dataset.user}:drafts`, 'secret')")
    page.context.clear_cookies(name=COOKIES.session)  # as when the session has run out
    page.goto("/messages")
    page.get_by_role("button", name="Sign in to chat").click()
    fill_in_sign_in(page, "londo")
    page.wait_for_url("**/messages")
    wait_until_heard(page, "live:up")

    assert "secret" not in page.evaluate("() => Object.values(localStorage)")
    bayko = open_conversation(enter("bayko"), "Andrew Brown")
    write(bayko, "For Andrew")
    bayko.goto("/messages")
    write(open_conversation(bayko, "Londo"), "For Londo")
    expect(conversation(page, "Bayko")).to_contain_text("For Londo")
    expect(page.locator("body")).not_to_contain_text("For Andrew")
