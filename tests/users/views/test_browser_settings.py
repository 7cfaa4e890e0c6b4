"""Theme and single-key shortcuts, stored in cookies of one browser."""

from django.test import Client

from tests.cookies import COOKIES
from users.models import User


def choose(client: Client, **data: str) -> None:
    assert client.post("/settings/browser", data).headers["Location"] == "/settings"


def test_choosing_a_theme_requires_sign_in(client: Client, db: None) -> None:
    response = client.post("/settings/browser", {"theme": "dark"})

    assert response.status_code == 302
    assert COOKIES.theme not in response.cookies


def test_default_theme_follows_the_system(client: Client, londo: User) -> None:
    client.force_login(londo)

    html = client.get("/settings").text

    assert "data-theme" not in html
    assert '<meta name="color-scheme" content="dark light">' in html


def test_chosen_theme_is_rendered_by_the_server(client: Client, londo: User) -> None:
    client.force_login(londo)
    choose(client, theme="light", single_keys="on")

    html = client.get("/settings").text

    assert 'data-theme="light"' in html
    assert '<meta name="color-scheme" content="light">' in html
    assert 'value="light" id="id_theme_2" checked' in html
    assert "data-single-keys" not in html


def test_system_theme_can_be_chosen_again(client: Client, londo: User) -> None:
    client.force_login(londo)
    choose(client, theme="dark")
    choose(client, theme="")

    assert "data-theme" not in client.get("/settings").text


def test_unknown_theme_falls_back_to_the_system(client: Client, londo: User) -> None:
    client.force_login(londo)
    client.cookies[COOKIES.theme] = '"><script>'
    assert "data-theme" not in client.get("/settings").text
    choose(client, theme="pink")

    assert "data-theme" not in client.get("/settings").text


def test_single_key_shortcuts_can_be_disabled(client: Client, londo: User) -> None:
    client.force_login(londo)
    choose(client, theme="")

    assert 'data-single-keys="off"' in client.get("/settings").text


def test_theme_cookie_lasts_a_year_and_is_httponly(client: Client, londo: User) -> None:
    client.force_login(londo)

    cookie = client.post("/settings/browser", {"theme": "dark", "single_keys": "on"}).cookies[COOKIES.theme]

    assert (cookie["max-age"], cookie["samesite"], bool(cookie["httponly"])) == (365 * 24 * 3600, "Lax", True)


def test_error_pages_use_the_chosen_theme(client: Client, londo: User) -> None:
    client.force_login(londo)
    choose(client, theme="dark")

    response = client.get("/nothing-here")

    assert response.status_code == 404
    assert 'data-theme="dark"' in response.text
