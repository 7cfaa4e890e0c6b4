"""The menu of a message."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from messaging.domain.entities import Message
from tests import html
from tests.messaging.pages import (
    message_anchor,
    message_path,
    open_conversation,
)
from tests.messaging.talk import send
from users.models import User

pytestmark = pytest.mark.django_db


def items_of(response: Any) -> list[str]:
    """Return the addresses in the menu of a message."""
    (menu,) = html.shown(response).iterfind(".//*[@role='menu']")
    return html.attributes(menu, ".//*[@role='menuitem']", "href")


def test_every_message_links_to_its_menu(client: Client, mine: Message, bayko: User) -> None:
    send(by=bayko.uuid, group=mine.group_uuid, text="Other", now=timezone.now())

    links = [
        link.attrib["href"] for link in html.with_class(html.shown(open_conversation(client, mine)), "message__more")
    ]

    assert [client.get(link).status_code for link in links] == [200, 200]


def test_menu_of_own_message_has_edit_link_and_delete(client: Client, mine: Message) -> None:
    edit, link, delete, close = items_of(client.get(message_path(mine)))

    assert (unquote(edit), unquote(delete)) == (
        unquote(message_path(mine, "/edit")),
        unquote(message_path(mine, "/delete")),
    )
    assert link == close == message_anchor(mine)
    assert [client.get(each).status_code for each in (edit, link, delete)] == [200, 200, 200]


def test_menu_of_other_message_has_link_and_report(client: Client, mine: Message, bayko: User) -> None:
    other = send(by=bayko.uuid, group=mine.group_uuid, text="Other", now=timezone.now())

    assert items_of(client.get(message_path(other))) == [
        message_anchor(other),
        f"/report/{other.group_uuid}/{other.created_at}",
        message_anchor(other),
    ]


def test_edit_is_not_offered_after_fifteen_minutes(client: Client, andrew: User, bayko: User, mine: Message) -> None:
    old = send(by=andrew.uuid, group=mine.group_uuid, now=timezone.now())
    old_url = message_path(old)
    with time_machine.travel(timezone.now() + timedelta(minutes=16), tick=False):
        links = [link.rpartition("/")[2] for link in items_of(client.get(old_url))]
        assert "edit" not in links
        assert "delete" in links
        assert client.get(f"{old_url}/edit")["Location"] == message_anchor(old)
