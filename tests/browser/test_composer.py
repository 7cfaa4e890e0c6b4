"""The field: what Enter does, what is counted, and drafts, which are kept until they are sent."""

import pytest
from playwright.sync_api import Page, expect

from .conftest import Enter, fill_in_sign_in
from .writing import (
    answering_sends,
    field,
    is_stored,
    message,
    open_with,
    row,
    unsent,
    write,
    writing_to,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_enter_sends_shift_enter_breaks_the_line_and_the_focus_stays(enter: Enter) -> None:
    page = writing_to(enter)
    field(page).focus()
    before = field(page).bounding_box()
    page.keyboard.type("One line,")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("and another")
    after = field(page).bounding_box()
    page.keyboard.press("Enter")

    assert before
    assert after
    assert after["height"] > before["height"] + 10
    expect(page.locator(".message__text").last).to_have_text("One line,\nand another", use_inner_text=True)
    expect(field(page)).to_have_value("")
    expect(field(page)).to_be_focused()
    page.keyboard.type("At once the next")
    page.get_by_role("button", name="Send").click()
    expect(is_stored(message(page, "At once the next"))).to_have_count(1)
    expect(field(page)).to_be_focused()


def test_on_a_touch_screen_enter_breaks_the_line_and_the_button_sends(enter: Enter) -> None:
    page = writing_to(enter, has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    field(page).tap()
    page.keyboard.type("One")
    page.keyboard.press("Enter")
    page.keyboard.type("two")
    expect(field(page)).to_have_value("One\ntwo")
    page.get_by_role("button", name="Send").tap()

    expect(page.locator(".message[id] .message__text").last).to_have_text("One\ntwo", use_inner_text=True)
    expect(field(page)).to_be_focused()


def press_enter(page: Page, **event: object) -> bool:
    """Press Enter with these event properties; return whether the page leaves it to the field."""
    allowed: bool = field(page).evaluate(
        """(field, event) => field.dispatchEvent(
            new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true, ...event }))""",
        event,
    )
    return allowed


@pytest.mark.parametrize("event", [{"isComposing": True}, {"keyCode": 229}], ids=["composing", "229"])
def test_enter_belongs_to_an_input_method_while_it_composes(enter: Enter, event: dict[str, object]) -> None:
    page = writing_to(enter)
    field(page).fill("にほん")

    assert press_enter(page, **event)
    expect(field(page)).to_have_value("にほん")
    assert not press_enter(page)
    expect(is_stored(message(page, "にほん"))).to_have_count(1)


def test_the_last_characters_are_counted_as_the_server_counts(enter: Enter) -> None:
    page = writing_to(enter)
    left = page.locator("#composer-left")
    # A picture is one, though two in UTF-16; a letter with its accent beside it becomes one.
    field(page).fill("🌙" * 923 + "e\u0301")
    expect(left).to_have_text("100")
    field(page).fill("🌙" * 1025)
    expect(left).to_have_text("−1")
    expect(page.get_by_role("button", name="Send")).to_be_disabled()
    field(page).press("Enter")
    assert not unsent(page)
    field(page).fill("🌙" * 1023 + "e\u0301")
    expect(left).to_have_text("0")
    field(page).press("Enter")

    expect(is_stored(message(page, "🌙" * 1023 + "é"))).to_have_count(1)


@pytest.mark.parametrize("blank", ["   ", "\u200b\u2060", "\u3164"], ids=["spaces", "zero-width", "filler"])
def test_invisible_text_is_not_sent(enter: Enter, blank: str) -> None:
    page = writing_to(enter)
    write(page, blank)

    assert not unsent(page)
    expect(field(page)).to_have_value(blank)


NAUGHTY = [
    "<img src=x onerror=alert(1)><script>alert(2)</script>",
    "&lt;b&gt; {{ 7|add:7 }} ${7*7}",
    "javascript:alert(3) data:text/html,x",
    "\u202egnp.exe\u202c ثم\u200f",
    "Z̸̡̛a̵l̷g̶o̴ 👩‍👩‍👧‍👦 🇺🇳",
]


def raw_texts(page: Page) -> list[str]:
    found: list[str] = page.locator(".message__text").evaluate_all("all => all.map((each) => each.textContent)")
    return found


def test_naughty_texts_are_words_while_they_are_sent_and_afterwards(enter: Enter) -> None:
    page = writing_to(enter)
    write(page, *NAUGHTY)

    expect(page.locator(".message__text").nth(-1)).to_have_text(NAUGHTY[-1])
    expect(page.locator(".message[data-state]")).to_have_count(0)
    assert raw_texts(page)[-5:] == NAUGHTY
    assert page.locator(".message__text *:not(a)").count() == 0
    page.reload()
    assert (
        page.locator(".message__text").evaluate_all("all => all.slice(-5).map((each) => each.textContent)") == NAUGHTY
    )


def test_a_draft_is_kept_for_its_conversation_and_shown_in_the_list(enter: Enter) -> None:
    page = writing_to(enter, "Alt Brown")
    field(page).type("Half a thou")
    expect(row(page, "Alt Brown")).not_to_contain_text("Draft:")
    open_with(page, "Bayko")

    expect(field(page)).to_have_value("")
    expect(row(page, "Alt Brown").locator(".conversation__preview:visible")).to_have_text("Draft: Half a thou")
    open_with(page, "Alt Brown")
    expect(field(page)).to_have_value("Half a thou")
    page.reload()
    expect(field(page)).to_have_value("Half a thou")
    field(page).press("Enter")
    expect(is_stored(message(page, "Half a thou"))).to_have_count(1)
    page.goto("/messages")
    expect(row(page, "Alt Brown")).to_contain_text("You: Half a thou")
    expect(row(page, "Alt Brown")).not_to_contain_text("Draft:")


def test_a_draft_of_a_first_message_is_kept(enter: Enter) -> None:
    page = enter("londo")
    page.goto("/messages/new/jurgen")
    field(page).type("Lieber Jürgen")
    page.goto("/messages")
    page.goto("/messages/new/jurgen")

    expect(field(page)).to_have_value("Lieber Jürgen")


def test_signing_out_asks_if_something_is_unsent_and_then_forgets_it(enter: Enter, site: str) -> None:
    page = writing_to(enter)
    with answering_sends(page, {"status": 422, "json": {"error": "form_incomplete"}}):
        write(page, "Never sent")
        expect(message(page, "Never sent")).to_have_attribute("data-state", "failed")
    page.goto("/settings")
    page.get_by_role("button", name="Sign out").click()

    question = page.get_by_role("alertdialog", name="Sign out before everything is sent?")
    expect(question.get_by_role("button", name="Stay")).to_be_focused()
    page.keyboard.press("Enter")
    expect(question).to_have_count(0)
    assert unsent(page)
    page.get_by_role("button", name="Sign out").click()
    question.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{site}/")

    assert not unsent(page)


def test_next_user_of_browser_finds_no_drafts(enter: Enter, site: str) -> None:
    page = writing_to(enter)
    field(page).type("For nobody else")
    page.goto("/settings")
    page.context.clear_cookies()
    page.goto("/")
    page.get_by_role("button", name="Sign in to chat").click()
    fill_in_sign_in(page, "londo")
    page.wait_for_url("**/messages")

    page.wait_for_function("() => !JSON.stringify(localStorage).includes('For nobody else')")
