"""Browsers of signed-in users, and what is in the HTML that they get."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4
from xml.etree.ElementTree import Element

from django.test import Client

from messaging.domain.entities import Message, pair_group_uuid
from tests import html
from tests.cookies import COOKIES
from users.models import User

HTML = {"Accept": "text/html"}
SCRIPT = {"Accept": "application/json"}


def group_of(one: User, other: User) -> UUID:
    """Return the uuid of the conversation of two users."""
    return pair_group_uuid(one.uuid, other.uuid)


def html_of(response: Any) -> str:
    """Return the page without what only script shows."""
    return html.source(html.shown(response))


def text_of(response: Any) -> str:
    """Return the words of the page without markup, with single spaces."""
    return html.words(html.shown(response))


def without_nonce(response: Any) -> str:
    """Return the page without the nonce of its script, which is random."""
    page: str = response.text
    for nonce in set(html.attributes(html.parse(page), ".//*[@nonce]", "nonce")):
        page = page.replace(nonce, "")
    return page


def messages_of(response: Any) -> list[str]:
    """Return the texts of the messages on the page, in order."""
    return [html.text_in(each) for each in html.shown(response).iterfind(".//p[@class='message__text']")]


def conversations_of(response: Any) -> list[str]:
    """Return the names in the list of conversations, in order."""
    names = html.with_class(html.parse(response.text), "conversation__name")
    return [html.text_in(name) for each in names if (name := each.find("bdi")) is not None]


def hidden_of(response: Any) -> dict[str, str]:
    """Return the hidden fields of the composer."""
    fields = html.parse(response.text).iterfind(".//input[@type='hidden']")
    found = {field.attrib["name"]: field.get("value", "") for field in fields}
    found.pop("csrfmiddlewaretoken", None)
    return found


def draft_of(response: Any) -> str:
    """Return the text in the composer."""
    (field,) = html.parse(response.text).iterfind(".//textarea")
    return html.text_in(field).removeprefix("\n")


def post(
    client: Client, url: str, text: str, fields: Mapping[str, str] | None = None, *, headers: Mapping[str, str] = HTML
) -> Any:
    """Post a message as a page does."""
    data = {"message": text, "message_uuid": str(uuid4()), "after": "", **(fields or {})}
    return client.post(url, data, headers=headers)


def browser(person: User) -> Client:
    """Return a browser in which the user is signed in and scripts run."""
    client = Client(headers=HTML)
    client.force_login(person)
    client.cookies[COOKIES.timezone] = "Europe/Vienna"
    return client


def message_path(message: Message, what: str = "") -> str:
    """Return the address of the message's menu, or of its `/edit` or `/delete`."""
    return f"/messages/{message.group_uuid}/{quote(message.created_at)}{what}"


def message_anchor(message: Message) -> str:
    """Return the address of the message in its conversation."""
    return f"/messages/{message.group_uuid}?around={quote(message.created_at, safe='')}#m{message.created_at}"


def open_conversation(client: Client, message: Message) -> Any:
    """Load the page of the message's conversation."""
    return client.get(f"/messages/{message.group_uuid}")


def data_attributes(element: Element) -> dict[str, str]:
    """Return the data attributes of an element, without the prefix."""
    return {name.removeprefix("data-"): value for name, value in element.items() if name.startswith("data-")}
