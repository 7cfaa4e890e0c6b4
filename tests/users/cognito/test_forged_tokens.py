"""Every weakness of mozilla-django-oidc that design.md names, tried with a forged token or answer."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import jwt
import pytest
from django.test import Client
from pytest_django import Settings

from tests.users.conftest import Begin, signed_in_as
from tests.users.provider import CLIENT_ID, DROPPED, Provider, claims_of, private_key
from users.models import User

pytestmark = pytest.mark.django_db

SUB = "sub-of-bayko"


@pytest.fixture(autouse=True)
def _someone_to_be(bayko: User) -> None:
    """Create Bayko, the user that every forged token claims to be."""


def assert_refused(client: Client, response: Any) -> None:
    assert response.status_code == 400
    assert "Sign in again" in response.content.decode()
    assert signed_in_as(client) is None


@pytest.fixture
def come_back_with(client: Client, begin: Begin, provider: Provider) -> Any:
    """Sign in with the token that `make(claims)` returns for honest claims."""

    def come_back_with(make: Any) -> Any:
        query = begin()
        provider.grant_token(make(claims_of(sub=SUB, nonce=query["nonce"])))
        return client.get("/oidc/callback/", {"code": "a-code", "state": query["state"]})

    return come_back_with


def signed(claims: dict[str, Any], *, kid: str = "key-1", key: str = "key-1") -> str:
    return jwt.encode(claims, private_key(key), "RS256", headers={"kid": kid})


def test_valid_token_is_accepted(client: Client, come_back_with: Any, bayko: User) -> None:
    come_back_with(signed)

    assert signed_in_as(client) == bayko


def test_token_of_another_client_is_rejected(client: Client, come_back: Any) -> None:
    assert_refused(client, come_back(sub=SUB, aud="another-client"))


def test_token_with_further_audiences_is_rejected(client: Client, come_back: Any) -> None:
    assert_refused(client, come_back(sub=SUB, aud=[CLIENT_ID, "another-client"]))


@pytest.mark.parametrize("azp", ["another-client", "", None, [CLIENT_ID]])
def test_token_of_another_authorized_party_is_rejected(client: Client, come_back: Any, azp: object) -> None:
    assert_refused(client, come_back(sub=SUB, azp=azp))


def test_userinfo_is_not_requested(client: Client, come_back: Any, settings: Settings, bayko: User) -> None:
    settings.OIDC_OP_USER_ENDPOINT = "http://127.0.0.1:1/oauth2/userInfo"

    come_back(sub=SUB, azp=CLIENT_ID)

    assert signed_in_as(client) == bayko


def test_token_of_another_pool_is_rejected(client: Client, come_back: Any) -> None:
    assert_refused(client, come_back(sub=SUB, iss="https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Evil"))


@pytest.mark.parametrize("claim", ["aud", "exp", "iat", "iss", "nonce", "sub", "token_use"])
def test_token_without_a_claim_is_rejected(client: Client, come_back: Any, claim: str) -> None:
    assert_refused(client, come_back(**{"sub": SUB, claim: DROPPED}))


def test_expired_token_is_rejected(client: Client, come_back: Any) -> None:
    assert_refused(client, come_back(sub=SUB, exp=int(time.time()) - 120))


def test_token_of_the_future_is_rejected(client: Client, come_back: Any) -> None:
    assert_refused(client, come_back(sub=SUB, iat=int(time.time()) + 3600))


def test_token_issued_long_ago_is_rejected(client: Client, come_back: Any) -> None:
    assert_refused(client, come_back(sub=SUB, iat=int(time.time()) - 3600))


@pytest.mark.parametrize("value", ["soon", None, [], {}, True, pytest.param(str(int(time.time())), id="text")])
@pytest.mark.parametrize("claim", ["exp", "iat"])
def test_invalid_time_is_rejected(client: Client, come_back: Any, claim: str, value: object) -> None:
    assert_refused(client, come_back(**{"sub": SUB, claim: value}))


def test_access_token_is_rejected(client: Client, come_back: Any) -> None:
    assert_refused(client, come_back(sub=SUB, token_use="access"))


def test_nonce_of_another_sign_in_is_rejected(client: Client, come_back: Any) -> None:
    assert_refused(client, come_back(sub=SUB, nonce="x" * 32))


@pytest.mark.parametrize("sub", ["MOCK", "mock", "", 7, "x" * 65, None])
def test_sub_of_nobody_is_rejected(client: Client, come_back: Any, sub: object) -> None:
    response = come_back(sub=sub)

    assert response.status_code == 400
    assert signed_in_as(client) is None
    assert User.objects.count() == 1


def test_unsigned_token_is_rejected(client: Client, come_back_with: Any) -> None:
    assert_refused(client, come_back_with(lambda claims: jwt.encode(claims, "", "none", headers={"kid": "key-1"})))


def test_token_signed_with_the_client_secret_is_rejected(client: Client, come_back_with: Any) -> None:
    secret = "the-secret" + "." * 32
    assert_refused(client, come_back_with(lambda claims: jwt.encode(claims, secret, "HS256", headers={"kid": "key-1"})))


def test_token_signed_with_the_public_key_is_rejected(client: Client, come_back_with: Any) -> None:
    def confused(claims: dict[str, Any]) -> str:
        numbers = private_key("key-1").public_key().public_numbers()
        header = {"alg": "HS256", "kid": "key-1"}
        return jwt.PyJWS().encode(json.dumps(claims).encode(), str(numbers.n), "HS256", headers=header)

    assert_refused(client, come_back_with(confused))


def test_rs512_is_rejected(client: Client, come_back_with: Any) -> None:
    assert_refused(
        client,
        come_back_with(lambda claims: jwt.encode(claims, private_key("key-1"), "RS512", headers={"kid": "key-1"})),
    )


def test_token_signed_by_another_key_is_rejected(client: Client, come_back_with: Any) -> None:
    assert_refused(client, come_back_with(lambda claims: signed(claims, key="key-of-evil")))


def test_unknown_key_id_is_rejected(client: Client, come_back_with: Any) -> None:
    assert_refused(client, come_back_with(lambda claims: signed(claims, kid="key-of-evil", key="key-of-evil")))


def test_token_without_key_id_is_rejected(client: Client, come_back_with: Any) -> None:
    assert_refused(client, come_back_with(lambda claims: jwt.encode(claims, private_key("key-1"), "RS256")))


def test_tampered_token_is_rejected(client: Client, come_back_with: Any) -> None:
    def tampered(claims: dict[str, Any]) -> str:
        header, _, signature = signed({**claims, "sub": "sub-of-evil"}).split(".")
        body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
        return f"{header}.{body}.{signature}"

    assert_refused(client, come_back_with(tampered))


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "ä.ö.ü", "." * 5000])
def test_malformed_token_is_rejected(client: Client, come_back_with: Any, token: str) -> None:
    assert_refused(client, come_back_with(lambda _claims: token))


def test_users_are_not_linked_by_email(client: Client, come_back: Any, bayko: User) -> None:
    come_back(sub="sub-of-evil", preferred_username="evil", email="bayko@cruddur.example", email_verified=True)

    person = signed_in_as(client)
    assert person is not None
    assert person != bayko
    assert User.objects.count() == 2


def test_users_are_not_linked_by_handle(client: Client, come_back: Any) -> None:
    response = come_back(sub="sub-of-evil", preferred_username="BAYKO")

    assert response["Location"] == "/choose-handle"
    assert signed_in_as(client) is None


def test_waiting_users_are_not_linked_at_sign_in(client: Client, come_back: Any) -> None:
    User.objects.create_user(handle="imani", display_name="Imani", email="imani@cruddur.example")

    response = come_back(sub="sub-of-imani", preferred_username="imani", email="imani@cruddur.example")

    assert response["Location"] == "/choose-handle"
    assert signed_in_as(client) is None
    assert User.objects.get(handle="imani").cognito_user_id == "MOCK"
