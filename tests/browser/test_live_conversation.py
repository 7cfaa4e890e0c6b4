"""An open conversation shows changes without a reload and without disturbing its reader."""

import pytest
from playwright.sync_api import Page, expect

from .chat import (
    conversation,
    delete,
    edit,
    expect_the_page_to_equal_its_reload,
    field,
    first_line,
    message,
    messages,
    open_conversation,
    wait_until_heard,
    write,
)
from .conftest import Enter

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def two(enter: Enter) -> tuple[Page, Page]:
    """Open the conversation of Andrew Brown and Londo for both of them."""
    return open_conversation(enter("andrewbrown"), "Londo"), open_conversation(enter("londo"), "Andrew Brown")


def test_message_appears_at_once_for_both_members(enter: Enter) -> None:
    andrew, londo = two(enter)

    write(andrew, "Are the waistcoats back?")
    expect(messages(londo).last).to_have_text("Are the waistcoats back?")
    write(londo, "All but one")
    expect(messages(andrew).last).to_have_text("All but one")

    for page in (andrew, londo):
        numbers = page.locator(".message").evaluate_all("all => all.map(each => Number(each.dataset.seq))")
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        expect(message(page, "Are the waistcoats back?")).to_have_count(1)


def test_messages_that_came_look_as_after_a_reload(enter: Enter) -> None:
    andrew, londo = two(enter)
    for text in ("One", "Two", "https://example.org/three"):
        write(londo, text)
        expect(messages(andrew).last).to_have_text(text)
    write(andrew, "Four")
    expect(messages(londo).last).to_have_text("Four")
    expect(andrew.locator(".message__status")).to_have_text("Seen")

    for page in (andrew, londo):
        expect_the_page_to_equal_its_reload(page)


def test_incoming_messages_do_not_disturb_writing(enter: Enter) -> None:
    andrew, londo = two(enter)
    field(andrew).fill("Half a sentence")
    field(andrew).evaluate("(field) => field.setSelectionRange(4, 8)")

    write(londo, "A whole one")
    expect(messages(andrew).last).to_have_text("A whole one")

    expect(field(andrew)).to_be_focused()
    expect(field(andrew)).to_have_value("Half a sentence")
    assert field(andrew).evaluate("(field) => [field.selectionStart, field.selectionEnd]") == [4, 8]


def test_scrolled_up_reader_keeps_the_position(enter: Enter) -> None:
    andrew, londo = two(enter)
    andrew.locator(".thread__log").evaluate("(log) => { log.scrollTop = -200; }")
    held = andrew.locator(".message").nth(-4).get_attribute("id")
    top = f"() => document.getElementById('{held}').getBoundingClientRect().top"
    before = andrew.evaluate(top)

    write(londo, "Down here")
    expect(messages(andrew).last).to_have_text("Down here")

    assert abs(andrew.evaluate(top) - before) < 1


def test_page_at_the_end_follows_new_messages(enter: Enter) -> None:
    andrew, londo = two(enter)

    for number in range(3):
        write(londo, f"Message {number}\nin two lines")
        expect(messages(andrew).last).to_contain_text(f"Message {number}")

    assert andrew.locator(".thread__log").evaluate("(log) => log.scrollTop") == 0
    expect(andrew.locator(".message").last).to_be_in_viewport()


def test_typing_shows_until_the_message_comes(enter: Enter) -> None:
    andrew, londo = two(enter)
    height = andrew.locator(".thread__log").bounding_box()

    field(londo).press_sequentially("Wa")
    expect(andrew.get_by_role("status").filter(has_text="Londo is typing")).to_be_visible()
    assert andrew.locator(".thread__log").bounding_box() == height
    field(londo).press("Enter")
    expect(messages(andrew).last).to_have_text("Wa")

    expect(andrew.locator(".typing")).to_have_text("")


def test_typing_is_gone_after_a_while(enter: Enter) -> None:
    andrew, londo = two(enter)
    andrew.clock.install()

    field(londo).press_sequentially("W")
    expect(andrew.locator(".typing")).to_have_text("Londo is typing")
    andrew.clock.run_for(6_100)

    expect(andrew.locator(".typing")).to_have_text("")


def test_typing_shows_in_the_list(enter: Enter) -> None:
    andrew, londo = enter("andrewbrown"), open_conversation(enter("londo"), "Andrew Brown")
    wait_until_heard(andrew, "live:up")
    line = conversation(andrew, "Londo")

    field(londo).press_sequentially("W")
    expect(line.get_by_text("typing…")).to_be_visible()
    field(londo).press("Enter")

    expect(line.get_by_text("typing…")).to_have_count(0)
    expect(first_line(andrew)).to_contain_text("W")


def test_seen_stands_under_what_the_other_has_read(enter: Enter) -> None:
    andrew = open_conversation(enter("andrewbrown"), "Londo")
    write(andrew, "Look at this")
    status = message(andrew, "Look at this").locator(".message__status")
    expect(status).to_have_text("Sent")
    log = andrew.locator(".thread__log")
    place = "(log) => [...log.querySelectorAll('.message')].map((each) => each.getBoundingClientRect().top)"
    before = log.evaluate(place)

    open_conversation(enter("londo"), "Andrew Brown")
    expect(status).to_have_text("Seen")

    assert log.evaluate(place) == before
    andrew.reload()
    expect(status).to_have_text("Seen")


def test_an_edit_shows_in_its_place(enter: Enter) -> None:
    andrew, londo = two(enter)
    write(londo, "The first of two")
    write(londo, "The second of two")
    expect(messages(andrew).last).to_have_text("The second of two")

    edit(londo, "The first of two", "The first, in better words")

    expect(messages(andrew).nth(-2)).to_have_text("The first, in better words")
    expect(messages(londo).nth(-2)).to_have_text("The first, in better words")
    expect(message(andrew, "The first, in better words").get_by_text("Edited")).to_be_visible()


def test_a_deletion_shows_in_its_place(enter: Enter) -> None:
    andrew, londo = two(enter)
    write(londo, "Said too soon")
    expect(messages(andrew).last).to_have_text("Said too soon")

    delete(londo, "Said too soon")

    expect(andrew.locator(".message").last).to_contain_text("This message was deleted")
    expect(andrew.get_by_text("Said too soon")).to_have_count(0)
    expect(londo.locator(".message").last).to_contain_text("This message was deleted")


def test_focus_stays_when_its_message_changes(enter: Enter) -> None:
    _, londo = two(enter)
    write(londo, "Mistyqed")
    message(londo, "Mistyqed").locator(".message__more").focus()

    edit(londo, "Mistyqed", "Mistyped")
    expect(messages(londo).last).to_have_text("Mistyped")

    expect(message(londo, "Mistyped").locator(".message__more")).to_be_focused()


def test_three_people_see_only_their_own_messages(enter: Enter) -> None:
    andrew, londo = two(enter)
    bayko = open_conversation(enter("bayko"), "Andrew Brown")

    write(bayko, "For Andrew alone")
    expect(first_line(andrew)).to_contain_text("For Andrew alone")
    write(andrew, "For Londo alone")
    expect(messages(londo).last).to_have_text("For Londo alone")

    expect(andrew.locator(".thread__log")).not_to_contain_text("For Andrew alone")
    expect(londo.locator("body")).not_to_contain_text("For Andrew alone")
    expect(bayko.locator("body")).not_to_contain_text("For Londo alone")
