"""The menu of a conversation."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.test import Client

from messaging.actions import conversation_settings
from tests.messaging.pages import (
    text_of,
)
from users.models import User

pytestmark = pytest.mark.django_db


def test_menu_opens_without_script(of_andrew: Client, conversation_url: str) -> None:
    menu = text_of(of_andrew.get(f"{conversation_url}/options"))
    assert "View profile Mark unread Mute for an hour Mute for a day Mute for good Archive" in menu


def test_menu_of_a_muted_conversation_offers_to_unmute(of_andrew: Client, andrew: User, conversation_url: str) -> None:
    conversation_settings.mute(user_uuid=andrew.uuid, group_uuid=UUID(conversation_url[-36:]), until=None)
    assert "Unmute" in text_of(of_andrew.get(f"{conversation_url}/options"))
