"""What the tests of moderation share: people with rights, a conversation, and reports of it."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from messaging.domain.entities import Message
from messaging.dynamodb.table import MessageTable
from moderation import reports
from moderation.models import Report
from tests.messaging import talk
from users.models import User


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def moderator(db: None) -> User:
    return User.objects.create_user(
        handle="mo", display_name="Mo", email="mo@cruddur.example", cognito_user_id="sub-mo", is_staff=True
    )


@pytest.fixture
def other_moderator(db: None) -> User:
    return User.objects.create_user(handle="lenny", display_name="Lenny", cognito_user_id="sub-lenny", is_staff=True)


@pytest.fixture
def admin(db: None) -> User:
    return User.objects.create_user(
        handle="root_of_all", display_name="Root", cognito_user_id="sub-root", is_staff=True, is_superuser=True
    )


@pytest.fixture
def bad_message(fake_table: MessageTable, andrew: User, bayko: User) -> Message:
    """Return Bayko's message, the eighth of a conversation with Andrew."""
    first = talk.start(by=andrew.uuid, to=bayko.uuid, text="Text 1")
    for number in range(2, 8):
        talk.send(by=andrew.uuid, group=first.group_uuid, text=f"Text {number}")
    return talk.send(by=bayko.uuid, group=first.group_uuid, text="Buy kites")


@pytest.fixture
def report(bad_message: Message, andrew: User) -> Report:
    """Return Andrew's report of Bayko's message."""
    return reports.report(
        reporter_uuid=andrew.uuid,
        group_uuid=bad_message.group_uuid,
        created_at=bad_message.created_at,
        reason="spam",
        note="He goes on",
        now=timezone.now(),
    )
