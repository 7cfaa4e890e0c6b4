"""Editing in the composer, the menu of a message, and the question before one is deleted."""

import re
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import Enter
from .writing import field, is_stored, message, write, writing_to

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def after_writing(enter: Enter, *texts: str, **options: Any) -> Page:
    page = writing_to(enter, **options)
    write(page, *texts)
    expect(is_stored(message(page, texts[-1]))).to_have_count(1)
    return page


def menu_of(text: Locator) -> Locator:
    """Open the menu of a message by the keyboard."""
    text.locator(".message__more").focus()
    text.page.keyboard.press("Enter")
    menu = text.page.get_by_role("menu")
    expect(menu).to_be_visible()
    return menu


def test_arrow_up_in_the_empty_field_edits_one_s_last_message(enter: Enter) -> None:
    page = after_writing(enter, "Before", "A tpyo")
    field(page).press("ArrowUp")
    expect(page.locator("#editing-note")).to_contain_text("Editing your message of")
    expect(field(page)).to_have_value("A tpyo")
    write(page, "A typo")

    edited = message(page, "A typo")
    expect(edited).to_have_count(1)
    expect(edited).to_contain_text("Edited")
    expect(message(page, "A tpyo")).to_have_count(0)
    expect(page.locator("#editing-note")).to_have_count(0)
    expect(field(page)).to_have_value("")
    expect(field(page)).to_be_focused()


@pytest.mark.parametrize("way", ["Escape", "Cancel"])
def test_leaving_an_edit_brings_back_what_was_being_written(enter: Enter, way: str) -> None:
    page = after_writing(enter, "As it is")
    field(page).type("A draft")
    menu_of(message(page, "As it is")).get_by_role("menuitem", name="Edit").click()
    field(page).fill("Otherwise")
    if way == "Escape":
        field(page).press("Escape")
    else:
        page.get_by_role("button", name="Cancel").click()

    expect(field(page)).to_have_value("A draft")
    expect(field(page)).to_be_focused()
    expect(message(page, "As it is")).to_have_count(1)


def test_text_of_late_edit_stays_as_new_message(enter: Enter) -> None:
    page = after_writing(enter, "In time")
    page.route("**/edit", lambda route: route.fulfill(status=409, json={"error": "too_late_to_edit"}))
    field(page).press("ArrowUp")
    write(page, "Too late")

    expect(page.locator("#composer-error")).to_contain_text("can be edited for 15 minutes")
    expect(field(page)).to_have_value("Too late")
    field(page).press("Enter")
    expect(is_stored(message(page, "Too late"))).to_have_count(1)
    expect(message(page, "In time")).to_have_count(1)


def test_an_edit_that_did_not_arrive_is_kept_in_the_field(enter: Enter) -> None:
    page = after_writing(enter, "First form")
    field(page).press("ArrowUp")
    page.context.set_offline(True)
    write(page, "Second form")

    expect(page.locator("#composer-error")).to_contain_text("Not changed")
    page.context.set_offline(False)
    field(page).press("Enter")
    expect(message(page, "Second form")).to_contain_text("Edited")


def test_after_fifteen_minutes_the_menu_offers_no_edit(enter: Enter) -> None:
    page = after_writing(enter, "Long ago")
    page.clock.install()
    page.clock.fast_forward(timedelta(minutes=16).seconds * 1000)

    menu = menu_of(message(page, "Long ago"))
    expect(menu.get_by_role("menuitem")).to_have_text(["Copy text", "Copy link", "Delete"])


