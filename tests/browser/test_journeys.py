"""People chatting in Chromium, with JavaScript and without."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import SignIn, Visit, fill_in_sign_in

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]

SCRIPT = pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])


def top(page: Page) -> Locator:
    """Return the first entry of the list."""
    return page.get_by_role("navigation", name="Conversations").locator("li.conversation").first


def write(page: Page, text: str) -> None:
    page.get_by_role("textbox", name=re.compile("^Message to")).fill(text)
    page.get_by_role("button", name="Send").click()


def messages(page: Page) -> Locator:
    return page.locator(".message__text")


@SCRIPT
def test_two_people_find_each_other_and_chat(sign_in: SignIn, script: bool) -> None:
    page = sign_in("londo", java_script_enabled=script)
    page.get_by_role("link", name="New", exact=True).click()
    page.get_by_role("searchbox").fill("JURGEN")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Jürgen Weiß").click()
    if page.get_by_role("link", name="Message", exact=True).count():
        page.get_by_role("link", name="Message", exact=True).click()
    write(page, "Passt dir Montag um neun?")

    page.wait_for_url(re.compile(r"/messages/[0-9a-f-]{36}"))
    expect(messages(page)).to_have_text(["Passt dir Montag um neun?"])
    expect(top(page)).to_contain_text("Jürgen Weiß")
    expect(top(page)).to_contain_text("Passt dir Montag")

    other = sign_in("jurgen", java_script_enabled=script)
    expect(top(other)).to_contain_text("Londo")
    expect(top(other)).to_contain_text("1 unread")
    top(other).get_by_role("link").click()
    expect(messages(other)).to_have_text(["Passt dir Montag um neun?"])
    write(other, "Sehr gut, ich bringe Kuchen")
    expect(messages(other)).to_have_text(["Passt dir Montag um neun?", "Sehr gut, ich bringe Kuchen"])

    if not script:
        page.wait_for_timeout(700)  # the stream worker asks every quarter of a second
        page.get_by_role("link", name="Messages", exact=False).first.click()
        expect(top(page)).to_contain_text("Jürgen Weiß, 1 unread")
        top(page).get_by_role("link").click()
        expect(page.locator("#new")).to_have_text("1 new")
    expect(messages(page).last).to_have_text("Sehr gut, ich bringe Kuchen")


@SCRIPT
def test_opened_conversation_is_read(sign_in: SignIn, script: bool) -> None:
    page = sign_in("andrewbrown", java_script_enabled=script)
    unread = page.locator("li.conversation--unread")
    before = unread.count()
    assert before > 1

    with page.expect_response("**/read") if script else page.expect_response("**/messages/**"):
        unread.last.get_by_role("link").click()
    expect(page.locator("#new")).to_be_visible()
    page.goto("/messages")

    expect(unread).to_have_count(before - 1)


@SCRIPT
def test_paging_back_reaches_the_first_message(sign_in: SignIn, script: bool) -> None:
    page = sign_in("bayko", java_script_enabled=script)
    page.get_by_role("navigation", name="Conversations").get_by_role("link", name="Andrew Brown").click()
    page.wait_for_url(re.compile(r"/messages/[0-9a-f-]{36}"))
    seen: list[str] = []
    while True:
        expect(page.locator(".message").first).to_be_attached()
        numbers = page.locator(".message").evaluate_all("all => all.map(each => each.dataset.seq)")
        seen = numbers if script else [*numbers, *seen]
        earlier = page.get_by_role("link", name="Earlier messages")
        if not earlier.count():
            break
        earlier.click()
        page.locator(f".message[data-seq='{int(numbers[0]) - 1}']").wait_for(state="attached")

    assert len(seen) >= 104
    assert seen == [str(number) for number in range(1, len(seen) + 1)]


@SCRIPT
def test_rejected_text_is_explained_and_kept(sign_in: SignIn, script: bool) -> None:
    page = sign_in("andrewbrown", java_script_enabled=script)
    top(page).get_by_role("link").click()
    field = page.get_by_role("textbox", name=re.compile("^Message to"))
    long = "word " * 210

    field.fill(long)
    if script:
        expect(page.locator("#composer-left")).to_have_text("−26")
        expect(page.get_by_role("button", name="Send")).to_be_disabled()
        return
    page.get_by_role("button", name="Send").click()

    expect(page.locator("#composer-error")).to_contain_text("26 characters too many")
    expect(field).to_have_value(long)


def fields(page: Page) -> dict[str, str]:
    """Return the fields that the page's form would send, without the text."""
    return {
        field.get_attribute("name") or "": field.get_attribute("value") or ""
        for field in page.locator("#composer input[type=hidden]").all()
    }


