from __future__ import annotations

import pytest
from django.test import Client

from tests.users.conftest import SITE, signed_in_as
from tests.users.provider import CLIENT_ID, Provider
from users.models import User

pytestmark = pytest.mark.django_db


def test_sign_out_ends_the_session_and_then_cognitos(client: Client, provider: Provider, bayko: User) -> None:
    client.force_login(bayko)

    response = client.post("/oidc/logout/")

    assert signed_in_as(client) is None
    logout = f"{provider.url}/logout?client_id={CLIENT_ID}&logout_uri=http%3A%2F%2Ftestserver%2F"
    assert response["Location"] == logout
    assert SITE == "http://testserver"
    assert response["Clear-Site-Data"] == '"cache"', "the back button of whoever comes next"


def test_sign_out_rejects_get(client: Client, bayko: User) -> None:
    client.force_login(bayko)

    assert client.get("/oidc/logout/").status_code == 405
    assert signed_in_as(client) == bayko


def test_sign_out_requires_a_csrf_token(bayko: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(bayko)

    assert client.post("/oidc/logout/").status_code == 403
    assert signed_in_as(client) == bayko


def test_signed_out_user_is_redirected_to_the_landing_page(client: Client) -> None:
    assert client.post("/oidc/logout/")["Location"] == "/"
