"""The whole sign-in through the emulator's own page, without a browser."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
import requests
from django.conf import settings
from django.core.management import call_command
from django.test import Client

from tests.cognito_page import submit
from tests.users.conftest import signed_in_as
from users.models import User

pytestmark = pytest.mark.django_db


def sign_in_at_cognito(client: Client, *, email: str, password: str) -> requests.Response:
    with requests.Session() as browser:
        page = browser.get(client.post("/oidc/authenticate/")["Location"], timeout=60)
        assert page.status_code == 200
        return submit(browser, page, username=email, password=password)


def test_seeded_administrator_signs_in_and_out(client: Client) -> None:
    call_command("db_seed", verbosity=0)
    call_command("update_cognito_user_ids")

    back = sign_in_at_cognito(client, email="andrewbrown@cruddur.example", password="Cruddur123!")
    callback = urlsplit(back.headers["Location"])
    assert f"{callback.scheme}://{callback.netloc}" == settings.APP_URL
    response = client.get(f"{callback.path}?{callback.query}")

    assert response["Location"] == "/messages"
    person = signed_in_as(client)
    assert person is not None
    assert (person.handle, person.is_superuser) == ("andrewbrown", True)
    assert client.get("/admin/").status_code == 200
    assert client.get("/@andrewbrown").status_code == 200

    sign_out = client.post("/oidc/logout/")["Location"]
    assert signed_in_as(client) is None
    ended = requests.get(sign_out, allow_redirects=False, timeout=60)
    assert ended.headers["Location"] == f"{settings.APP_URL}/"


def test_first_sign_in_creates_the_user(client: Client) -> None:
    back = sign_in_at_cognito(client, email="nour@cruddur.example", password="Cruddur123!")
    callback = urlsplit(back.headers["Location"])

    client.get(f"{callback.path}?{callback.query}")

    person = User.objects.get()
    assert signed_in_as(client) == person
    assert (person.handle, person.display_name, person.email) == ("nour", "نور الهاشمي", "nour@cruddur.example")
    assert not person.is_staff


def test_wrong_password_stays_at_cognito(client: Client) -> None:
    back = sign_in_at_cognito(client, email="nour@cruddur.example", password="wrong")

    assert "/oidc/callback/" not in back.headers.get("Location", "")
    assert signed_in_as(client) is None
