"""A report's way: from somebody's menu to a moderator's decision, and back into open pages."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from .conftest import Enter, SignIn
from .test_accessibility import findings

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def open_bayko(page: Page) -> None:
    page.get_by_role("link", name="Bayko").first.click()
    expect(page.locator(".thread__log")).to_be_visible()


def test_a_message_is_reported_claimed_read_and_deleted_in_open_pages(enter: Enter, sign_in: SignIn) -> None:
    andrew = enter("andrewbrown")
    open_bayko(andrew)
    message = andrew.locator(".message:not(.message--own, .message--deleted)[id]").last
    text, at = message.locator(".message__text").inner_text(), message.get_attribute("id")
    message.locator(".message__more").click()
    andrew.get_by_role("menuitem", name="Report").click()
    andrew.get_by_label("Harassment").check()
    andrew.get_by_label("Anything we should know").fill("He will not stop")
    andrew.get_by_role("button", name="Send report").click()
    expect(andrew.get_by_role("heading", name="Thank you")).to_be_visible()
    andrew.get_by_role("link", name="Back to the conversation").click()
    reported = andrew.locator(f"[id='{at}']")
    expect(reported).to_contain_text(text)

    moderator = sign_in("londo")
    moderator.get_by_role("link", name="Admin").click()
    assert findings(moderator) == []
    moderator.get_by_role("link", name="Reports waiting").click()
    moderator.get_by_role("link", name="#").first.click()
    expect(moderator.get_by_text(text)).to_have_count(0)
    moderator.get_by_role("button", name="Claim this report").click()
    expect(moderator.locator(".line--reported")).to_contain_text(text)
    expect(moderator.get_by_text("He will not stop")).to_be_visible()
    assert findings(moderator) == []
    moderator.get_by_role("link", name="Read the conversation around it").click()
    expect(moderator.locator(".line--reported")).to_contain_text(text)
    expect(moderator.locator(".line")).to_have_count(20)
    moderator.get_by_role("button", name="Earlier messages").click()
    expect(moderator.get_by_text("Nothing more was read")).to_be_visible()
    assert findings(moderator) == []
    moderator.get_by_label("Reason").fill("He may have done so before")
    moderator.get_by_role("button", name="Earlier messages").click()
    expect(moderator.get_by_text("He may have done so before")).to_be_visible()
    expect(moderator.get_by_text(text)).to_have_count(0)
    assert findings(moderator) == []
    moderator.get_by_role("link", name="Report #").click()
    moderator.get_by_label("Delete the message").check()
    moderator.get_by_label("Reason", exact=True).fill("Not welcome here")
    moderator.get_by_role("button", name="Decide").click()
    expect(moderator.get_by_text("Decided: Delete the message.")).to_be_visible()

    expect(reported).to_contain_text("This message was deleted")
