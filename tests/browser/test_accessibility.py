"""axe-core finds nothing on any page, in either theme; and no page has to be scrolled sideways."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from playwright.sync_api import Page, expect

from users.models import User

from . import everyone
from .conftest import Enter, SignIn, Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
RUN_AXE = """async () => {
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  await Promise.allSettled(document.getAnimations().map(({ finished }) => finished));  // the colours of the other theme
  const { violations } = await axe.run(document, { preload: false, resultTypes: ["violations"] });
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 200)} ${node.any.map(
    (each) => each.message)}`));
}"""
SIDEWAYS = """() => [...document.querySelectorAll("html, main, .inbox__body, .thread__log, dialog[open]")]
  .filter((each) => each.scrollWidth > each.clientWidth).map((each) => `${each.tagName}.${each.className} ` +
  [...each.querySelectorAll("*")].filter((part) => part.getBoundingClientRect().right > innerWidth + 0.5)
    .map((part) => `${part.tagName}.${part.getAttribute("class")}`).slice(0, 4).join(" "))"""


def findings(page: Page) -> list[str]:
    """Return axe's findings in each theme."""
    page.evaluate(AXE)
    found = []
    for theme in ("dark", "light"):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        found += [f"{theme}: {each}" for each in page.evaluate(RUN_AXE)]
    return found


def names(patterns: list[URLPattern | URLResolver]) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            yield pattern.name or ""
        elif pattern.namespace is None:
            yield from names(pattern.url_patterns)


def test_every_page_address_is_visited() -> None:
    known = {*everyone.PAGES, *everyone.FOR_VISITORS, *everyone.NO_PAGES}

    assert set(names(get_resolver().url_patterns)) - known == set()


def test_axe_finds_nothing_on_any_page_of_a_signed_in_person(sign_in: SignIn) -> None:
    page = sign_in("andrewbrown")

    found = {name: problems for name in everyone.visits(page) if (problems := findings(page))}

    assert found == {}


def test_axe_finds_nothing_on_signed_out_pages(visit: Visit) -> None:
    page = visit()
    found = {}
    for name, address in everyone.FOR_VISITORS.items():
        page.goto(address)
        if problems := findings(page):
            found[name] = problems

    assert found == {}


def test_axe_finds_nothing_in_a_dialog(sign_in: SignIn) -> None:
    page = sign_in("andrewbrown")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()

    assert findings(page) == []


def test_axe_finds_nothing_in_menus_and_the_question_before_a_deletion(enter: Enter) -> None:
    page = enter("andrewbrown")
    everyone.places(page)
    own = page.locator("li.message--own", has_text="For everyone").last
    own.locator("a.message__more").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menu")).to_be_visible()
    of_message = findings(page)
    page.get_by_role("menuitem", name="Delete").click()
    expect(page.get_by_role("alertdialog")).to_be_visible()
    of_question = findings(page)
    page.get_by_role("button", name="Keep it").click()
    page.locator(".thread__header [aria-haspopup=menu]").click()
    expect(page.get_by_role("menu")).to_be_visible()

    assert (of_message, of_question, findings(page)) == ([], [], [])


@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_in_the_admin(enter: Enter, width: int) -> None:
    admin = User.objects.get(handle="andrewbrown")
    admin.is_staff = admin.is_superuser = True
    admin.save(update_fields=["is_staff", "is_superuser"])
    page = enter("andrewbrown", viewport={"width": width, "height": 800})
    addresses = ["/admin/", "/admin/users/user/", f"/admin/users/user/{admin.pk}/change/"]
    page.goto(addresses[0])
    # Every list and page that the index leads to.
    links = page.locator("main a[href^='/admin/']").evaluate_all("all => all.map((each) => each.getAttribute('href'))")
    found = {}
    for address in dict.fromkeys([*addresses, *links]):
        page.goto(address)
        if problems := findings(page):
            found[address] = problems

    assert found == {}


def test_axe_finds_nothing_in_an_empty_list(sign_in: SignIn) -> None:
    page = sign_in("imani")
    page.set_viewport_size({"width": 390, "height": 844})

    assert findings(page) == []


def test_no_page_scrolls_sideways_at_320_pixels_or_at_200_percent(sign_in: SignIn) -> None:
    page = sign_in("andrewbrown")
    found = {}
    for name in everyone.visits(page):
        for width, height in ((320, 640), (640, 360)):  # 640 x 360: 1280 x 720 at 200 %
            page.set_viewport_size({"width": width, "height": height})
            if sideways := page.evaluate(SIDEWAYS):
                found[f"{name} at {width}"] = sideways
        page.set_viewport_size({"width": 1280, "height": 720})

    assert found == {}
