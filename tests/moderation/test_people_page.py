"""People in the admin: found, shown as Cognito has them, synced, disabled, enabled, signed out."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from moderation.models import AuditEntry
from tests.messaging.pages import text_of
from tests.users.pools import add_user, new_pool
from users.cognito.client import UserPool
from users.models import MOCK, User

from .conftest import signed_in

pytestmark = pytest.mark.django_db
LIST = "/admin/users/user/"


def page_of(person: User) -> str:
    return f"{LIST}{person.pk}/change/"


def do(client: Client, act: str, *people: User, confirmed: bool = True) -> Any:
    data = {"action": act, "_selected_action": [str(person.pk) for person in people]}
    return client.post(LIST, {**data, **({"confirmed": "yes"} if confirmed else {})}, follow=True)


def acts() -> list[tuple[str, str]]:
    return [(entry.act, entry.subject) for entry in AuditEntry.objects.order_by("pk")]


@pytest.fixture
def pool(settings: Settings) -> UserPool:
    return new_pool(settings)


@pytest.fixture
def tied(pool: UserPool, bayko: User) -> User:
    """Return Bayko, who is a user of the pool."""
    bayko.cognito_user_id = add_user(pool, "bayko")
    bayko.save()
    return bayko


@pytest.fixture
def out_of_reach(settings: Settings) -> None:
    settings.COGNITO_ENDPOINT_URL = "http://127.0.0.1:9"


def in_cognito(pool: UserPool, person: User) -> bool:
    user = pool.user_of(person.cognito_user_id)
    assert user is not None
    return user.enabled


# --- Finding and looking --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["@bay", "@BAYKO", "bayko", "bay", "bayko@cruddur", "sub-bayko"])
def test_search_finds_users(admin: User, bayko: User, query: str) -> None:
    found = signed_in(admin).get(LIST, {"q": query}).context["cl"].result_list

    assert [person.handle for person in found] == ["bayko"]


def test_handle_and_cognito_id_are_found_with_an_index(admin: User, bayko: User) -> None:
    client = signed_in(admin)
    bayko.cognito_user_id = "7d4e6f40-0000-4000-8000-1234567890ab"
    bayko.save()

    for query, condition in (("@bay", "LIKE 'bay%'"), (bayko.cognito_user_id, "cognito_user_id")):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            page = client.get(LIST, {"q": query})
        assert [person.handle for person in page.context["cl"].result_list] == ["bayko"]
        searches = [
            each["sql"] for each in queries.captured_queries if "WHERE" in each["sql"] and condition in each["sql"]
        ]
        assert searches
        assert not any("UPPER" in sql for sql in searches)


def test_page_shows_the_state_in_cognito(admin: User, pool: UserPool, tied: User) -> None:
    client = signed_in(admin)
    assert "In Cognito enabled CONFIRMED" in text_of(client.get(page_of(tied)))

    pool.disable("bayko@cruddur.example")

    assert "In Cognito disabled CONFIRMED" in text_of(client.get(page_of(tied)))


def test_page_says_when_cognito_is_away(admin: User, tied: User, out_of_reach: None) -> None:
    response = signed_in(admin).get(page_of(tied))

    assert response.status_code == 200
    assert "Cognito does not answer" in text_of(response)


def test_viewing_a_user_is_recorded(moderator: User, bayko: User) -> None:
    signed_in(moderator).get(page_of(bayko))

    assert acts() == [("person.view", f"person:{bayko.uuid}")]


def test_changing_a_user_is_recorded(admin: User, bayko: User) -> None:
    signed_in(admin).post(page_of(bayko), {"display_name": "New", "bio": ""})

    entry = AuditEntry.objects.get()
    assert (entry.act, entry.facts) == ("person.edit", {"fields": ["display_name"]})


# --- Moderators -----------------------------------------------------------------------------------------------------


def test_moderator_sees_no_email_addresses(moderator: User, bayko: User) -> None:
    client = signed_in(moderator)

    for address in (LIST, page_of(bayko)):
        page = client.get(address).content.decode()
        assert "bayko" in page
        assert "bayko@cruddur" not in page


@pytest.mark.parametrize(
    "query", [{"q": "bayko@cruddur"}, {"email__startswith": "bayko"}, {"password__startswith": "!"}]
)
def test_moderator_cannot_search_by_email(moderator: User, bayko: User, query: dict[str, str]) -> None:
    response = signed_in(moderator).get(LIST, query)

    assert response.status_code in (400, 302) or not response.context["cl"].result_list


def test_moderator_cannot_change_users(moderator: User, bayko: User) -> None:
    client = signed_in(moderator)

    assert client.post(page_of(bayko), {"display_name": "New", "bio": ""}).status_code == 403
    for act in ("synchronise", "disable", "enable", "sign_out"):
        do(client, act, bayko)
    bayko.refresh_from_db()
    assert (bayko.display_name, bayko.is_active) == ("Bayko", True)
    assert acts() == []


@pytest.mark.parametrize("address", ["/admin/stream/", "/admin/conversation/", "/admin/auth/group/"])
def test_moderator_has_no_other_models(moderator: User, address: str) -> None:
    assert signed_in(moderator).get(address).status_code in (403, 404)


def test_front_page_of_a_moderator_has_reports_users_and_own_actions(moderator: User) -> None:
    page = signed_in(moderator).get("/admin/")

    models = {model["object_name"] for app in page.context["app_list"] for model in app["models"]}
    assert models == {"Report", "AuditEntry", "User"}
    assert "/admin/stream/" not in page.content.decode()


# --- Acts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", ["synchronise", "disable", "enable", "sign_out"])
def test_every_action_asks_for_confirmation(admin: User, tied: User, act: str) -> None:
    theirs = signed_in(tied)

    response = do(signed_in(admin), act, tied, confirmed=False)

    assert "@bayko" in text_of(response)
    assert 'name="confirmed" value="yes"' in response.content.decode()
    assert theirs.get("/settings").status_code == 200
    assert acts() == []


def test_disabling_acts_here_and_in_cognito(admin: User, pool: UserPool, tied: User) -> None:
    theirs = signed_in(tied)

    response = do(signed_in(admin), "disable", tied)

    tied.refresh_from_db()
    assert (tied.is_active, in_cognito(pool, tied)) == (False, False)
    assert theirs.get("/settings").status_code == 302
    assert "@bayko: done." in text_of(response)
    assert acts() == [("person.disable", f"person:{tied.uuid}")]


def test_enabling_acts_here_and_in_cognito(admin: User, pool: UserPool, tied: User) -> None:
    client = signed_in(admin)
    do(client, "disable", tied)

    do(client, "enable", tied)

    tied.refresh_from_db()
    assert (tied.is_active, in_cognito(pool, tied)) == (True, True)
    assert signed_in(tied).get("/settings").status_code == 200


def test_signing_out_ends_every_session_but_keeps_the_account(admin: User, pool: UserPool, tied: User) -> None:
    phone, laptop = signed_in(tied), signed_in(tied)

    do(signed_in(admin), "sign_out", tied)

    assert [client.get("/settings").status_code for client in (phone, laptop)] == [302, 302]
    tied.refresh_from_db()
    assert (tied.is_active, in_cognito(pool, tied)) == (True, True)


@pytest.mark.parametrize("act", ["disable", "enable", "sign_out"])
def test_failure_in_cognito_is_reported(admin: User, tied: User, out_of_reach: None, act: str) -> None:
    page = text_of(do(signed_in(admin), act, tied))

    assert "@bayko: done here, but not in Cognito. Cognito does not answer" in page
    tied.refresh_from_db()
    assert tied.is_active == (act != "disable")


def test_missing_cognito_user_is_reported(admin: User, pool: UserPool, bayko: User, londo: User) -> None:
    User.objects.filter(pk=londo.pk).update(cognito_user_id=MOCK)

    page = text_of(do(signed_in(admin), "disable", bayko, londo))

    assert "@bayko: done here, but not in Cognito. Cognito has no such user any more." in page
    assert "@londo: done here, but not in Cognito. Nobody in Cognito is tied to this person." in page


@pytest.mark.parametrize("act", ["disable", "enable", "sign_out"])
def test_administrators_cannot_act_on_themselves(admin: User, tied: User, act: str) -> None:
    client = signed_in(admin)

    page = text_of(do(client, act, admin, tied))

    assert "This is your own account" in page
    assert client.get("/admin/").status_code == 200
    assert ("person." + act, f"person:{admin.uuid}") not in acts()
    assert ("person." + act, f"person:{tied.uuid}") in acts()


def test_syncing_updates_email_and_permissions(admin: User, pool: UserPool, tied: User) -> None:
    User.objects.filter(pk=tied.pk).update(email="old@cruddur.example", is_staff=True, is_superuser=True)
    pool.create_group("moderators")
    pool.add_to_group("bayko@cruddur.example", "moderators")

    do(signed_in(admin), "synchronise", tied)

    tied.refresh_from_db()
    assert (tied.email, tied.is_staff, tied.is_superuser) == ("bayko@cruddur.example", True, False)


def test_syncing_disables_users_disabled_in_cognito(admin: User, pool: UserPool, tied: User) -> None:
    theirs = signed_in(tied)
    pool.disable("bayko@cruddur.example")

    do(signed_in(admin), "synchronise", tied)

    assert theirs.get("/settings").status_code == 302
    assert not User.objects.get(pk=tied.pk).is_active


def test_syncing_does_not_enable_users(admin: User, tied: User) -> None:
    User.objects.filter(pk=tied.pk).update(is_active=False)

    do(signed_in(admin), "synchronise", tied)

    assert not User.objects.get(pk=tied.pk).is_active


def test_syncing_links_waiting_users(admin: User, pool: UserPool, londo: User) -> None:
    User.objects.filter(pk=londo.pk).update(cognito_user_id=MOCK)
    sub = add_user(pool, "londo")

    do(signed_in(admin), "synchronise", londo)

    assert User.objects.get(pk=londo.pk).cognito_user_id == sub


@pytest.mark.parametrize("act", ["synchronise", "disable", "enable", "sign_out"])
def test_actions_skip_users_being_deleted(admin: User, pool: UserPool, tied: User, act: str) -> None:
    User.objects.filter(pk=tied.pk).update(deletion_asked_at=timezone.now(), is_active=False)
    client = signed_in(admin)

    assert "is being deleted" in text_of(do(client, act, tied))
    assert acts() == []
    assert "Disable here" not in text_of(client.get(page_of(tied)))
