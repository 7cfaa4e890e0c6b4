"""The first load of a conversation in production: joined and compressed files, few requests, nothing that jumps."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.contrib.staticfiles import finders
from playwright.sync_api import Page, Response, Route, expect
from pytest_django.fixtures import Settings

from .conftest import Enter, SignIn

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DEVELOPMENT_STORAGES = django_settings.STORAGES
REQUESTS_AT_MOST = 12  # before the first paint
BYTES_AT_MOST = 60_000  # compressed
BEFORE_FIRST_PAINT = """() => {
  const [{ startTime: painted }] = performance.getEntriesByName("first-paint");
  return 1 + performance.getEntriesByType("resource").filter((each) => each.startTime <= painted).length;
}"""
SHIFTS = """() => new Promise((resolve) => {
  new PerformanceObserver((list) => resolve(list.getEntries().map((each) => `${each.value} ` +
    each.sources.map(({ node, previousRect, currentRect }) => [(node?.id ?? "") + node?.className,
      JSON.stringify(previousRect), JSON.stringify(currentRect)].join(" ").slice(0, 600)))))
    .observe({ type: "layout-shift", buffered: true });
  setTimeout(() => resolve([]), 300);
})"""


class Production:
    """Production's static files; `served` has the compressed bytes of each that was asked for."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.served: dict[str, int] = {}

    def answer(self, route: Route) -> None:
        name = route.request.url.partition("/static/")[2]
        file = self.root / name
        compressed = file.with_name(f"{file.name}.br")
        self.served[name] = (compressed if compressed.exists() else file).stat().st_size
        # As it is: Chromium decodes no answer that a test gives.
        route.fulfill(path=file)


Loaded = tuple[Page, Response, Production]


@pytest.fixture
def loaded(sign_in: SignIn, request: pytest.FixtureRequest) -> Loaded:
    """Load a conversation with an empty cache; return the server's answer and the static files it took."""
    page = sign_in("andrewbrown")
    address = page.locator("a.conversation__name").first.get_attribute("href")
    page.goto("about:blank")
    production = Production(request.getfixturevalue("production_static_files"))  # from here on
    page.context.route("**/static/**", production.answer)  # which also turns the cache off
    response = page.goto(str(address))
    assert response
    expect(page.locator(".message__text").last).to_be_visible()
    return page, response, production


def test_first_load_is_light(loaded: Loaded) -> None:
    page, response, production = loaded
    page.wait_for_function("() => performance.getEntriesByName('first-paint').length")

    assert page.evaluate(BEFORE_FIRST_PAINT) <= REQUESTS_AT_MOST
    assert response.headers["content-encoding"] == "gzip"
    assert int(response.headers["content-length"]) + sum(production.served.values()) <= BYTES_AT_MOST, production.served


def test_bundled_modules_work(loaded: Loaded) -> None:
    page, _, production = loaded
    assert len([name for name in production.served if name.endswith(".js")]) == 1
    page.keyboard.press("?")

    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


def test_development_serves_each_module_separately(enter: Enter, settings: Settings) -> None:
    page = enter("andrewbrown", "/shortcuts")
    settings.STORAGES = DEVELOPMENT_STORAGES
    served: list[str] = []

    def answer(route: Route) -> None:
        served.append(route.request.url.partition("/static/")[2])
        route.fulfill(path=finders.find(served[-1]))

    page.context.route("**/static/**", answer)
    page.goto("/messages")
    page.keyboard.press("?")

    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    assert {"js/app.js", "js/page/shortcuts.js", "css/app.css", "css/layout.css"} <= set(served)


def test_first_load_has_no_layout_shift(loaded: Loaded) -> None:
    page, _, _ = loaded

    assert page.evaluate(SHIFTS) == []
