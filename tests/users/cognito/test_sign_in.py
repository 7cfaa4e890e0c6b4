"""Signing in: what an honest Cognito and an honest browser see."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from tests.users.conftest import SITE, Begin, signed_in_as
from tests.users.provider import Provider
from users.models import User

pytestmark = pytest.mark.django_db


def test_sign_in_requests_a_code_with_state_nonce_and_pkce(begin: Begin) -> None:
    query = begin()

    assert query["response_type"] == "code"
    assert query["redirect_uri"] == f"{SITE}/oidc/callback/"
    assert query["scope"] == "openid email profile"
    assert query["code_challenge_method"] == "S256"
    assert len(query["code_challenge"]) == 43
    assert len(query["state"]) == len(query["nonce"]) == 32


@pytest.mark.usefixtures("provider")
def test_protected_page_redirects_to_the_landing_page_and_back(client: Client) -> None:
    response = client.get("/settings", follow=True)

    assert response.redirect_chain == [("/?next=/settings", 302)]
    assert 'name="next" value="/settings"' in response.content.decode()


def test_link_or_image_of_another_site_starts_no_sign_in(client: Client, provider: Provider) -> None:
    for path in ("/oidc/authenticate/", "/sign-up", "/forgot-password"):
        assert client.get(path).status_code == 405
    assert "oidc_states" not in client.session


def test_sign_in_requires_a_csrf_token(provider: Provider) -> None:
    client = Client(enforce_csrf_checks=True)

    assert client.post("/oidc/authenticate/").status_code == 403


def test_signed_in_user_is_redirected(client: Client, provider: Provider, bayko: User) -> None:
    client.force_login(bayko)

    assert client.post("/oidc/authenticate/", {"next": "/settings"})["Location"] == "/settings"


def test_missing_configuration_is_a_page(client: Client, settings: Settings) -> None:
    settings.COGNITO_DOMAIN = ""

    response = client.post("/oidc/authenticate/")

    assert response.status_code == 503
    assert "not set up" in response.content.decode()


def test_first_sign_in_creates_the_user(client: Client, come_back: Any) -> None:
    response = come_back(sub="new-sub", preferred_username="Nina_3", name="Nina  Three", email="nina@cruddur.example")

    assert response["Location"] == "/messages"
    person = signed_in_as(client)
    assert person is not None
    assert (person.handle, person.display_name, person.email) == ("Nina_3", "Nina Three", "nina@cruddur.example")
    assert person.cognito_user_id == "new-sub"
    assert not person.is_staff
    assert not person.has_usable_password()


def test_code_is_exchanged_with_verifier_and_secret(come_back: Any, provider: Provider) -> None:
    come_back()

    ((_, form),) = [asked for asked in provider.requests if asked[0] == "/oauth2/token"]
    assert form["grant_type"] == ["authorization_code"]
    assert form["code"] == ["a-code"]
    assert form["client_secret"] == ["the-secret"]
    assert form["redirect_uri"] == [f"{SITE}/oidc/callback/"]
    assert len(form["code_verifier"][0]) == 64


def test_sign_in_requests_only_token_and_keys(come_back: Any, provider: Provider) -> None:
    come_back()

    assert {path for path, _ in provider.requests} == {"/oauth2/token", "/jwks.json"}


def test_next_sign_in_finds_the_user_by_sub(client: Client, come_back: Any, bayko: User) -> None:
    come_back(sub="sub-of-bayko", preferred_username="somebody_else", email="other@cruddur.example")

    assert signed_in_as(client) == bayko
    assert User.objects.count() == 1


def test_sign_in_updates_only_the_email(come_back: Any, bayko: User) -> None:
    come_back(sub="sub-of-bayko", preferred_username="renamed", name="Renamed", email="new@cruddur.example")

    bayko.refresh_from_db()
    assert (bayko.handle, bayko.display_name, bayko.email) == ("bayko", "Bayko", "new@cruddur.example")


def test_email_verified_may_be_a_string(come_back: Any, bayko: User) -> None:
    come_back(sub="sub-of-bayko", email="new@cruddur.example", email_verified="true")

    bayko.refresh_from_db()
    assert bayko.email == "new@cruddur.example"


@pytest.mark.parametrize("verified", [False, "false", None, 1.5])
def test_unverified_email_is_ignored(come_back: Any, bayko: User, verified: object) -> None:
    come_back(sub="sub-of-bayko", email="someone.elses@cruddur.example", email_verified=verified)

    bayko.refresh_from_db()
    assert bayko.email == "bayko@cruddur.example"


def test_member_of_admins_becomes_an_administrator(come_back: Any, bayko: User) -> None:
    come_back(sub="sub-of-bayko", **{"cognito:groups": ["others", "admins"]})

    bayko.refresh_from_db()
    assert bayko.is_staff
    assert bayko.is_superuser


def test_member_of_moderators_becomes_a_moderator(come_back: Any, admin: User) -> None:
    come_back(sub="sub-of-andrew", **{"cognito:groups": ["moderators"]})

    admin.refresh_from_db()
    assert admin.is_staff
    assert not admin.is_superuser


def test_first_sign_in_grants_moderator_permissions(come_back: Any) -> None:
    come_back(sub="sub-of-new", preferred_username="newcomer", **{"cognito:groups": ["moderators"]})

    person = User.objects.get(handle="newcomer")
    assert (person.is_staff, person.is_superuser) == (True, False)


@pytest.mark.parametrize("groups", [[], ["administrators"], None, "admins", {"admins": 1}])
def test_leaving_admins_removes_the_permissions(come_back: Any, admin: User, groups: object) -> None:
    come_back(sub="sub-of-andrew", **{"cognito:groups": groups})

    admin.refresh_from_db()
    assert not admin.is_staff
    assert not admin.is_superuser


def test_sign_in_changes_the_session_key(client: Client, begin: Begin, provider: Provider, bayko: User) -> None:
    query = begin()
    before = client.session.session_key
    provider.grant(nonce=query["nonce"], sub="sub-of-bayko")

    client.get("/oidc/callback/", {"code": "a-code", "state": query["state"]})

    assert client.session.session_key != before
    assert "_auth_user_id" in client.session


def test_sign_in_clears_the_session_of_another_user(
    client: Client, begin: Begin, provider: Provider, bayko: User, londo: User
) -> None:
    query = begin()
    client.force_login(londo)
    session = client.session
    session["secret"] = "of londo"
    session.save()
    provider.grant(nonce=query["nonce"], sub="sub-of-bayko")

    client.get("/oidc/callback/", {"code": "a-code", "state": query["state"]})

    assert signed_in_as(client) == bayko
    assert "secret" not in client.session


def test_session_has_no_token(client: Client, come_back: Any, provider: Provider) -> None:
    come_back()

    _, tokens = provider.answer
    kept = repr(dict(client.session.items()))
    assert not [name for name, token in tokens.items() if token in kept]


def test_log_has_no_token_claim_or_secret(
    come_back: Any, provider: Provider, caplog: pytest.LogCaptureFixture, client: Client
) -> None:
    caplog.set_level(logging.INFO)

    come_back(sub="new-sub", email="private@cruddur.example")
    come_back_refused = come_back
    client.logout()
    come_back_refused(sub="new-sub", email="private@cruddur.example", aud="another")
    client.logout()

    assert "ID token refused: InvalidAudienceError" in caplog.text
    _, tokens = provider.answer
    for secret in (*tokens.values(), "private@", "new-sub", "the-secret", "a-code", "Some One"):
        assert secret not in caplog.text


def test_sign_in_redirects_to_next(come_back: Any) -> None:
    assert come_back(next="/@bayko?a=1")["Location"] == "/@bayko?a=1"


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "http:///evil",
        "\n//evil.example",
    ],
)
def test_next_on_another_site_is_ignored(come_back: Any, url: str) -> None:
    assert come_back(next=url)["Location"] == "/messages"


def test_each_tab_keeps_its_next(client: Client, begin: Begin, provider: Provider) -> None:
    first, second = begin(next="/@first"), begin(next="/@second")
    assert second["state"] != first["state"]
    provider.grant(nonce=first["nonce"])

    assert client.get("/oidc/callback/", {"code": "c", "state": first["state"]})["Location"] == "/@first"
