from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from pytest_django import Settings

from tests.users.conftest import SITE
from tests.users.provider import CLIENT_ID, Provider
from users.models import User

pytestmark = pytest.mark.django_db

HOSTED = "https://cruddur.auth.us-east-1.amazoncognito.com"


def test_landing_page_offers_sign_in(client: Client) -> None:
    page = client.get("/")

    assert page.status_code == 200
    assert 'action="/oidc/authenticate/"' in page.content.decode()


def test_signed_in_user_is_redirected_to_conversations(client: Client, bayko: User) -> None:
    client.force_login(bayko)

    assert client.get("/")["Location"] == "/messages"


def test_next_on_this_site_is_kept(client: Client) -> None:
    assert client.get("/", {"next": "/@bayko"}).context["next"] == "/@bayko"


def test_next_on_another_site_is_dropped(client: Client) -> None:
    assert client.get("/", {"next": "https://evil.example"}).context["next"] == "/messages"


def test_emulator_has_no_account_pages(client: Client, provider: Provider) -> None:
    context = client.get("/").context

    assert context["sign_up_url"] is None
    assert context["forgot_password_url"] is None
    assert client.post("/sign-up").status_code == 404
    assert client.post("/forgot-password").status_code == 404


@pytest.mark.parametrize(("name", "page"), [("sign_up_url", "/signup"), ("forgot_password_url", "/forgotPassword")])
def test_account_pages_redirect_to_cognito(
    client: Client, provider: Provider, settings: Settings, name: str, page: str
) -> None:
    settings.COGNITO_DOMAIN = HOSTED

    link = urlsplit(client.post(client.get("/").context[name])["Location"])

    assert f"{link.scheme}://{link.netloc}{link.path}" == f"{HOSTED}{page}"
    query = {name: values[0] for name, values in parse_qs(link.query).items()}
    assert query["client_id"] == CLIENT_ID
    assert query["response_type"] == "code"
    assert query["scope"] == "openid email profile"
    assert query["redirect_uri"] == f"{SITE}/oidc/callback/"


def test_creating_an_account_signs_the_user_in(client: Client, provider: Provider, settings: Settings) -> None:
    settings.COGNITO_DOMAIN = HOSTED
    query = parse_qs(urlsplit(client.post("/sign-up")["Location"]).query)
    provider.grant(nonce=query["nonce"][0], sub="new-sub", preferred_username="nina")

    response = client.get("/oidc/callback/", {"code": "c", "state": query["state"][0]})

    assert response["Location"] == "/messages"
    assert User.objects.get().handle == "nina"
