"""The deletion of one's own account."""

from __future__ import annotations

from dataclasses import astuple

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from users import delete_account
from users.models import User


def test_page_says_what_is_deleted_and_what_stays(member: Client) -> None:
    page = member.get("/settings/delete-account").content.decode()

    assert "This cannot be undone" in page
    assert "What was reported to moderators stays" in page


@pytest.mark.parametrize("typed", ["", "bayko", "andrew"])
def test_wrong_handle_deletes_nothing(member: Client, typed: str) -> None:
    response = member.post("/settings/delete-account", {"handle": typed})

    assert response.status_code == 422
    assert "Nothing was deleted" in response.content.decode()
    assert delete_account.waiting() == []
    assert member.get("/messages").status_code == 200


@pytest.mark.parametrize("typed", ["andrewbrown", "@AndrewBrown "])
def test_own_handle_requests_the_deletion_and_signs_out(member: Client, andrew: User, typed: str) -> None:
    response = member.post("/settings/delete-account", {"handle": typed})

    assert (response.status_code, response["Location"]) == (303, "/account-deleted")
    assert delete_account.waiting() == [andrew.uuid]
    assert member.get("/messages").status_code == 302
    assert "Your account is being deleted" in member.get("/account-deleted").content.decode()


def test_deletion_signs_out_other_devices(member: Client, andrew: User) -> None:
    other = Client()
    other.force_login(andrew)

    member.post("/settings/delete-account", {"handle": "andrewbrown"})

    assert other.get("/messages").status_code == 302


def test_deletion_requires_a_csrf_token(andrew: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(andrew)

    assert strict.post("/settings/delete-account", {"handle": "andrewbrown"}).status_code == 403
    assert delete_account.waiting() == []


def test_deletion_clears_cache_storage_and_cookies(member: Client, settings: Settings) -> None:
    member.post("/settings/browser", {"theme": "dark"})

    left = member.post("/settings/delete-account", {"handle": "andrewbrown"})
    goodbye = member.get(left["Location"])

    assert left.status_code == 303
    # Not "cookies": those of every site under the same domain would go, and Cognito's own is to end there.
    assert left["Clear-Site-Data"] == '"cache", "storage"'
    assert {name for name, cookie in left.cookies.items() if cookie["max-age"] == 0} == set(astuple(settings.COOKIES))
    assert goodbye.status_code == 200
    assert "Your account is being deleted" in goodbye.content.decode()


@pytest.mark.parametrize("form", [{"handle": "bayko"}, {}])
def test_rejected_deletion_clears_nothing(member: Client, form: dict[str, str]) -> None:
    refused = member.post("/settings/delete-account", form)

    assert "Clear-Site-Data" not in refused
    assert "Clear-Site-Data" not in member.get("/account-deleted"), "or any site's link would clear drafts"
