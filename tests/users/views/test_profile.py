from __future__ import annotations

import pytest
from django.test import Client

from users.models import User

pytestmark = pytest.mark.django_db


def test_profile_requires_sign_in(client: Client, bayko: User) -> None:
    assert client.get("/@bayko")["Location"] == "/?next=/%40bayko"


@pytest.mark.parametrize("address", ["/@londo", "/@Londo", "/@LONDO"])
def test_profile_shows_name_bio_and_message_button(client: Client, bayko: User, londo: User, address: str) -> None:
    londo.bio = "Writes long letters."
    londo.save()
    client.force_login(bayko)

    response = client.get(address)

    page = response.content.decode()
    assert "Londo" in page
    assert "Writes long letters." in page
    assert 'href="/messages/new/londo"' in page
    assert response.context["own"] is False


def test_own_profile_links_to_settings(client: Client, bayko: User) -> None:
    client.force_login(bayko)

    response = client.get("/@bayko")

    assert response.context["own"] is True
    assert 'href="/settings"' in response.content.decode()
    assert "/messages/new/bayko" not in response.content.decode()


@pytest.mark.parametrize("address", ["/@nobody_here", "/@bayk0", "/@%F0%9F%99%82", "/@" + "x" * 3000, "/@"])
def test_unknown_handle_is_not_found(client: Client, bayko: User, address: str) -> None:
    client.force_login(bayko)

    assert client.get(address).status_code == 404


def test_inactive_user_is_not_found(client: Client, bayko: User, londo: User) -> None:
    londo.is_active = False
    londo.save()
    client.force_login(bayko)

    assert client.get("/@londo").status_code == 404


def test_profile_escapes_name_and_bio(client: Client, bayko: User, londo: User) -> None:
    londo.display_name = londo.bio = "<script>alert(1)</script>"
    londo.save()
    client.force_login(bayko)

    assert "<script>alert" not in client.get("/@londo").content.decode()


def test_profile_hides_the_email_address(client: Client, bayko: User, londo: User) -> None:
    client.force_login(bayko)

    assert "londo@cruddur.example" not in client.get("/@londo").content.decode()
