"""People protect themselves: what open pages of both show, at once."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from pytest_django.fixtures import Settings

from users.models import User

from .chat import conversation, first_line, open_conversation, wait_until_heard, write
from .conftest import Enter

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def choose(page: Page, item: str) -> None:
    """Choose an item in the menu of the open conversation."""
    page.get_by_role("link", name="Conversation options").click()
    page.get_by_role("menuitem", name=item, exact=True).click()


def test_a_block_closes_the_conversation_on_open_pages_and_opens_again(enter: Enter) -> None:
    andrew = open_conversation(enter("andrewbrown"), "Londo")
    elsewhere = andrew.context.new_page()
    elsewhere.goto("/messages")
    wait_until_heard(elsewhere, "live:up")
    londo = open_conversation(enter("londo"), "Andrew Brown")

    choose(andrew, "Block")
    andrew.get_by_role("button", name="Block").click()

    expect(andrew.locator(".thread__notice")).to_contain_text("You have blocked Londo. Neither of you can write here.")
    expect(conversation(elsewhere, "Londo")).to_have_count(0)
    londo.get_by_role("textbox", name="Message to Andrew Brown").fill("Anyone there?")
    londo.get_by_role("button", name="Send").click()
    failed = londo.locator(".message[data-state=failed]")
    expect(failed).to_contain_text("Not sent: nothing can be written in this conversation.")
    expect(failed.locator(".message__text")).to_have_text("Anyone there?")

    andrew.get_by_role("button", name="Unblock").click()

    expect(andrew.locator("#composer-text")).to_be_visible()
    expect(conversation(elsewhere, "Londo")).to_have_count(1)
    failed.get_by_role("button", name="Try again").click()
    expect(andrew.locator(".message").last).to_contain_text("Anyone there?")


def test_a_request_waits_until_it_is_accepted(enter: Enter, settings: Settings) -> None:
    settings.MESSAGE_REQUESTS = True
    andrew = enter("andrewbrown")
    wait_until_heard(andrew, "live:up")
    title = andrew.title()
    User.objects.create_user(handle="vera", display_name="Vera Vogel")
    stranger = enter("vera")
    stranger.goto("/messages/new/andrewbrown")
    write(stranger, "May I ask something?")

    requests = andrew.get_by_role("link", name=re.compile("^Requests"))
    expect(requests).to_be_visible()
    assert andrew.title() == title
    stranger.goto(stranger.url)
    expect(stranger.locator(".thread__notice")).to_contain_text("Your message waits to be accepted.")

    requests.click()
    andrew.get_by_role("link", name=re.compile("^Vera")).click()
    expect(andrew.locator(".thread__notice")).to_contain_text("wants to write to you.")
    andrew.get_by_role("button", name="Accept").click()

    expect(stranger.locator("#composer-text")).to_be_visible()
    write(stranger, "Thank you")
    expect(andrew.locator(".message").last).to_contain_text("Thank you")


def test_mute_archive_and_unread_reach_the_other_tab(enter: Enter) -> None:
    andrew = open_conversation(enter("andrewbrown"), "Londo")
    elsewhere = andrew.context.new_page()
    elsewhere.goto("/messages")
    wait_until_heard(elsewhere, "live:up")
    londo = open_conversation(enter("londo"), "Andrew Brown")
    write(londo, "Something new")
    expect(andrew.locator(".message").last).to_contain_text("Something new")
    expect(first_line(elsewhere)).not_to_contain_text("unread")
    title = elsewhere.title()

    choose(andrew, "Mute for an hour")
    expect(first_line(elsewhere)).to_contain_text("Muted")
    andrew.goto("/messages")
    write(londo, "Quietly")
    expect(first_line(elsewhere).locator(".badge--quiet")).to_have_text("1")
    assert elsewhere.title() == title

    conversation(andrew, "Londo").locator("a").click()
    choose(andrew, "Archive")
    expect(conversation(elsewhere, "Londo")).to_have_count(0)
    andrew.get_by_role("link", name="Archived").click()
    expect(first_line(andrew)).to_contain_text("Londo")
