"""Pages in tests: a signed-in person with a browser, and what the HTML says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from typing import Any
from uuid import UUID, uuid4

from django.test import Client

from messaging.dynamodb.items import pair_group_uuid
from users.models import User

HTML = {"Accept": "text/html"}
SCRIPT = {"Accept": "application/json"}


def group_of(one: User, other: User) -> UUID:
    return pair_group_uuid(one.uuid, other.uuid)


def html_of(response: Any) -> str:
    """The page, without what only script shows."""
    return re.sub(r"<template\b.*?</template>", "", response.content.decode(), flags=re.DOTALL)


def text_of(response: Any) -> str:
    """The page's words without markup, with single spaces."""
    html = re.sub(r"<(script|style|head)\b.*?</\1>", " ", html_of(response), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def without_nonce(response: Any) -> str:
    """The page, but for what is random in each: the nonce of its script."""
    return re.sub(r'nonce="[^"]+"', "", response.content.decode())


def messages_of(response: Any) -> list[str]:
    """The texts of the messages that the page shows, in order."""
    html = html_of(response)
    found = re.findall(r'<p class="message__text" dir="auto">(.*?)</p>', html, flags=re.DOTALL)
    return [unescape(re.sub(r"<[^>]+>", "", each)) for each in found]


def conversations_of(response: Any) -> list[str]:
    """The names in the list of conversations, in order."""
    return [
        unescape(name) for name in re.findall(r"conversation__name[^>]*><bdi>(.*?)</bdi>", response.content.decode())
    ]


def hidden_of(response: Any) -> dict[str, str]:
    """The hidden fields of the message's form."""
    html = response.content.decode()
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', html)
    return {name: unescape(value) for name, value in found if name != "csrfmiddlewaretoken"}


def draft_of(response: Any) -> str:
    """What stands in the field of the message."""
    (draft,) = re.findall(r"<textarea[^>]*>\n?(.*?)</textarea>", response.content.decode(), flags=re.DOTALL)
    return unescape(draft)


def post(
    client: Client, url: str, text: str, fields: Mapping[str, str] | None = None, *, headers: Mapping[str, str] = HTML
) -> Any:
    """Post a message as a page does."""
    data = {"message": text, "message_uuid": str(uuid4()), "after": "", **(fields or {})}
    return client.post(url, data, headers=headers)
