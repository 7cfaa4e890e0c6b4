"""cognito_list_users and update_cognito_user_ids, against the emulator."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from users.models import MOCK, User

pytestmark = pytest.mark.django_db


def run(command: str, *arguments: str) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out, stderr=StringIO(), no_color=True)
    return out.getvalue()


@pytest.mark.parametrize("command", ["cognito_list_users", "update_cognito_user_ids"])
def test_the_first_line_names_endpoint_pool_and_database(command: str) -> None:
    first = run(command).splitlines()[0]

    assert str(django_settings.COGNITO_ENDPOINT_URL) in first
    assert django_settings.COGNITO_USER_POOL_ID in first
    assert f"database {connection.settings_dict['NAME']} on 127.0.0.1" in first
    assert connection.settings_dict["PASSWORD"] not in first


def test_listing_shows_everyone_of_the_pool() -> None:
    lines = run("cognito_list_users").splitlines()

    assert lines[-1] == "34 users, 1 of them in admins."
    (andrew,) = [line for line in lines if line.startswith("andrewbrown")]
    assert "Andrew Brown" in andrew
    assert "andrewbrown@cruddur.example" in andrew
    assert "CONFIRMED" in andrew
    assert "admins" in andrew


def test_listing_writes_a_json_object_a_line_for_programs() -> None:
    users = [json.loads(line) for line in run("cognito_list_users", "--json").splitlines()]

    assert len(users) == 34
    assert {user["handle"] for user in users if user["admin"]} == {"andrewbrown"}


@pytest.mark.parametrize("command", ["cognito_list_users", "update_cognito_user_ids"])
@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("COGNITO_USER_POOL_ID", "", "COGNITO_USER_POOL_ID is not set"),
        ("COGNITO_USER_POOL_ID", "us-east-1_None", "no such user pool"),
        ("COGNITO_ENDPOINT_URL", "http://127.0.0.1:9", "does not answer"),
    ],
)
def test_they_say_in_a_sentence_what_is_wrong(
    settings: Settings, command: str, setting: str, value: str, sentence: str
) -> None:
    setattr(settings, setting, value)

    with pytest.raises(CommandError, match=sentence):
        run(command)


def test_updating_ties_the_seeded_people() -> None:
    run("db_seed")

    first, second = run("update_cognito_user_ids"), run("update_cognito_user_ids")

    assert "34 people tied, 0 were already, 0 mismatches" in first
    assert "0 people tied, 34 were already, 0 mismatches" in second
    assert not User.objects.filter(cognito_user_id=MOCK).exists()


def test_updating_lists_mismatches() -> None:
    run("db_seed")
    User.objects.filter(handle="bayko").update(email="old@cruddur.example")

    out = run("update_cognito_user_ids")

    assert "@bayko: the Cognito user has another e-mail." in out
    assert "33 people tied" in out
