"""Helpers for the actions and expectations of the browser tests."""

from __future__ import annotations

import re
from difflib import unified_diff
from typing import Any

from django.conf import settings
from django.test import Client
from playwright.sync_api import Locator, Page, expect

from users.models import User

EVENTS = (
    "live:message",
    "live:amended",
    "live:hint",
    "live:read",
    "live:seen",
    "live:typing",
    "live:up",
    "live:down",
    "live:resync",
    "conversation:messages-added",
    "conversation:synced",
)
NOTE_EVENTS = f"""
globalThis.heard = [];
for (const name of {list(EVENTS)}) document.addEventListener(name, (event) => heard.push(name));
"""
"""A page in which this ran at its start remembers what its modules told each other."""

# As a page is compared with its reload: attributes and classes in order, no white space between elements, and without
# what only a moment has: the line of a status that is empty, the divider before what is new, focus and hover.
NORMALISED = """(content) => {
  const copy = content.cloneNode(true);
  // The divider stays as long as the page does, and nothing continues over it.
  for (const each of copy.querySelectorAll(".new")) {
    const [before, after] = [each.previousElementSibling, each.nextElementSibling];
    if (!before || before.dataset.user !== after?.dataset.user) continue;
    const apart = Date.parse(after.dataset.at) - Date.parse(before.dataset.at);
    after.classList.toggle("message--continued", apart <= 300_000);
  }
  for (const each of copy.querySelectorAll(".new, .thread__older, .thread__newer")) each.remove();
  for (const each of copy.querySelectorAll("*")) {
    each.classList.value = [...each.classList].sort().join(" ");
    const attributes = [...each.attributes].sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const { name } of attributes) each.removeAttribute(name);
    for (const { name, value } of attributes) if (name !== "tabindex") each.setAttribute(name, value);
  }
  return copy.innerHTML.replace(/>\\s+/g, ">").replace(/\\s+</g, "<").replaceAll("><", ">\\n<");
}"""


def session_of(handle: str) -> dict[str, Any]:
    """Return options for a browser profile in which this person is signed in."""
    client = Client()
    client.force_login(User.objects.get(handle=handle))
    value = client.cookies[settings.SESSION_COOKIE_NAME].value
    cookie = {
        "name": settings.SESSION_COOKIE_NAME,
        "value": value,
        "domain": "localhost",
        "path": "/",
        "expires": -1,
        "httpOnly": True,
        "secure": False,
        "sameSite": "Lax",
    }
    return {"storage_state": {"cookies": [cookie], "origins": []}}


def wait_until_heard(page: Page, name: str, *, times: int = 1) -> None:
    """Wait until the modules of the page have said this; the page has run NOTE_EVENTS."""
    page.wait_for_function(
        "([name, times]) => heard.filter((each) => each === name).length >= times", arg=[name, times]
    )


def forget_heard(page: Page) -> None:
    page.evaluate("() => { heard.length = 0; }")


def conversation(page: Page, name: str) -> Locator:
    """Return the entry of the list with this name."""
    link = page.get_by_role("link", name=re.compile(f"^{re.escape(name)}( ?,|$)"))
    return page.locator("li.conversation").filter(has=link)


def open_conversation(page: Page, name: str) -> Page:
    """Open it from the list; returns once it follows what happens."""
    conversation(page, name).get_by_role("link").click()
    page.wait_for_url(re.compile(r"/messages/[0-9a-f-]{36}"))
    wait_until_heard(page, "conversation:synced")
    return page


def first_line(page: Page) -> Locator:
    return page.locator("li.conversation").first


def messages(page: Page) -> Locator:
    return page.locator(".thread__log .message__text")


def message(page: Page, text: str) -> Locator:
    """Return the message with this text."""
    return page.locator(".thread__log .message").filter(has=page.get_by_text(text, exact=True))


def field(page: Page) -> Locator:
    return page.locator("#composer-text")


def write(page: Page, text: str) -> None:
    """Send a message as people with a keyboard do."""
    field(page).fill(text)
    field(page).press("Enter")


def change(page: Page, url: str, **form: str) -> None:
    """Post a form as from another device: the page itself has no part in it."""
    token = page.locator("[name=csrfmiddlewaretoken]").first.get_attribute("value")
    response = page.context.request.post(url, form={**form, "csrfmiddlewaretoken": token or ""})
    assert response.ok, response.status


def edit(page: Page, text: str, new: str) -> None:
    """Change one's own message as from another device."""
    change(page, f"{message(page, text).locator('.message__more').get_attribute('href')}/edit", message=new)


def delete(page: Page, text: str) -> None:
    """Delete one's own message as from another device."""
    change(page, f"{message(page, text).locator('.message__more').get_attribute('href')}/delete")


def thread_html(page: Page) -> str:
    """Return the HTML of the loaded messages, for comparison."""
    html: str = page.locator(".thread__content").evaluate(NORMALISED)
    return html


def expect_the_page_to_equal_its_reload(page: Page) -> None:
    """Expect the page to show what a fresh load shows."""
    shown = thread_html(page)
    page.reload()
    wait_until_heard(page, "conversation:synced")
    expect(page.locator(".thread__content")).to_be_visible()
    fresh = thread_html(page)
    assert shown == fresh, "\n".join(unified_diff(shown.splitlines(), fresh.splitlines(), "shown", "fresh", n=1))
