"""What a person chooses for a browser: the theme, notifications; and a phone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from .conftest import SignIn

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

RECORD = """
  window.shown = [];
  window.Notification = class extends EventTarget {
    static permission = "default";
    static async requestPermission() { return (Notification.permission = "granted"); }
    constructor(title, options) { super(); shown.push([title, options.body ?? ""]); window.last = this; }
    close() {}
  };
  if (localStorage.getItem("granted")) Notification.permission = "granted";
"""
HIDE = """() => {
  Object.defineProperty(document, "visibilityState", { get: () => "hidden", configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
NIGHT, WHITE = "rgb(14, 3, 28)", "rgb(255, 255, 255)"


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_the_theme_follows_the_system_until_one_is_chosen(sign_in: SignIn, script: bool) -> None:
    page = sign_in("londo", color_scheme="light", java_script_enabled=script)
    expect(page.locator("body")).to_have_css("background-color", WHITE)
    page.goto("/settings")
    page.get_by_role("radio", name="Dark").check()
    page.get_by_role("form", name="This browser").get_by_role("button", name="Save").click()

    expect(page.locator("body")).to_have_css("background-color", NIGHT)
    page.goto("/messages")
    expect(page.locator("body")).to_have_css("background-color", NIGHT)


def notified(sign_in: SignIn) -> Page:
    """Open londo's conversation with bayko, with notifications turned on."""
    page = sign_in("londo")
    page.add_init_script(RECORD)
    page.goto("/settings")
    assert page.evaluate("shown.length") == 0
    page.get_by_role("switch", name="Browser notifications").check()
    expect(page.get_by_role("switch", name="Browser notifications")).to_be_checked()
    page.evaluate("localStorage.setItem('granted', '1')")
    page.goto("/messages")
    return page


def write_to_londo(sign_in: SignIn, text: str) -> None:
    page = sign_in("bayko")
    page.goto("/messages/new/londo")
    page.locator("#composer-text").fill(text)
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".message__text").last).to_have_text(text)


def test_a_notification_has_the_senders_name_and_nothing_else_and_opens_the_conversation(sign_in: SignIn) -> None:
    page = notified(sign_in)
    page.evaluate(HIDE)
    write_to_londo(sign_in, "A secret")
    # A function: an expression would be evaluated by the page itself, which the policy refuses.
    page.wait_for_function("() => shown.length > 0")
    assert page.evaluate("shown") == [["Bayko", ""]]
    page.evaluate("last.dispatchEvent(new Event('click'))")

    page.wait_for_url(re.compile(r"/messages/[0-9a-f-]{36}"))
    expect(page.locator(".message__text").last).to_have_text("A secret")


def test_there_is_no_notification_while_a_tab_is_in_view(sign_in: SignIn) -> None:
    hidden = notified(sign_in)
    hidden.evaluate(HIDE)
    in_view = hidden.context.new_page()
    in_view.goto("/messages")
    write_to_londo(sign_in, "In view")
    expect(in_view.locator("li.conversation").first).to_contain_text("In view")
    expect(hidden.locator("li.conversation").first).to_contain_text("In view")

    assert hidden.evaluate("shown") == []


def test_on_a_phone_list_and_conversation_are_two_screens(sign_in: SignIn) -> None:
    page = sign_in("andrewbrown", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    expect(page.locator(".thread__log")).to_have_count(0)
    page.locator("a.conversation__name").first.tap()
    page.wait_for_url("**/messages/*-*")
    expect(page.locator(".inbox")).to_be_hidden()
    field = page.locator("#composer-text")
    field.tap()
    page.keyboard.type("one")
    page.keyboard.press("Enter")
    page.keyboard.type("two")
    expect(field).to_have_value("one\ntwo")
    page.get_by_role("button", name="Send").tap()
    expect(page.locator(".message__text").last).to_have_text("one\ntwo")
    page.get_by_role("link", name="Back to conversations").tap()

    expect(page.locator(".inbox")).to_be_visible()
    expect(page.locator("li.conversation").first).to_contain_text("one two")
