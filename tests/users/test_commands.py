"""Behaviour that all Cognito commands share, and their results with the seed."""

from __future__ import annotations

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError
from django.db import connection
from pytest_django import Settings

from users.models import MOCK, User

from .pools import run

pytestmark = pytest.mark.django_db

READING = ["cognito_list_users", "update_cognito_user_ids"]
"""Those that need no arguments."""


@pytest.mark.parametrize("command", READING)
def test_the_first_line_names_endpoint_pool_and_database(command: str) -> None:
    first = run(command)[0].splitlines()[0]

    assert str(django_settings.COGNITO_ENDPOINT_URL) in first
    assert django_settings.COGNITO_USER_POOL_ID in first
    assert f"database {connection.settings_dict['NAME']} on 127.0.0.1" in first
    assert connection.settings_dict["PASSWORD"] not in first


@pytest.mark.parametrize("command", [*READING, "cognito_create_user ann ann@cruddur.example"])
@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("COGNITO_USER_POOL_ID", "", "COGNITO_USER_POOL_ID is not set"),
        ("COGNITO_USER_POOL_ID", "us-east-1_None", "no such user pool"),
        ("COGNITO_USER_POOL_ID", "eu-west-1_None", "set AWS_REGION to that"),
        ("COGNITO_ENDPOINT_URL", "http://127.0.0.1:9", "does not answer"),
    ],
)
def test_they_say_in_a_sentence_what_is_wrong(
    settings: Settings, command: str, setting: str, value: str, sentence: str
) -> None:
    setattr(settings, setting, value)

    with pytest.raises(CommandError, match=sentence) as caught:
        run(*command.split())
    assert caught.value.returncode == 1


def test_listing_shows_everyone_of_the_seed() -> None:
    lines = run("cognito_list_users")[0].splitlines()

    assert lines[-1].startswith("34 users: 34 confirmed, 34 verified, 1 in admins, 1 in moderators;")
    (andrew,) = [line for line in lines if line.startswith("andrewbrown")]
    assert "Andrew Brown" in andrew
    assert "admins" in andrew


def test_updating_ties_the_people_of_the_seed() -> None:
    run("db_seed")

    first, second = run("update_cognito_user_ids")[0], run("update_cognito_user_ids")[0]

    assert "34 people tied, 0 made, 0 were tied already, 0 mismatches" in first
    assert "0 people tied, 0 made, 34 were tied already, 0 mismatches" in second
    assert not User.objects.filter(cognito_user_id=MOCK).exists()
