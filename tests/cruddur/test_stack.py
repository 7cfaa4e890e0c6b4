from __future__ import annotations

import pytest
from django.db import connection
from pytest_django import Settings

from cruddur.stack import describe_cognito_stack, describe_stack


def test_it_names_endpoint_table_and_database(settings: Settings) -> None:
    line = describe_stack()

    assert settings.DYNAMODB_ENDPOINT_URL in line
    assert "table cruddur-messages" in line
    assert "database " in line
    assert "not running" not in line


def test_it_names_awss_own_endpoint_where_none_is_set(settings: Settings) -> None:
    settings.DYNAMODB_ENDPOINT_URL = settings.COGNITO_ENDPOINT_URL = None
    settings.AWS_REGION = "eu-central-1"

    assert "https://dynamodb.eu-central-1.amazonaws.com" in describe_stack()
    assert "https://cognito-idp.eu-central-1.amazonaws.com" in describe_cognito_stack()


def test_it_never_names_the_password() -> None:
    assert connection.settings_dict["PASSWORD"] not in describe_stack() + describe_cognito_stack()


@pytest.mark.parametrize("setting", ["DYNAMODB_ENDPOINT_URL", "COGNITO_ENDPOINT_URL"])
def test_it_says_when_the_local_stack_is_not_running(settings: Settings, setting: str) -> None:
    setattr(settings, setting, "http://127.0.0.1:9")
    describe = describe_stack if setting.startswith("DYNAMODB") else describe_cognito_stack

    assert "not running: start the local stack with `make run`" in describe()
