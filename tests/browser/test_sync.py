"""After any interruption a page shows what a fresh load shows."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, expect

from .chat import (
    delete,
    edit,
    expect_the_page_to_equal_its_reload,
    field,
    first_line,
    forget_heard,
    message,
    messages,
    open_conversation,
    wait_until_heard,
    write,
)
from .conftest import Enter, WebServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@contextmanager
def away(page: Page) -> Iterator[None]:
    """Cut the page off the network for the block; return once it is online again and has caught up."""
    page.context.set_offline(True)
    wait_until_heard(page, "live:down")
    yield
    forget_heard(page)
    page.context.set_offline(False)
    page.wait_for_function(
        "() => heard.lastIndexOf('conversation:synced') > heard.indexOf('live:up') && heard.includes('live:up')"
    )


def test_missed_messages_appear_without_a_reload(enter: Enter) -> None:
    andrew = open_conversation(enter("andrewbrown"), "Londo")
    londo = open_conversation(enter("londo"), "Andrew Brown")

    with away(andrew):
        for text in ("One", "Two", "Three"):
            write(londo, text)
            expect(messages(londo).last).to_have_text(text)
    expect(messages(andrew).last).to_have_text("Three")

    assert messages(andrew).all_inner_texts()[-3:] == ["One", "Two", "Three"]
    expect_the_page_to_equal_its_reload(andrew)


def test_missed_edits_and_deletions_of_older_messages_appear(enter: Enter) -> None:
    londo = open_conversation(enter("londo"), "Andrew Brown")
    for text in ("Keep", "Chnage", "Drop", "End"):
        write(londo, text)
        expect(messages(londo).last).to_have_text(text)
    andrew = open_conversation(enter("andrewbrown"), "Londo")

    with away(andrew):
        edit(londo, "Chnage", "Change")
        delete(londo, "Drop")
        write(londo, "New end")
        expect(messages(londo).last).to_have_text("New end")
    expect(messages(andrew).last).to_have_text("New end")

    expect(message(andrew, "Change")).to_be_visible()
    expect(message(andrew, "Drop")).to_have_count(0)
    expect_the_page_to_equal_its_reload(andrew)


def test_sync_does_not_disturb_reading_and_writing(enter: Enter) -> None:
    londo = open_conversation(enter("londo"), "Andrew Brown")
    write(londo, "Chnage")
    expect(messages(londo).last).to_have_text("Chnage")
    andrew = open_conversation(enter("andrewbrown"), "Londo")
    field(andrew).fill("Half a sentence")
    andrew.locator(".thread__log").evaluate("(log) => { log.scrollTop = -150; }")
    held = andrew.locator(".message").nth(-5).get_attribute("id")
    top = f"() => document.getElementById('{held}').getBoundingClientRect().top"
    before = andrew.evaluate(top)

    with away(andrew):
        edit(londo, "Chnage", "Change\nover\nseveral lines")
    expect(message(andrew, "Change\nover\nseveral lines")).to_have_count(1)

    expect(field(andrew)).to_be_focused()
    expect(field(andrew)).to_have_value("Half a sentence")
    assert abs(andrew.evaluate(top) - before) < 1


def test_the_page_goes_on_when_the_server_was_restarted(enter: Enter, web_server: WebServer) -> None:
    londo = open_conversation(enter("londo"), "Andrew Brown")
    for text in ("Chnage", "End"):
        write(londo, text)
        expect(messages(londo).last).to_have_text(text)
    andrew = open_conversation(enter("andrewbrown"), "Londo")
    forget_heard(andrew)

    web_server.stop()
    web_server.start()
    # Written by who is back sooner, perhaps before the other is.
    edit(londo, "Chnage", "Change")
    wait_until_heard(andrew, "live:up")
    wait_until_heard(londo, "live:up")
    # What a fresh load would still call new looks different.
    with andrew.expect_response("**/read"):
        write(londo, "After the restart")

    expect(messages(andrew).last).to_have_text("After the restart")
    expect(message(andrew, "Change")).to_be_visible()
    expect_the_page_to_equal_its_reload(andrew)


def test_list_catches_up_after_reconnecting(enter: Enter) -> None:
    andrew = enter("andrewbrown")
    wait_until_heard(andrew, "live:up")
    londo = open_conversation(enter("londo"), "Andrew Brown")

    andrew.context.set_offline(True)
    wait_until_heard(andrew, "live:down")
    write(londo, "While you were away")
    expect(messages(londo).last).to_have_text("While you were away")
    andrew.context.set_offline(False)

    expect(first_line(andrew)).to_contain_text("While you were away")
    expect(first_line(andrew).locator(".badge")).to_have_text("1")


def test_lasting_disconnection_is_announced_without_layout_shift(enter: Enter) -> None:
    andrew = open_conversation(enter("andrewbrown"), "Londo")
    andrew.clock.install()
    top = "() => document.querySelector('.thread__log').getBoundingClientRect().top"
    before = andrew.evaluate(top)
    banner = andrew.locator(".banner", has_text="You are offline")

    andrew.context.set_offline(True)
    wait_until_heard(andrew, "live:down")
    expect(banner).to_have_count(0)
    andrew.clock.run_for(3_100)
    expect(banner).to_be_visible()
    assert andrew.evaluate(top) == before
    andrew.context.set_offline(False)

    expect(banner).to_have_count(0)
