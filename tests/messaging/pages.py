"""Pages in tests: a signed-in person with a browser, and what the HTML says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from django.test import Client

from messaging.domain.entities import pair_group_uuid
from tests import html
from users.models import User

HTML = {"Accept": "text/html"}
SCRIPT = {"Accept": "application/json"}


def group_of(one: User, other: User) -> UUID:
    return pair_group_uuid(one.uuid, other.uuid)


def html_of(response: Any) -> str:
    """The page, without what only script shows."""
    return html.source(html.shown(response))


def text_of(response: Any) -> str:
    """The page's words without markup, with single spaces."""
    return html.words(html.shown(response))


def without_nonce(response: Any) -> str:
    """The page, but for what is random in each: the nonce of its script."""
    page: str = response.text
    for nonce in set(html.attributes(html.parse(page), ".//*[@nonce]", "nonce")):
        page = page.replace(nonce, "")
    return page


def messages_of(response: Any) -> list[str]:
    """The texts of the messages that the page shows, in order."""
    return [html.text_in(each) for each in html.shown(response).iterfind(".//p[@class='message__text']")]


def conversations_of(response: Any) -> list[str]:
    """The names in the list of conversations, in order."""
    names = html.with_class(html.parse(response.text), "conversation__name")
    return [html.text_in(name) for each in names if (name := each.find("bdi")) is not None]


def hidden_of(response: Any) -> dict[str, str]:
    """The hidden fields of the message's form."""
    fields = html.parse(response.text).iterfind(".//input[@type='hidden']")
    found = {field.attrib["name"]: field.get("value", "") for field in fields}
    found.pop("csrfmiddlewaretoken", None)
    return found


def draft_of(response: Any) -> str:
    """What stands in the field of the message."""
    (field,) = html.parse(response.text).iterfind(".//textarea")
    return html.text_in(field).removeprefix("\n")


def post(
    client: Client, url: str, text: str, fields: Mapping[str, str] | None = None, *, headers: Mapping[str, str] = HTML
) -> Any:
    """Post a message as a page does."""
    data = {"message": text, "message_uuid": str(uuid4()), "after": "", **(fields or {})}
    return client.post(url, data, headers=headers)