def test_the_menu_is_used_by_the_keyboard_alone(enter: Enter) -> None:
    page = after_writing(enter, "With a menu", permissions=["clipboard-read", "clipboard-write"])
    more = message(page, "With a menu").locator(".message__more")
    menu = menu_of(message(page, "With a menu"))
    expect(more).to_have_attribute("aria-expanded", "true")
    expect(menu.get_by_role("menuitem", name="Edit")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(menu.get_by_role("menuitem", name="Delete")).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    expect(page.locator(".toast")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "With a menu"
    expect(menu).to_have_count(0)
    expect(more).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(menu).to_have_count(0)
    expect(more).to_be_focused()
    expect(more).not_to_have_attribute("aria-expanded", "true")


def test_a_menu_that_is_open_survives_a_new_version_of_its_message(enter: Enter) -> None:
    page = after_writing(enter, "As it was")
    other_tab = page.context.new_page()
    other_tab.goto(page.url)
    menu = menu_of(message(page, "As it was"))
    menu_of(message(other_tab, "As it was")).get_by_role("menuitem", name="Edit").click()
    write(other_tab, "As it is now")
    more = message(page, "As it is now").locator(".message__more")

    expect(more).to_have_attribute("aria-expanded", "true")
    expect(menu.get_by_role("menuitem", name="Edit")).to_be_focused()
    page.keyboard.press("Escape")
    expect(more).to_be_focused()
    expect(more).not_to_have_attribute("aria-expanded", "true")


def test_a_press_elsewhere_closes_the_menu(enter: Enter) -> None:
    page = after_writing(enter, "Elsewhere")
    menu_of(message(page, "Elsewhere"))
    page.locator(".thread__header").click(position={"x": 300, "y": 5})

    expect(page.get_by_role("menu")).to_have_count(0)


def test_the_link_of_another_s_message_leads_to_it(enter: Enter) -> None:
    page = writing_to(enter, permissions=["clipboard-read", "clipboard-write"])
    other = page.locator(".message:not(.message--own, .message--deleted)[id]").last
    menu = menu_of(other)
    expect(menu.get_by_role("menuitem")).to_have_text(["Copy text", "Copy link", "Report"])
    expect(menu.get_by_role("menuitem", name="Report")).to_have_attribute("href", re.compile(r"^/report/[^/]+/20"))
    menu.get_by_role("menuitem", name="Copy link").click()
    expect(page.locator(".toast")).to_be_visible()

    identity = other.get_attribute("id")
    page.goto(page.evaluate("navigator.clipboard.readText()"))
    assert re.search(r"\?around=.+#m.+", page.url)
    expect(page.locator(f"[id='{identity}']")).to_be_in_viewport()


def test_deleting_asks_first_and_goes_on_to_the_next_message(enter: Enter) -> None:
    page = after_writing(enter, "To be deleted", "The next one")
    menu_of(message(page, "To be deleted")).get_by_role("menuitem", name="Delete").click()
    question = page.get_by_role("alertdialog", name="Delete this message?")
    expect(question).to_contain_text("To be deleted")
    expect(question.get_by_role("button", name="Keep it")).to_be_focused()
    page.keyboard.press("Escape")
    expect(message(page, "To be deleted")).to_have_count(1)

    menu_of(message(page, "To be deleted")).get_by_role("menuitem", name="Delete").click()
    question.get_by_role("button", name="Delete").click()
    expect(message(page, "To be deleted")).to_have_count(0)
    expect(page.locator(".message--deleted").last).to_contain_text("This message was deleted")
    expect(message(page, "The next one").locator(".message__more")).to_be_focused()


def test_failed_deletion_is_reported(enter: Enter) -> None:
    page = after_writing(enter, "Still here")
    page.route("**/delete", lambda route: route.abort())
    menu_of(message(page, "Still here")).get_by_role("menuitem", name="Delete").click()
    question = page.get_by_role("alertdialog")
    question.get_by_role("button", name="Delete").click()

    expect(question.get_by_role("alert")).to_contain_text("Not deleted")
    page.unroute("**/delete")
    question.get_by_role("button", name="Delete").click()
    expect(message(page, "Still here")).to_have_count(0)


def test_a_reload_loses_neither_an_edit_nor_what_was_being_written(enter: Enter) -> None:
    page = after_writing(enter, "As it is")
    field(page).type("A draft")
    menu_of(message(page, "As it is")).get_by_role("menuitem", name="Edit").click()
    field(page).fill("As it will be")
    page.reload()

    expect(page.locator("#editing-note")).to_contain_text("Editing your message of")
    expect(field(page)).to_have_value("As it will be")
    field(page).press("Enter")
    expect(message(page, "As it will be")).to_contain_text("Edited")
    expect(field(page)).to_have_value("A draft")
    page.reload()
    expect(field(page)).to_have_value("A draft")
    expect(page.locator("#editing-note")).to_have_count(0)


def test_the_menu_says_in_full_when_a_message_was_sent(enter: Enter) -> None:
    page = after_writing(enter, "Now")
    title = message(page, "Now").locator("time").get_attribute("title")

    assert title
    expect(menu_of(message(page, "Now"))).to_contain_text(title)
