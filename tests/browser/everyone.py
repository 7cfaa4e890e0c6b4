"""Every kind of page there is, for the tests that visit them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.template import loader
from playwright.sync_api import Page, Route

from users.forms import ChooseHandleForm


@dataclass(frozen=True)
class Places:
    """Addresses of a conversation and of an own message in it that may still be edited."""

    group: str
    message: str
    block: str
    """Where one is asked whether to block the other."""


# By the name in the URL conf.
PAGES: Mapping[str, Callable[[Places], str]] = {
    "conversations": lambda places: "/messages",
    "conversation": lambda places: places.group,
    "new_conversation": lambda places: "/messages/new?q=an",
    "new_conversation_with": lambda places: "/messages/new/jurgen",
    "conversation_menu": lambda places: f"{places.group}/options",
    "message_requests": lambda places: "/messages/requests",
    "archived": lambda places: "/messages/archived",
    "block": lambda places: places.block,
    "message_menu": lambda places: places.message,
    "edit_message": lambda places: f"{places.message}/edit",
    "delete_message": lambda places: f"{places.message}/delete",
    "profile": lambda places: "/@bayko",
    "report_conversation": lambda places: places.group.replace("/messages/", "/report/"),
    "settings": lambda places: "/settings",
    "export_data": lambda places: "/settings/export",
    "delete_account": lambda places: "/settings/delete-account",
    "shortcuts": lambda places: "/shortcuts",
}
VARIANTS: Mapping[str, Callable[[Places], str]] = {
    "nobody found": lambda places: "/messages/new?q=zzzzzz",
    "own profile": lambda places: "/@andrewbrown",
    "404": lambda places: "/nothing-here",
}
FOR_VISITORS = {"landing": "/", "sign_in_failed": "/sign-in-failed", "account_deleted": "/account-deleted"}
NO_PAGES = {
    "acknowledge_notice": "is posted to",
    "alert": "JSON",
    "answer_request": "is posted to",
    "archive": "is posted to",
    "browser_settings": "is posted to",
    "sync": "JSON",
    "choose_handle": "needs a first sign-in without a handle; its template is below",
    "message_window": "a part of a conversation",
    "forgot_password": "leads to Cognito",
    "form_token": "JSON",
    "healthz": "JSON",
    "conversation_rows": "a part of the list",
    "manifest": "JSON",
    "readyz": "JSON",
    "mark_read": "is posted to",
    "mark_unread": "is posted to",
    "mute": "is posted to",
    "oidc_authentication_callback": "leads on",
    "oidc_authentication_init": "leads to Cognito",
    "oidc_logout": "leads to Cognito",
    "people": "a part of the list",
    "privacy_settings": "is posted to",
    "report_message": "the page of report_conversation",
    "sign_up": "leads to Cognito",
    "stream": "server-sent events",
    "typing": "is posted to",
    "unblock": "is posted to",
}
# Pages of what cannot be brought about at will: their templates.
FRAGILE: Mapping[str, Mapping[str, Any]] = {
    "400.html": {},
    "403.html": {},
    "409.html": {},
    "429.html": {"wait": "9 seconds"},
    "500.html": {"incident": "abcd-1234"},
    "users/choose_handle.html": {"form": ChooseHandleForm({"handle": "admin"})},
    "503.html": {"again_url": "/messages", "retry_after": 600},
    "messaging/malformed_conversation.html": {},
    "messaging/unsent_form.html": {
        "status": 403,
        "heading": "Not sent",
        "explanation": "Why.",
        "action": "/",
        "texts": [("message", "Your message", "Hi")],
    },
}


def places(page: Page) -> Places:
    """Return the addresses for the person who is signed in on the page; sends a message for it."""
    page.goto("/messages")
    page.locator("a.conversation__name").first.click()
    page.wait_for_url("**/messages/*-*")
    group = page.url.split("#")[0]
    page.locator("#composer-text").fill("For everyone: https://example.com/a")
    page.get_by_role("button", name="Send").click()
    own = page.locator("li.message--own", has_text="For everyone").last
    own.locator("a.message__more").wait_for(state="attached")
    message = own.locator("a.message__more").get_attribute("href")
    assert message
    block = page.locator("#conversation-menu").evaluate(
        "each => each.content.querySelector('a[href$=block]').getAttribute('href')"
    )
    return Places(group=group, message=message.split("#")[0], block=block)


def visits(page: Page) -> Iterator[str]:
    """Visit each kind of page that a signed-in person sees; yield its name while it is open."""
    there = places(page)
    for name, address in {**PAGES, **VARIANTS}.items():
        page.goto(address(there))
        yield name
    for template, context in FRAGILE.items():
        show(page, loader.render_to_string(template, dict(context)))
        yield template


def show(page: Page, html: str) -> None:
    """Show a page with this content at an address of the site."""

    def answer(route: Route) -> None:
        route.fulfill(body=html, content_type="text/html; charset=utf-8")

    page.route("**/shown-by-a-test", answer)
    page.goto("/shown-by-a-test")
    page.unroute("**/shown-by-a-test", answer)
