"""Rows and messages are rendered once, and are what they would be if they were rendered each time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.template import Context, Template
from django.template.loader import get_template
from django.test import Client
from django.test.signals import template_rendered
from django.utils import timezone, translation

from cruddur.templatetags import fragments
from messaging.domain.entities import Message
from messaging.domain.timestamps import format_created_at
from messaging.presenters.avatar import person_view_from
from messaging.presenters.conversation import MessageView, message_view
from messaging.presenters.conversations import ConversationRow
from messaging.presenters.dates import list_time
from tests.cruddur.test_pseudo_locale import made_up  # noqa: F401 - a fixture
from tests.messaging.talk import ANDREW, GROUP, NOW
from users.models import User

MESSAGE = "messaging/_message.html"
ROW = "messaging/_conversation_row.html"


def some_message(text: str = "Have a look: https://example.org <3", at: datetime = NOW) -> MessageView:
    stored = Message(GROUP, format_created_at(at), 7, text, UUID(int=9), ANDREW)
    return message_view(stored, person_view_from(uuid=ANDREW, name="Andrew Brown", handle="andrew"), own=False)


def some_row(**different: object) -> ConversationRow:
    row = ConversationRow(
        url="/messages/x", name="Andrew Brown",
        avatar=person_view_from(uuid=ANDREW, name="Andrew Brown", handle="andrew"),
        time=list_time(NOW, now=NOW), preview="<b>Hello</b>", own=True, unread=3, current=False, group=str(GROUP),
        at=format_created_at(NOW), last_seq=7, read_seq=4, sent_seq=0, muted=True, muted_until=1,
    )  # fmt: skip
    return replace(row, **different)  # type: ignore[arg-type]


@contextmanager
def renderings(template_name: str) -> Iterator[list[str]]:
    found: list[str] = []

    def note(template: Template, **_: object) -> None:
        if template.name == template_name:
            found.append(template_name)

    template_rendered.connect(note)
    try:
        yield found
    finally:
        template_rendered.disconnect(note)


def rendered_fragment(template_name: str, **values: object) -> str:
    arguments = " ".join(f"{name}={name}" for name in values)
    return Template(f'{{% load fragments %}}{{% fragment "{template_name}" {arguments} %}}').render(Context(values))


def test_same_values_are_rendered_once() -> None:
    with renderings(ROW) as found:
        first = rendered_fragment(ROW, row=some_row())
        again = rendered_fragment(ROW, row=some_row())

    assert found == [ROW]
    assert first == again


@pytest.mark.parametrize(
    "different",
    [{"unread": 4}, {"preview": "Bye"}, {"current": True}, {"time": list_time(NOW.replace(hour=7), now=NOW)}],
    ids=str,
)
def test_different_values_are_another_fragment(different: dict[str, object]) -> None:
    before = rendered_fragment(ROW, row=some_row())

    assert (
        rendered_fragment(ROW, row=some_row(**different))
        == get_template(ROW).render({"row": some_row(**different)})
        != before
    )


def test_message_with_open_menu_is_another_fragment() -> None:
    message = replace(some_message(), menu_url="/messages/x/y")
    closed = rendered_fragment(MESSAGE, message=message, open_menu="")

    opened = rendered_fragment(MESSAGE, message=message, open_menu=message.created_at)

    assert opened == get_template(MESSAGE).render({"message": message, "open_menu": message.created_at}) != closed


@pytest.mark.usefixtures("made_up")
def test_each_language_has_its_own_fragment() -> None:
    """`made_up` says everything else for English alone."""
    with translation.override("de"):
        german = rendered_fragment(ROW, row=some_row())
    with translation.override("en"):
        english = rendered_fragment(ROW, row=some_row())

    assert german != english


def test_texts_are_escaped() -> None:
    assert "<b>" not in rendered_fragment(ROW, row=some_row())
    assert "&lt;3" in rendered_fragment(MESSAGE, message=some_message(), open_menu="")


@pytest.mark.parametrize("name", [ROW, MESSAGE])
def test_template_uses_only_its_arguments(name: str) -> None:
    values = {"row": some_row()} if name == ROW else {"message": some_message(), "open": ""}

    with timezone.override(ZoneInfo("Pacific/Auckland")):
        there = get_template(name).render(dict(values))
    with timezone.override(ZoneInfo("America/Lima")):
        here = rendered_fragment(name, **values)

    assert here == there


def test_cache_is_bounded() -> None:
    for number in range(fragments.CACHE_SIZE + 10):
        fragments.rendered("messaging/_write_permission.html", "en", (("number", number),))

    assert fragments.rendered.cache_info().currsize == fragments.CACHE_SIZE


# --- Around every page ------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.usefixtures("fake_table")
def test_rail_follows_name_and_permissions(client: Client, andrew: User) -> None:
    client.force_login(andrew)
    before = client.get("/messages").text
    assert andrew.get_absolute_url() in before
    assert "/admin/" not in before

    User.objects.filter(pk=andrew.pk).update(handle="zoe", display_name="Zoe Zander", is_staff=True)
    after = client.get("/messages").text

    assert andrew.get_absolute_url() not in after
    assert User.objects.get(pk=andrew.pk).get_absolute_url() in after
    assert ">ZZ<" in after
    assert "/admin/" in after
