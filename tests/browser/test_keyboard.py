"""Everything by keyboard, and nothing by accident."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import SignIn

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

RING = """() => {
  const drawn = (style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  const element = document.activeElement;
  return drawn(getComputedStyle(element)) || drawn(getComputedStyle(element, "::after")) ||
    [...document.querySelectorAll(".composer__box")].some(
      (box) => box.contains(element) && drawn(getComputedStyle(box)));
}"""


def focused(page: Page) -> Locator:
    return page.locator(":focus")


def open_first(page: Page) -> None:
    """Open the newest conversation by keyboard."""
    page.keyboard.press("Alt+ArrowDown")
    page.wait_for_url("**/messages/*-*")
    expect(page.locator(".thread__log")).to_be_visible()


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the link or button of this name has the focus."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if re.search(name, focused(page).inner_text() + (focused(page).get_attribute("aria-label") or "")):
            return
    pytest.fail(f"Tab does not come to {name}.")


def test_someone_is_found_and_written_to_without_a_mouse(sign_in: SignIn) -> None:
    page = sign_in("londo")
    page.keyboard.press("/")
    expect(focused(page)).to_have_attribute("type", "search")
    page.keyboard.type("jurgen")
    page.keyboard.press("Enter")
    page.wait_for_url("**/messages/new**")
    tab_to(page, "Jürgen Weiß")
    page.keyboard.press("Enter")
    expect(page.locator("#composer-text")).to_be_visible()
    page.keyboard.press("c")
    page.keyboard.type("What is this? n/c")
    page.keyboard.press("Enter")

    expect(page.locator(".message__text")).to_have_text(["What is this? n/c"])
    expect(page.locator("#composer-text")).to_be_focused()


def test_alt_and_an_arrow_lead_from_conversation_to_conversation(sign_in: SignIn) -> None:
    page = sign_in("andrewbrown")
    names = page.locator("a.conversation__name bdi").all_inner_texts()
    open_first(page)
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text(names[0])
    page.keyboard.press("Alt+ArrowDown")
    expect(heading).to_have_text(names[1])
    page.keyboard.press("Alt+ArrowUp")

    expect(heading).to_have_text(names[0])


def test_the_log_is_one_stop_whose_messages_the_arrows_walk(sign_in: SignIn) -> None:
    page = sign_in("andrewbrown")
    open_first(page)
    page.locator(".thread__log").focus()
    page.keyboard.press("Tab")
    assert focused(page).evaluate("element => element.closest('.thread__log')") is None
    page.locator(".thread__log").focus()
    page.keyboard.press("ArrowUp")
    expect(page.locator("li.message").last).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.locator("li.message").nth(-2)).to_be_focused()
    page.keyboard.press("End")

    expect(page.locator("li.message").last).to_be_focused()


def test_the_links_of_a_message_follow_it(sign_in: SignIn) -> None:
    page = sign_in("andrewbrown")
    open_first(page)
    page.keyboard.press("c")
    page.keyboard.type("Look: https://example.com/a")
    page.keyboard.press("Enter")
    expect(page.locator(".message__text a[href='https://example.com/a']")).to_be_visible()
    page.locator(".thread__log").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Tab")

    expect(page.locator(".message__text a[href='https://example.com/a']")).to_be_focused()


def test_escape_leaves_the_field_then_the_conversation(sign_in: SignIn) -> None:
    page = sign_in("andrewbrown")
    open_first(page)
    page.keyboard.press("c")
    page.keyboard.press("Escape")
    expect(page.locator(".thread__log")).to_be_focused()
    page.keyboard.press("Escape")

    expect(page.locator('.inbox [aria-current="page"]')).to_be_focused()


def test_the_list_of_shortcuts_opens_and_gives_the_focus_back(sign_in: SignIn) -> None:
    page = sign_in("andrewbrown")
    page.get_by_role("link", name="New", exact=True).focus()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    page.keyboard.press("n")  # does nothing behind it
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()

    expect(page.get_by_role("link", name="New", exact=True)).to_be_focused()


def test_keys_in_a_field_are_letters(sign_in: SignIn) -> None:
    page = sign_in("andrewbrown")
    page.keyboard.press("/")
    page.keyboard.type("?/nc")

    expect(focused(page)).to_have_value("?/nc")
    expect(page.locator("dialog#shortcuts")).to_be_hidden()


def test_single_keys_can_be_turned_off(sign_in: SignIn) -> None:
    page = sign_in("andrewbrown")
    page.goto("/settings")
    page.get_by_role("switch", name="Shortcuts of a single key").uncheck()
    page.locator("form", has=page.locator("#keys")).get_by_role("button", name="Save").click()
    page.wait_for_load_state()
    page.keyboard.press("?")
    expect(page.locator("dialog#shortcuts")).to_be_hidden()
    page.get_by_role("link", name="Keyboard shortcuts").click()

    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


def test_the_focus_is_seen_at_every_stop(sign_in: SignIn) -> None:
    page = sign_in("andrewbrown")
    open_first(page)
    page.locator("body").evaluate("() => document.activeElement.blur()")
    unseen = []
    for _ in range(30):
        page.keyboard.press("Tab")
        if focused(page).count() and not page.evaluate(RING):
            unseen.append(focused(page).evaluate("element => element.outerHTML.slice(0, 120)"))

    assert unseen == []
