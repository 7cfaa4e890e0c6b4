"""The debug panel in a browser: reached by keyboard, open to everyone, in nobody's way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.fixtures import Settings

from cruddur.web.cookies import cookie_names
from messaging.dynamodb.table import MessageTable
from messaging.realtime import typing
from tests.messaging.live_site import web_process

from .chat import session_of
from .seeded import seed
from .test_accessibility import findings

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PANEL = "messaging.views.debug_panel.DebugPanelMiddleware"
SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def developed(settings: Settings, request: pytest.FixtureRequest) -> Iterator[str]:
    """Serve the seeded site as in development, with its debug panel; yield its address."""
    settings.DEBUG_PANEL = True
    place = settings.MIDDLEWARE.index("django.middleware.gzip.GZipMiddleware") + 1
    settings.MIDDLEWARE = [*settings.MIDDLEWARE[:place], PANEL, *settings.MIDDLEWARE[place:]]
    request.getfixturevalue("transactional_db")
    table: MessageTable = request.getfixturevalue("table")
    seed(table)
    typing.forget()
    with web_process() as process:
        address = f"http://localhost:{process.port}"
        settings.COOKIES = cookie_names(address)  # the page's scripts name them by the port that they see
        yield address


@pytest.fixture
def page(browser: Browser, developed: str) -> Iterator[Page]:
    """Open a phone's page for a signed-in person; a violation of the policy fails the test."""
    complaints: list[str] = []
    context = browser.new_context(
        base_url=developed, viewport={"width": 390, "height": 780}, **session_of("andrewbrown")
    )
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    yield page
    context.close()
    assert complaints == []


def test_the_panel_opens_by_keyboard_and_hides_nothing_while_it_is_closed(page: Page) -> None:
    page.goto("/messages")
    page.get_by_role("link", name="Bayko").first.click()
    bar = page.locator(".debug summary")
    expect(bar).to_contain_text("DynamoDB 3 ·")
    assert page.evaluate(SIDEWAYS) == 0

    field, top = page.locator("textarea").bounding_box(), bar.bounding_box()
    assert field
    assert top
    assert field["y"] + field["height"] <= top["y"]

    bar.focus()
    page.keyboard.press("Enter")

    expect(page.get_by_role("region", name="Requests to DynamoDB")).to_be_visible()
    expect(page.get_by_role("rowheader")).to_have_count(3)
    assert page.evaluate(SIDEWAYS) == 0
    assert findings(page) == []
