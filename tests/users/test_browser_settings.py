"""Theme and shortcuts, chosen for a browser."""

from django.test import Client

from tests.cookies import COOKIES
from users.models import User


def choose(client: Client, **data: str) -> None:
    assert client.post("/settings/browser", data).headers["Location"] == "/settings"


def test_it_needs_someone_signed_in(client: Client, db: None) -> None:
    response = client.post("/settings/browser", {"theme": "dark"})

    assert response.status_code == 302
    assert COOKIES.theme not in response.cookies


def test_without_a_choice_the_theme_is_the_systems(client: Client, londo: User) -> None:
    client.force_login(londo)

    html = client.get("/settings").text

    assert "data-theme" not in html
    assert '<meta name="color-scheme" content="dark light">' in html


def test_the_chosen_theme_is_in_the_next_page_as_the_server_sends_it(client: Client, londo: User) -> None:
    client.force_login(londo)
    choose(client, theme="light", single_keys="on")

    html = client.get("/settings").text

    assert 'data-theme="light"' in html
    assert '<meta name="color-scheme" content="light">' in html
    assert 'value="light" id="id_theme_2" checked' in html
    assert "data-single-keys" not in html


def test_the_systems_theme_can_be_chosen_again(client: Client, londo: User) -> None:
    client.force_login(londo)
    choose(client, theme="dark")
    choose(client, theme="")

    assert "data-theme" not in client.get("/settings").text


def test_a_theme_that_there_is_none_of_is_the_systems(client: Client, londo: User) -> None:
    client.force_login(londo)
    client.cookies[COOKIES.theme] = '"><script>'
    assert "data-theme" not in client.get("/settings").text
    choose(client, theme="pink")

    assert "data-theme" not in client.get("/settings").text


def test_shortcuts_of_a_single_key_can_be_turned_off(client: Client, londo: User) -> None:
    client.force_login(londo)
    choose(client, theme="")

    assert 'data-single-keys="off"' in client.get("/settings").text


def test_a_choice_lasts_a_year_and_no_script_reads_it(client: Client, londo: User) -> None:
    client.force_login(londo)

    cookie = client.post("/settings/browser", {"theme": "dark", "single_keys": "on"}).cookies[COOKIES.theme]

    assert (cookie["max-age"], cookie["samesite"], bool(cookie["httponly"])) == (365 * 24 * 3600, "Lax", True)


def test_error_pages_have_the_chosen_theme_too(client: Client, londo: User) -> None:
    client.force_login(londo)
    choose(client, theme="dark")

    response = client.get("/nothing-here")

    assert response.status_code == 404
    assert 'data-theme="dark"' in response.text


def test_the_list_of_shortcuts_is_a_page_of_its_own(client: Client, londo: User) -> None:
    client.force_login(londo)

    assert "<kbd>/</kbd>" in client.get("/shortcuts").text
