from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from pytest_django import Settings

from users.models import User

from .provider import CLIENT_ID, ISSUER, Provider

# pytest-django's client lives at this host; `next` and the callback are held against it.
SITE = "http://testserver"


@pytest.fixture
def provider(settings: Settings) -> Iterator[Provider]:
    """Return the Cognito that the settings name."""
    with Provider() as provider:
        settings.APP_URL = SITE
        settings.COGNITO_DOMAIN = provider.url
        settings.COGNITO_USER_POOL_ID = "us-east-1_Test"
        settings.OIDC_OP_ISSUER = ISSUER
        settings.OIDC_OP_JWKS_ENDPOINT = f"{provider.url}/jwks.json"
        settings.OIDC_OP_TOKEN_ENDPOINT = f"{provider.url}/oauth2/token"
        settings.OIDC_OP_AUTHORIZATION_ENDPOINT = f"{provider.url}/oauth2/authorize"
        settings.OIDC_RP_CLIENT_ID = CLIENT_ID
        settings.OIDC_RP_CLIENT_SECRET = "the-secret"
        settings.OIDC_TIMEOUT = 2
        yield provider


Begin = Callable[..., dict[str, str]]


@pytest.fixture
def begin(client: Client, provider: Provider) -> Begin:
    """Leave for Cognito; returns the query of its sign-in page."""

    def begin(**data: str) -> dict[str, str]:
        response = client.post("/oidc/authenticate/", data)
        assert response.status_code == 302, response.content
        query = parse_qs(urlsplit(response["Location"]).query)
        return {name: values[0] for name, values in query.items()}

    return begin


@pytest.fixture
def come_back(client: Client, provider: Provider, begin: Begin) -> Callable[..., Any]:
    """Return a function that signs in with a token of these claims, and returns the last response.

    The token has the right nonce unless another is given.
    """

    def come_back(*, next: str = "", **changes: Any) -> Any:  # noqa: A002 - the form's name
        query = begin(next=next)
        provider.grant(**{"nonce": query["nonce"], **changes})
        return client.get("/oidc/callback/", {"code": "a-code", "state": query["state"]})

    return come_back


@pytest.fixture
def bayko(db: None) -> User:
    return User.objects.create_user(
        handle="bayko", display_name="Bayko", email="bayko@cruddur.example", cognito_user_id="sub-of-bayko"
    )


@pytest.fixture
def londo(db: None) -> User:
    return User.objects.create_user(
        handle="londo", display_name="Londo", email="londo@cruddur.example", cognito_user_id="sub-of-londo"
    )


@pytest.fixture
def admin(db: None) -> User:
    return User.objects.create_user(
        handle="andrewbrown",
        display_name="Andrew Brown",
        cognito_user_id="sub-of-andrew",
        is_staff=True,
        is_superuser=True,
    )


def signed_in_as(client: Client) -> User | None:
    """Return the user of the client's session, if it is valid."""
    pk = client.session.get("_auth_user_id")
    return User.objects.filter(pk=pk, is_active=True).first() if pk else None
