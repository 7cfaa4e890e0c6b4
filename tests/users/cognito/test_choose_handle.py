from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.test import Client

from tests.cookies import COOKIES
from tests.users.conftest import Begin, signed_in_as
from tests.users.provider import DROPPED, Provider
from users.models import User

pytestmark = pytest.mark.django_db

PAGE = "/choose-handle"


@pytest.mark.parametrize(
    "handle", [DROPPED, "", "a", "not a handle", "Bayko", "bayk0", "admin", "b\u0430yko", 7, "x" * 31, "\ud7fc"]
)
def test_first_sign_in_without_a_free_handle_redirects_here(
    client: Client, come_back: Any, bayko: User, handle: object
) -> None:
    response = come_back(preferred_username=handle)

    assert response["Location"] == PAGE
    assert client.get(PAGE).status_code == 200
    assert User.objects.count() == 1


def test_page_explains_why_the_handle_is_not_available(client: Client, come_back: Any, bayko: User) -> None:
    come_back(preferred_username="Bayko")

    page = client.get(PAGE).content.decode()

    assert "Someone else has this handle" in page
    assert 'value="Bayko"' in page


def test_choosing_creates_the_user_and_signs_in(client: Client, come_back: Any, bayko: User) -> None:
    come_back(sub="new-sub", preferred_username="bayko", email="n@cruddur.example", next="/settings")

    response = client.post(PAGE, {"handle": " @bayko_north "})

    assert (response.status_code, response["Location"]) == (303, "/settings")
    person = signed_in_as(client)
    assert person is not None
    assert (person.handle, person.cognito_user_id, person.email) == ("bayko_north", "new-sub", "n@cruddur.example")
    assert person.display_name == "Some One"


def test_choosing_keeps_the_permissions_of_an_administrator(client: Client, come_back: Any) -> None:
    come_back(preferred_username="", **{"cognito:groups": ["admins"]})

    client.post(PAGE, {"handle": "new_admin_person"})

    assert User.objects.get().is_superuser


@pytest.mark.parametrize(
    ("handle", "reason"),
    [
        ("", "Enter a handle"),
        ("BAYKO", "Someone else has this handle"),
        ("bayk0", "looks like another"),
        ("support", "kept for Cruddur"),
        ("a b", "2 to 30 letters"),
    ],
)
def test_invalid_handle_is_kept_and_explained(
    client: Client, come_back: Any, bayko: User, handle: str, reason: str
) -> None:
    come_back(preferred_username="")

    response = client.post(PAGE, {"handle": handle})

    assert response.status_code == 422
    assert reason in response.content.decode()
    assert handle in response.content.decode()
    assert User.objects.count() == 1
    assert signed_in_as(client) is None


def test_pending_sign_in_expires_after_fifteen_minutes(client: Client, come_back: Any) -> None:
    with time_machine.travel("2026-11-20 10:00Z", tick=True):
        come_back(preferred_username="")
    with time_machine.travel("2026-11-20 10:15:10Z", tick=True):
        response = client.post(PAGE, {"handle": "too_late"})

    assert response.status_code == 400
    assert "Sign in again" in response.content.decode()
    assert not User.objects.exists()


def test_page_requires_a_pending_sign_in(client: Client) -> None:
    assert client.get(PAGE).status_code == 400
    assert client.post(PAGE, {"handle": "nobody_asked"}).status_code == 400
    assert not User.objects.exists()


def test_signed_in_user_is_redirected(client: Client, bayko: User) -> None:
    client.force_login(bayko)

    assert client.get(PAGE)["Location"] == "/messages"


def test_pending_sign_in_has_a_new_session(client: Client, begin: Begin, provider: Provider) -> None:
    query = begin()
    planted = client.session.session_key
    provider.grant(nonce=query["nonce"], preferred_username="")

    client.get("/oidc/callback/", {"code": "c", "state": query["state"]})

    assert client.session.session_key != planted
    attacker = Client()
    attacker.cookies[COOKIES.session] = str(planted)
    assert attacker.get(PAGE).status_code == 400


def test_pending_sign_in_signs_out_the_previous_user(
    client: Client, begin: Begin, provider: Provider, bayko: User
) -> None:
    query = begin()
    client.force_login(bayko)
    provider.grant(nonce=query["nonce"], preferred_username="")

    client.get("/oidc/callback/", {"code": "c", "state": query["state"]})

    assert signed_in_as(client) is None


def test_user_created_in_another_tab_is_found(client: Client, come_back: Any) -> None:
    come_back(sub="new-sub", preferred_username="")
    other = User.objects.create_user(handle="other_tab", display_name="N", cognito_user_id="new-sub")

    client.post(PAGE, {"handle": "this_tab"})

    assert signed_in_as(client) == other
    assert User.objects.count() == 1


def test_pending_sign_in_stores_no_token(client: Client, come_back: Any, provider: Provider) -> None:
    come_back(preferred_username="")

    _, tokens = provider.answer
    kept = repr(dict(client.session.items()))
    assert not [name for name, token in tokens.items() if token in kept]


def test_database_decides_between_simultaneous_choices(
    client: Client, come_back: Any, bayko: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    come_back(preferred_username="")
    monkeypatch.setattr("users.forms.require_free", lambda _handle: None)
    monkeypatch.setattr("users.cognito.sign_in.require_free", lambda _handle: None)

    response = client.post(PAGE, {"handle": "bayk0"})

    assert response.status_code == 422
    assert 'value="bayk0"' in response.content.decode()
    assert User.objects.count() == 1


def test_closed_account_is_reported(client: Client, come_back: Any) -> None:
    come_back(sub="new-sub", preferred_username="")
    User.objects.create_user(handle="other_tab", display_name="N", cognito_user_id="new-sub", is_active=False)

    assert client.post(PAGE, {"handle": "this_tab"}).status_code == 403
    assert signed_in_as(client) is None
