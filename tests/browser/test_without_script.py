"""A whole visit with JavaScript off: every act is a link or a form."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from .chat import conversation, field, message, messages

SignIn = Callable[..., Page]


def send(page: Page, text: str) -> None:
    field(page).fill(text)
    page.get_by_role("button", name="Send").click()


def act(page: Page, text: str, name: str) -> None:
    """Open what can be done with this message, and choose."""
    message(page, text).locator("a.message__more").click(force=True)
    page.get_by_role("menuitem", name=name).click()


def test_a_whole_visit_without_script(sign_in: SignIn) -> None:
    page = sign_in("andrewbrown", java_script_enabled=False)
    conversation(page, "Bayko").get_by_role("link").click()

    send(page, "Wrtten in haste")
    expect(messages(page).last).to_have_text("Wrtten in haste")
    act(page, "Wrtten in haste", "Edit")
    field(page).fill("Written at leisure")
    page.get_by_role("button", name="Save").click()
    expect(message(page, "Written at leisure")).to_contain_text("Edited")

    act(page, "Written at leisure", "Delete")
    page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    expect(messages(page).get_by_text("Written at leisure")).to_have_count(0)
    expect(page.locator(".message--deleted").last).to_contain_text("This message was deleted")

    page.get_by_role("searchbox").fill("jürgen")
    page.get_by_role("searchbox").press("Enter")
    page.get_by_role("link", name=re.compile("^Jürgen Weiß")).first.click()
    if page.get_by_role("link", name="Message", exact=True).count():
        page.get_by_role("link", name="Message", exact=True).click()
    send(page, "Kommst du am Montag?")
    page.wait_for_url(re.compile(r"/messages/[0-9a-f-]{36}"))
    expect(messages(page).last).to_have_text("Kommst du am Montag?")
    expect(page.locator("li.conversation").first).to_contain_text("Jürgen Weiß")

    page.get_by_role("link", name="Settings").click()
    page.get_by_label("Bio").fill("Without script since 1996")
    page.locator("form", has=page.get_by_label("Bio")).get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    page.get_by_role("link", name="Delete my account").click()
    page.get_by_role("link", name="Keep my account").click()

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in to chat")).to_be_visible()
    page.goto("/messages")
    expect(page).to_have_url(re.compile(r"/\?next="))
