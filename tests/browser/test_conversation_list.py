"""The list of conversations in Chromium: more of it, the search over it, its place, and its times."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from messaging.dynamodb.table import MessageTable
from tests.messaging.talk import write_all
from users.models import User

from .conftest import SignIn

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def many(site: str, table: MessageTable) -> list[User]:
    """Create 60 people who each have a conversation with Jürgen; "Person 1" is the latest."""
    now = timezone.now()
    jurgen = User.objects.get(handle="jurgen")
    people = [
        User.objects.create_user(
            handle=f"person{number}",
            display_name=f"Person {number}",
            email=f"person{number}@cruddur.example",
            cognito_user_id=f"sub-{number}",
        )
        for number in range(1, 61)
    ]
    for number, person in enumerate(people, start=1):
        line = (person.uuid, f"Hello from {number}", now - timedelta(minutes=number))
        write_all(table, [line], members=(person.uuid, jurgen.uuid))
    return people


def rows(page: Page) -> Locator:
    return page.locator("li.conversation[data-group]")


def shown(page: Page) -> list[str]:
    found: list[str] = page.locator("li.conversation:visible .conversation__name > bdi").all_inner_texts()
    return found


def test_scrolling_down_the_list_loads_all_of_it(sign_in: SignIn, many: list[User]) -> None:
    page = sign_in("jurgen")
    expect(rows(page).first).to_contain_text("Person 1")
    assert rows(page).count() < 60
    page.locator(".inbox__body").hover()
    for _ in range(40):
        if rows(page).count() >= 60 and not page.get_by_role("link", name="Earlier conversations").count():
            break
        page.mouse.wheel(0, 1500)
        page.evaluate("() => new Promise(requestAnimationFrame)")

    expect(page.get_by_role("link", name="Earlier conversations")).to_have_count(0)
    names = shown(page)
    assert [name for name in names if name.startswith("Person")] == [f"Person {n}" for n in range(1, 61)]
    assert len(names) == len(set(names))


def test_without_script_the_list_goes_on_by_link(sign_in: SignIn, many: list[User]) -> None:
    page = sign_in("jurgen", java_script_enabled=False)
    page.get_by_role("link", name="Earlier conversations").click()

    expect(rows(page).first).to_contain_text("Person 21")


def test_the_search_filters_the_list_at_once_and_finds_people(sign_in: SignIn) -> None:
    page = sign_in("bayko")
    field = page.get_by_role("searchbox", name="Search people and conversations")
    everyone = shown(page)
    field.press_sequentially("BAYK")

    expect(page.get_by_role("heading", name="Conversations")).to_be_visible()
    assert shown(page)[0] == "Baykal Öztürk"
    expect(page.get_by_role("status").filter(has_text="1 conversation, 0 people")).to_be_visible()
    field.fill("ozt sofia")
    expect(page.get_by_role("status").filter(has_text="Nobody called “ozt sofia”")).to_be_visible()
    assert shown(page) == []
    field.fill("sof")
    expect(page.get_by_role("heading", name="People")).to_be_visible()
    assert shown(page) == ["Sofia Lindqvist"]
    field.press("Escape")
    expect(field).to_have_value("")
    assert shown(page) == everyone

    field.fill("oztu")
    field.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Baykal Öztürk")


def test_back_on_a_phone_restores_list_position(sign_in: SignIn, many: list[User]) -> None:
    page = sign_in("jurgen", viewport=PHONE)
    page.locator(".inbox__body").hover()
    while rows(page).count() < 40:
        page.mouse.wheel(0, 1500)
        page.evaluate("() => new Promise(requestAnimationFrame)")
    target = rows(page).filter(has_text="Person 35")
    target.scroll_into_view_if_needed()
    place = page.locator(".inbox__body").evaluate("(list) => list.scrollTop")
    depth = page.evaluate("history.length")

    target.get_by_role("link").click()
    expect(page.locator(".inbox")).to_be_hidden()
    page.get_by_role("link", name="Back to conversations").click()

    expect(target).to_be_in_viewport()
    assert page.locator(".inbox__body").evaluate("(list) => list.scrollTop") == pytest.approx(place, abs=2)
    assert page.evaluate("history.length") == depth + 1
    page.go_forward()
    expect(page.get_by_role("heading", level=1)).to_have_text("Person 35")


def test_the_list_stays_in_its_place_when_another_conversation_is_opened(sign_in: SignIn, many: list[User]) -> None:
    page = sign_in("jurgen")
    target = rows(page).filter(has_text="Person 18")
    target.scroll_into_view_if_needed()
    place = page.locator(".inbox__body").evaluate("(list) => list.scrollTop")
    assert place > 0

    target.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Person 18")

    expect(target).to_be_in_viewport()
    assert page.locator(".inbox__body").evaluate("(list) => list.scrollTop") == pytest.approx(place, abs=2)


def test_today_becomes_yesterday_at_midnight(sign_in: SignIn, site: str) -> None:
    page = sign_in("andrewbrown", timezone_id="UTC")
    page.get_by_role("link", name="Bayko", exact=False).first.click()
    time = rows(page).first.locator("time")
    said = time.inner_text()
    now = timezone.now()
    page.clock.install(time=now)
    page.reload()
    expect(time).to_have_text(said)
    today = page.locator(f".day time[datetime='{now.date().isoformat()}']")
    expect(today).to_have_text("Today")

    page.clock.fast_forward("24:00:00")

    expect(today).to_have_text("Yesterday")
    expect(time).to_have_text("Yesterday")