def test_a_form_that_was_sent_already_stores_nothing_more(sign_in: SignIn) -> None:
    page = sign_in("andrewbrown", java_script_enabled=False)
    top(page).get_by_role("link").click()
    page.wait_for_url(re.compile(r"/messages/[0-9a-f-]{36}"))
    sent = page.context.request.post(page.url, form={**fields(page), "message": "Only once"})
    assert sent.ok

    write(page, "Only once")

    expect(messages(page).get_by_text("Only once")).to_have_count(1)


def test_the_same_form_with_another_text_is_a_conflict_that_keeps_it(sign_in: SignIn) -> None:
    page = sign_in("andrewbrown", java_script_enabled=False)
    top(page).get_by_role("link").click()
    page.wait_for_url(re.compile(r"/messages/[0-9a-f-]{36}"))
    assert page.context.request.post(page.url, form={**fields(page), "message": "First thought"}).ok

    with page.expect_response(lambda response: response.request.method == "POST") as posted:
        write(page, "Second thought")
    assert posted.value.status == 409
    expect(page.get_by_role("textbox", name=re.compile("^Message to"))).to_have_value("Second thought")
    page.get_by_role("button", name="Send").click()

    expect(messages(page).last).to_have_text("Second thought")
    expect(messages(page).get_by_text("First thought")).to_have_count(1)


def test_conversation_works_by_keyboard_alone(sign_in: SignIn) -> None:
    page = sign_in("andrewbrown")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to conversations")).to_be_focused()
    page.locator("li.conversation:not(.conversation--unread)").first.get_by_role("link").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/messages/[0-9a-f-]{36}"))
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to writing")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.type("Two lines,")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("one message")
    page.keyboard.press("Enter")

    expect(messages(page).last).to_have_text("Two lines,\none message", use_inner_text=True)


def test_a_narrow_screen_shows_one_pane_and_the_sender_on_top_of_the_list(sign_in: SignIn) -> None:
    page = sign_in("andrewbrown", viewport={"width": 390, "height": 844})
    last = page.locator("li.conversation").nth(9)
    name = last.get_by_role("link").inner_text()
    last.get_by_role("link").click()
    page.wait_for_url(re.compile(r"/messages/[0-9a-f-]{36}"))
    expect(page.locator(".inbox")).to_be_hidden()
    write(page, "From a small screen")
    expect(messages(page).last).to_have_text("From a small screen")
    page.get_by_role("link", name="Back to conversations").click()

    expect(page.locator(".thread")).to_be_hidden()
    expect(top(page)).to_contain_text(name)
    expect(top(page)).to_contain_text("From a small screen")


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_a_thread_opens_at_its_newest_message_and_nothing_sticks_out(sign_in: SignIn, width: int) -> None:
    page = sign_in("andrewbrown", viewport={"width": width, "height": 720}, java_script_enabled=width != 320)
    for path in (page.locator("li.conversation").nth(8).get_by_role("link").get_attribute("href"), "/messages/new?q=a"):
        assert path is not None
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.goto("/messages")
    page.get_by_role("link", name="Bayko").first.click()
    expect(page.locator(".message").last).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@SCRIPT
def test_signing_out_ends_both_sessions(sign_in: SignIn, site: str, script: bool) -> None:
    page = sign_in("andrewbrown", java_script_enabled=script)
    page.goto("/settings")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{site}/")
    page.goto("/messages")
    page.get_by_role("button", name="Sign in to chat").click()

    # Cognito asks for the password again, and a link that was followed signed out leads where it was to lead.
    expect(page.locator("[name=password]")).to_be_visible()
    fill_in_sign_in(page, "andrewbrown")
    page.wait_for_url(f"{site}/messages")


def test_outsider_gets_not_found(sign_in: SignIn, visit: Visit) -> None:
    page = sign_in("andrewbrown")
    href = page.locator("li.conversation").first.get_by_role("link").get_attribute("href")
    assert href is not None
    stranger = sign_in("altbrown")

    response = stranger.goto(href.partition("#")[0])

    assert response is not None
    assert response.status == 404
    expect(stranger.get_by_role("heading", level=1)).to_be_visible()
