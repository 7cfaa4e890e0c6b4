"""A check with an id and a hint for every setting that is missing or contradictory."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.checks import CheckMessage
from pytest_django.fixtures import Settings

from cruddur.checks import check_settings
from cruddur.postgres.tls import RDS_CERTIFICATES

ROOT = Path(__file__).parents[2]
DATABASE_URLS = ("DATABASE_URL", "MIGRATION_DATABASE_URL")
PRODUCTION = {
    "CRUDDUR_ENV": "production",
    "SECRET_KEY": "production-secret-key-of-more-than-fifty-characters-0123456789",
    "APP_URL": "https://messages.example.com",
    "DATABASE_URL": "postgres://cruddur:secret@db.example.com/cruddur?sslmode=verify-full",
    "COGNITO_USER_POOL_ID": "us-east-1_example",
    "COGNITO_DOMAIN": "https://example.auth.us-east-1.amazoncognito.com",
    "OIDC_RP_CLIENT_ID": "client",
    "OIDC_RP_CLIENT_SECRET": "secret",
}


def found() -> dict[str | None, CheckMessage]:
    return {message.id: message for message in check_settings(None)}


def in_production(**changes: str | None) -> subprocess.CompletedProcess[str]:
    """Run `manage.py check --deploy` in a separate process with these variables changed (None: absent)."""
    variables = {name: value for name, value in {**PRODUCTION, **changes}.items() if value is not None}
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_checks_pass_with_test_settings() -> None:
    assert found() == {}


@pytest.mark.parametrize(
    ("setting", "identifier"),
    [
        ("SECRET_KEY", "cruddur.E001"),
        ("APP_URL", "cruddur.E002"),
        ("COGNITO_USER_POOL_ID", "cruddur.E004"),
        ("COGNITO_DOMAIN", "cruddur.E005"),
        ("OIDC_RP_CLIENT_ID", "cruddur.E006"),
        ("OIDC_RP_CLIENT_SECRET", "cruddur.E007"),
        ("DDB_MESSAGE_TABLE", "cruddur.E008"),
    ],
)
def test_checks_report_missing_settings(settings: Settings, setting: str, identifier: str) -> None:
    setattr(settings, setting, "")

    message = found()[identifier]

    assert setting in message.msg
    assert message.hint


@pytest.mark.parametrize(
    ("changes", "identifier"),
    [
        ({"APP_URL": "https://messages.example.com", "ALLOWED_HOSTS": ["other.example.com"]}, "cruddur.E012"),
        ({"DYNAMODB_ENDPOINT_URL": None}, "cruddur.E013"),
        ({"OIDC_OP_ISSUER": "https://cognito-idp.us-east-1.amazonaws.com/another"}, "cruddur.E014"),
        ({"AWS_REGION": "eu-west-1", "COGNITO_ENDPOINT_URL": None}, "cruddur.E015"),
        ({"PRODUCTION": True, "DEBUG": True}, "cruddur.E020"),
        ({"PRODUCTION": True, "SECURE": False}, "cruddur.E021"),
        ({"PRODUCTION": True, "ALLOWED_HOSTS": ["*"]}, "cruddur.E022"),
        ({"PRODUCTION": True}, "cruddur.W023"),
    ],
)
def test_checks_report_contradictory_settings(settings: Settings, changes: dict[str, object], identifier: str) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)

    assert found()[identifier].hint


@pytest.mark.slow
def test_production_settings_pass_the_deploy_checks() -> None:
    checked = in_production()

    assert checked.returncode == 0, checked.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "identifier"),
    [
        ({"SECRET_KEY": None}, "cruddur.E001"),
        ({"SECRET_KEY": f"django-insecure-{'abcdefgh' * 5}"}, "security.W009"),
        ({"DEBUG": "true"}, "cruddur.E020"),
        ({"APP_URL": "http://messages.example.com"}, "cruddur.E021"),
        ({"ALLOWED_HOSTS": "*"}, "cruddur.E022"),
        ({"DATABASE_URL": "postgres://cruddur@db.example.com/cruddur?sslmode=require"}, "cruddur.E024"),
        ({"MIGRATION_DATABASE_URL": "postgres://owner@db.example.com/cruddur?sslmode=require"}, "cruddur.E024"),
        ({"REDIS_URL": "redis://bus.example.com"}, "cruddur.E025"),
        ({"COGNITO_DOMAIN": "http://auth.example.com"}, "cruddur.E026"),
        ({"DATABASE_URL": None}, "cruddur.E003"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}, "cruddur.W023"),
    ],
)
def test_unsafe_production_settings_fail_the_deploy_checks(changes: dict[str, str | None], identifier: str) -> None:
    checked = in_production(**changes)

    assert checked.returncode == 1
    assert identifier in checked.stderr


@pytest.mark.slow
def test_both_roles_verify_a_database_of_rds_with_its_certificates() -> None:
    host = "cruddur.abcdefghijkl.eu-central-1.rds.amazonaws.com"
    urls = dict.fromkeys(DATABASE_URLS, f"postgres://role@{host}/cruddur?sslmode=verify-full")
    script = "from cruddur import settings as s; print(s.DATABASES['default'], s.MIGRATION_DATABASE)"
    printed = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env={"PATH": os.environ["PATH"], **PRODUCTION, **urls},
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert printed.stdout.count(str(RDS_CERTIFICATES)) == len(DATABASE_URLS)


@pytest.mark.slow
def test_debug_is_off_unless_asked_for() -> None:
    script = "from cruddur import settings; print(settings.DEBUG, repr(settings.SECRET_KEY))"
    printed = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "CRUDDUR_ENV": "production"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert printed.stdout == "False ''\n"
