from __future__ import annotations

import pytest
from django.test import Client

from users.models import User

pytestmark = pytest.mark.django_db

PAGE = "/settings"


@pytest.fixture(autouse=True)
def _signed_in(client: Client, bayko: User) -> None:
    client.force_login(bayko)


def test_settings_require_sign_in() -> None:
    assert Client().get(PAGE)["Location"] == "/?next=/settings"


def test_settings_show_stored_values(client: Client) -> None:
    assert 'value="Bayko"' in client.get(PAGE).content.decode()


def test_settings_save_name_and_bio(client: Client, bayko: User) -> None:
    response = client.post(PAGE, {"display_name": "  Bayko  the First ", "bio": "Finds things."})

    assert (response.status_code, response["Location"]) == (303, PAGE)
    bayko.refresh_from_db()
    assert (bayko.display_name, bayko.bio) == ("Bayko the First", "Finds things.")


def test_saving_is_confirmed(client: Client) -> None:
    page = client.post(PAGE, {"display_name": "Bayko", "bio": ""}, follow=True)

    assert "Saved." in page.content.decode()


def test_longest_name_and_bio_are_accepted(client: Client, bayko: User) -> None:
    client.post(PAGE, {"display_name": "🙂" * 64, "bio": "🙂" * 160})

    bayko.refresh_from_db()
    assert (len(bayko.display_name), len(bayko.bio)) == (64, 160)


@pytest.mark.parametrize(
    ("name", "bio", "reason"),
    [
        ("", "kept", "Enter a name."),
        ("   ", "kept", "Enter a name."),
        ("\u200b\u2060", "kept", "Enter a name."),
        ("\u3164", "kept", "Enter a name."),
        ("x" * 65, "kept", "64 characters at most"),
        ("kept", "y" * 161, "160 characters at most"),
    ],
)
def test_rejected_form_keeps_the_text_and_explains(
    client: Client, bayko: User, name: str, bio: str, reason: str
) -> None:
    response = client.post(PAGE, {"display_name": name, "bio": bio})

    page = response.content.decode()
    assert response.status_code == 422
    assert reason in page
    assert name.strip() in page
    assert bio in page
    bayko.refresh_from_db()
    assert (bayko.display_name, bayko.bio) == ("Bayko", "")


def test_line_break_counts_as_one_character(client: Client, bayko: User) -> None:
    client.post(PAGE, {"display_name": "Bayko", "bio": "a\r\n" * 79 + "ab"})

    bayko.refresh_from_db()
    assert len(bayko.bio) == 160


def test_other_fields_cannot_be_changed(client: Client, bayko: User) -> None:
    client.post(
        PAGE,
        {
            "display_name": "Bayko", "bio": "", "handle": "admin", "is_staff": "on", "is_superuser": "on",
            "email": "x@y.z", "cognito_user_id": "sub-of-londo", "uuid": "0",
        },
    )  # fmt: skip

    changed = User.objects.get()
    assert (changed.handle, changed.email, changed.cognito_user_id, changed.pk) == (
        "bayko", "bayko@cruddur.example", "sub-of-bayko", bayko.pk,
    )  # fmt: skip
    assert not changed.is_staff
    assert not changed.is_superuser


def test_empty_form_is_rejected(client: Client, bayko: User) -> None:
    assert client.post(PAGE, {}).status_code == 422


def test_new_name_appears_on_the_profile(client: Client) -> None:
    client.post(PAGE, {"display_name": "Zebedee", "bio": ""})

    assert "Zebedee" in client.get("/@bayko").content.decode()
