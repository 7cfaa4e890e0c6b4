"""The callback: forged queries, and a Cognito that refuses or is away."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from cruddur.web.rate_limits import LIMITS, RateLimited, take
from tests.users.conftest import Begin, signed_in_as
from tests.users.provider import Provider
from users.models import User

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "query",
    [
        {"error": "access_denied"},
        {"error": "access_denied", "state": "forged"},
        {"code": "c", "state": "forged"},
        {"code": "c"},
        {"state": "forged"},
        {},
    ],
)
def test_forged_callback_keeps_the_session(client: Client, bayko: User, query: dict[str, str]) -> None:
    client.force_login(bayko)

    response = client.get("/oidc/callback/", query)

    assert response.status_code == 400
    assert "Sign in again" in response.content.decode()
    assert signed_in_as(client) == bayko


def test_failed_sign_in_keeps_the_session(client: Client, begin: Begin, bayko: User) -> None:
    query = begin()
    client.force_login(bayko)
    session = client.session
    session["oidc_states"] = {query["state"]: {"nonce": "n", "code_verifier": "v", "added_on": 0}}
    session.save()

    response = client.get("/oidc/callback/", {"error": "access_denied", "state": query["state"]})

    assert response.status_code == 400
    assert signed_in_as(client) == bayko


def test_error_of_the_query_is_not_shown(client: Client, begin: Begin) -> None:
    query = begin()

    response = client.get(
        "/oidc/callback/", {"error": "<b>x", "error_description": "call +1 900", "state": query["state"]}
    )

    assert response.status_code == 400
    assert "900" not in response.content.decode()


def test_state_works_once(client: Client, begin: Begin, provider: Provider) -> None:
    query = begin()
    provider.grant(nonce=query["nonce"])
    callback = {"code": "c", "state": query["state"]}
    client.get("/oidc/callback/", callback)
    client.post("/oidc/logout/")

    assert client.get("/oidc/callback/", callback).status_code == 400
    assert signed_in_as(client) is None


def test_forged_state_makes_no_request_to_cognito(client: Client, begin: Begin, provider: Provider) -> None:
    begin()

    client.get("/oidc/callback/", {"code": "c", "state": "forged"})

    assert provider.requests == []


def test_state_of_another_browser_is_rejected(begin: Begin, provider: Provider) -> None:
    query = begin()
    provider.grant(nonce=query["nonce"])

    assert Client().get("/oidc/callback/", {"code": "c", "state": query["state"]}).status_code == 400


def test_old_state_is_rejected(client: Client, begin: Begin, provider: Provider) -> None:
    with time_machine.travel("2026-11-20 10:00Z", tick=True):
        query = begin()
    with time_machine.travel("2026-11-20 11:00:05Z", tick=True):
        provider.grant(nonce=query["nonce"])

        response = client.get("/oidc/callback/", {"code": "c", "state": query["state"]})

    assert response.status_code == 400
    assert provider.requests == []


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ((400, {"error": "invalid_grant"}), 400),
        ((400, {"error": "invalid_client"}), 502),
        ((401, {"error": "<script>"}), 502),
        ((200, {}), 502),
        ((200, []), 502),
        ((200, {"id_token": 7}), 502),
        ((200, b"<html>"), 502),
        ((302, {}), 502),
        ((500, {"message": "oh"}), 503),
        ((503, b""), 503),
    ],
)
def test_error_of_the_token_endpoint_is_a_page(
    client: Client, begin: Begin, provider: Provider, answer: tuple[int, Any], status: int
) -> None:
    query = begin()
    provider.answer = answer

    response = client.get("/oidc/callback/", {"code": "c", "state": query["state"]})

    assert response.status_code == status
    assert "gain" in response.content.decode()
    assert signed_in_as(client) is None


def test_unreachable_token_endpoint_is_a_page(client: Client, begin: Begin, provider: Provider) -> None:
    query = begin()
    provider.stop()

    response = client.get("/oidc/callback/", {"code": "c", "state": query["state"]})

    assert response.status_code == 503
    assert "try again" in response.content.decode()


def test_requests_to_cognito_have_a_timeout(client: Client, begin: Begin, settings: Settings) -> None:
    query = begin()
    settings.OIDC_TIMEOUT = 0.001
    settings.OIDC_OP_TOKEN_ENDPOINT = "http://192.0.2.1/oauth2/token"  # no machine has this address

    assert client.get("/oidc/callback/", {"code": "c", "state": query["state"]}).status_code == 503


def test_missing_keys_are_a_page(client: Client, come_back: Any, provider: Provider) -> None:
    provider.keys_status = 500

    assert come_back().status_code == 503
    assert signed_in_as(client) is None


def test_inactive_user_is_told_that_the_account_is_closed(client: Client, come_back: Any, bayko: User) -> None:
    User.objects.update(is_active=False)

    response = come_back(sub="sub-of-bayko", **{"cognito:groups": ["admins"]})

    assert response.status_code == 403
    assert "account is closed" in response.content.decode()
    assert "_auth_user_id" not in client.session
    bayko.refresh_from_db()
    assert not bayko.is_staff


def test_deactivation_ends_the_sessions(client: Client, come_back: Any, bayko: User) -> None:
    come_back(sub="sub-of-bayko")
    assert client.get("/settings").status_code == 200

    User.objects.update(is_active=False)

    assert client.get("/settings").status_code == 302


def test_callback_is_not_cached(client: Client) -> None:
    assert "no-store" in client.get("/oidc/callback/")["Cache-Control"]


def test_page_of_a_failed_sign_in_has_its_own_address(client: Client) -> None:
    response = client.get("/sign-in-failed")

    assert response.status_code == 400
    assert "Sign in again" in response.content.decode()


# --- What another site's page can do ----------------------------------------------------------------------------------

CALLBACK = "/oidc/callback/"
NAVIGATION = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
PARTS = [
    {"sec-fetch-site": site, "sec-fetch-mode": mode, "sec-fetch-dest": destination}
    for site in ("cross-site", "same-site", "same-origin")
    for mode, destination in (("no-cors", "image"), ("cors", "empty"), ("navigate", "iframe"), ("no-cors", "script"))
]


def test_callback_as_an_image_takes_no_token(client: Client, come_back: Any, bayko: User) -> None:
    stranger = Client()
    for number in range(2 * LIMITS["sign_ins"].at_once):
        # Browsers of ten years ago say nothing of it.
        stranger.get(CALLBACK, {"state": "made up"}, headers=PARTS[0] if number % 2 else {})

    assert come_back(sub="sub-of-bayko").status_code == 302
    assert signed_in_as(client) == bayko


def test_steps_of_a_sign_in_are_rate_limited_without_losing_it(
    client: Client, provider: Provider, begin: Begin, bayko: User
) -> None:
    query = begin()
    now = timezone.now()
    with contextlib.suppress(RateLimited):
        for _ in range(LIMITS["sign_ins"].at_once):
            take(LIMITS["sign_ins"], who="127.0.0.1", now=now)
    provider.grant(nonce=query["nonce"], sub="sub-of-bayko")

    refused = client.get(CALLBACK, {"code": "a-code", "state": query["state"]}, headers=NAVIGATION)
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        provider.grant(nonce=query["nonce"], sub="sub-of-bayko")
        client.get(CALLBACK, {"code": "a-code", "state": query["state"]}, headers=NAVIGATION)

    assert refused.status_code == 429
    assert signed_in_as(client) == bayko


@pytest.mark.parametrize("headers", PARTS)
def test_subresource_does_not_continue_a_sign_in(
    client: Client, provider: Provider, begin: Begin, bayko: User, headers: dict[str, str]
) -> None:
    query = begin()
    provider.grant(nonce=query["nonce"], sub="sub-of-bayko")

    part = client.get(CALLBACK, {"code": "a-code", "state": query["state"]}, headers=headers)
    begun = client.post("/oidc/authenticate/", headers=headers)
    page = client.get(CALLBACK, {"code": "a-code", "state": query["state"]}, headers=NAVIGATION)

    assert (part.status_code, begun.status_code, page.status_code) == (403, 403, 302)
    assert signed_in_as(client) == bayko


def test_unknown_callback_reads_no_database(client: Client, provider: Provider, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert client.get(CALLBACK, {"state": "made up", "code": "a"}).status_code == 400


def test_choosing_a_handle_is_rate_limited_only_with_a_pending_sign_in(
    client: Client, come_back: Any, bayko: User
) -> None:
    stranger = Client()
    for _ in range(2 * LIMITS["handles"].at_once):
        stranger.get("/choose-handle")
    come_back(sub="new-sub", preferred_username="bayko")

    assert client.get("/choose-handle").status_code == 200
