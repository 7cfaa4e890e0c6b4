"""`make screenshots`: the pictures of docs/screenshots, in both themes and on both kinds of screen."""

from __future__ import annotations

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from .conftest import SignIn

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DIRECTORY = settings.BASE_DIR / "docs" / "screenshots"
BYTES_AT_MOST = 150_000
DESK = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 780}, "is_mobile": True, "has_touch": True}


def take(page: Page, name: str) -> None:
    """Take a screenshot of the page in each theme."""
    for theme in ("dark", "light"):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        file = DIRECTORY / f"{name}-{theme}.jpg"
        page.screenshot(path=file, type="jpeg", quality=75)
        assert file.stat().st_size <= BYTES_AT_MOST


def open_bayko(page: Page) -> None:
    page.get_by_role("link", name="Bayko").first.click()
    expect(page.locator(".thread__log")).to_be_visible()
    expect(page.locator("[data-mark]").first).to_be_attached()


def test_screenshots_on_a_desktop(sign_in: SignIn) -> None:
    page = sign_in("andrewbrown", timezone_id="Europe/Belgrade", **DESK)
    open_bayko(page)
    take(page, "conversation-1280")


def test_screenshots_on_a_phone(sign_in: SignIn) -> None:
    page = sign_in("andrewbrown", timezone_id="Europe/Belgrade", **PHONE)
    take(page, "list-390")
    open_bayko(page)
    take(page, "conversation-390")
