"""The list of conversations, the title and the badges follow what happens, without a reload."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from .chat import conversation, edit, first_line, messages, open_conversation, wait_until_heard, write
from .conftest import Enter

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def badge(page: Page) -> Locator:
    """Return the number beside "Messages" in the navigation."""
    return page.get_by_role("navigation", name="Main").locator("[data-unread]")


def unread(page: Page) -> int:
    """Return the number in the title."""
    found = re.match(r"\((\d+)\) ", page.title())
    return int(found[1]) if found else 0


def test_a_message_moves_its_conversation_to_the_top_and_counts(enter: Enter) -> None:
    andrew = enter("andrewbrown")
    wait_until_heard(andrew, "live:up")
    before = unread(andrew)
    londo = open_conversation(enter("londo"), "Andrew Brown")

    write(londo, "One")
    expect(first_line(andrew)).to_contain_text("Londo, 1 unread")
    write(londo, "Two")
    expect(first_line(andrew)).to_contain_text("Londo, 2 unread")

    expect(first_line(andrew).locator(".conversation__preview")).to_have_text("Two")
    expect(first_line(andrew).locator(".badge")).to_have_text("2")
    expect(andrew).to_have_title(f"({before + 2}) Messages · Cruddur Messages")
    expect(badge(andrew)).to_have_text(f"{before + 2} unread")
    expect(andrew.locator("link[rel=icon]")).to_have_attribute("href", re.compile("favicon-unread"))


def test_own_message_moves_conversation_to_top_and_is_marked(enter: Enter) -> None:
    andrew = open_conversation(enter("andrewbrown"), "Londo")
    elsewhere = andrew.context.new_page()
    elsewhere.goto("/messages")
    wait_until_heard(elsewhere, "live:up")
    before = unread(elsewhere)

    write(andrew, "From the other tab")

    for page in (andrew, elsewhere):
        expect(first_line(page).locator(".conversation__preview")).to_have_text("You: From the other tab")
    assert unread(elsewhere) == before


def test_the_open_conversation_is_read_and_not_counted(enter: Enter) -> None:
    andrew = open_conversation(enter("andrewbrown"), "Londo")
    before = unread(andrew)
    londo = open_conversation(enter("londo"), "Andrew Brown")

    with andrew.expect_response("**/read"):
        write(londo, "You are looking at this")
    expect(messages(andrew).last).to_have_text("You are looking at this")

    expect(first_line(andrew)).to_contain_text("You are looking at this")
    expect(first_line(andrew).locator(".badge")).to_have_count(0)
    assert unread(andrew) == before


def test_the_first_message_of_a_stranger_brings_its_conversation(enter: Enter) -> None:
    jurgen = enter("jurgen")
    wait_until_heard(jurgen, "live:up")
    names = jurgen.locator("li.conversation").count()
    londo = enter("londo", "/messages/new/jurgen")

    write(londo, "Do you mend clocks?")

    expect(first_line(jurgen)).to_contain_text("Londo, 1 unread")
    expect(jurgen.locator("li.conversation")).to_have_count(names + 1)


def test_an_edit_of_the_last_message_shows_and_moves_nothing(enter: Enter) -> None:
    andrew = enter("andrewbrown")
    londo = open_conversation(enter("londo"), "Andrew Brown")
    bayko = open_conversation(enter("bayko"), "Andrew Brown")
    wait_until_heard(andrew, "live:up")
    write(londo, "Befor")
    expect(first_line(andrew)).to_contain_text("Befor")
    write(bayko, "Above")
    expect(first_line(andrew)).to_contain_text("Above")
    line = conversation(andrew, "Londo")
    before = line.locator(".badge").inner_text()

    edit(londo, "Befor", "Before")

    expect(line.locator(".conversation__preview")).to_have_text("Before")
    expect(line.locator(".badge")).to_have_text(before)
    expect(first_line(andrew)).to_contain_text("Above")


def test_selected_row_keeps_the_selection_when_it_moves(enter: Enter) -> None:
    andrew = enter("andrewbrown")
    wait_until_heard(andrew, "live:up")
    link = conversation(andrew, "Londo").get_by_role("link")
    link.focus()
    londo = open_conversation(enter("londo"), "Andrew Brown")

    write(londo, "Up it goes")
    expect(first_line(andrew)).to_contain_text("Up it goes")

    expect(link).to_be_focused()
