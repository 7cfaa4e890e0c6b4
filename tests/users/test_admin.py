from __future__ import annotations

import uuid

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from tests import html
from users.models import User

from .conftest import signed_in_as
from .provider import Provider

pytestmark = pytest.mark.django_db

LIST = "/admin/users/user/"


def page_of(person: User) -> str:
    return f"{LIST}{person.pk}/change/"


@pytest.fixture
def admin_client(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


def listed(client: Client, query: dict[str, str]) -> set[str]:
    return {person.handle for person in client.get(LIST, query).context["cl"].result_list}


@pytest.mark.parametrize("address", ["/admin/", LIST, "/admin/login/", "/admin/password_change/"])
def test_admin_requires_permission(client: Client, bayko: User, address: str) -> None:
    client.force_login(bayko)

    response = client.get(address)

    assert response.status_code == 403
    assert signed_in_as(client) == bayko


def test_admin_requires_sign_in(client: Client, provider: Provider) -> None:
    response = client.get(LIST, follow=False)
    assert response["Location"] == f"/admin/login/?next={LIST}"

    response = client.get(response["Location"])
    assert response["Location"] == f"/?next={LIST}"


def test_admin_accepts_no_password(client: Client, admin: User) -> None:
    admin.set_password("secret")
    admin.save()

    client.post("/admin/login/", {"username": "andrewbrown", "password": "secret"})

    assert signed_in_as(client) is None
    assert not client.login(username="andrewbrown", password="secret")


def test_admin_changes_no_password(admin_client: Client) -> None:
    assert admin_client.get("/admin/password_change/").status_code == 404
    assert "password_change" not in admin_client.get("/admin/").content.decode()


def test_admin_signs_out_of_cognito(admin_client: Client, provider: Provider) -> None:
    response = admin_client.post("/admin/logout/")

    assert response["Location"].startswith(f"{provider.url}/logout?")
    assert signed_in_as(admin_client) is None


def test_admin_uses_the_colours_of_the_site(admin_client: Client) -> None:
    page = admin_client.get("/admin/").content.decode()

    assert "css/tokens.css" in page
    assert "css/admin.css" in page
    assert "Cruddur Messages admin" in page


@pytest.mark.parametrize("address", ["/admin/", LIST])
def test_admin_has_no_inline_code(admin_client: Client, bayko: User, address: str) -> None:
    for page in (admin_client.get(address), admin_client.get(page_of(bayko))):
        assert "unsafe" not in page["Content-Security-Policy"]
        assert html.inline_code(html.parse(page.text)) == []


def test_admin_has_no_groups(admin_client: Client) -> None:
    assert admin_client.get("/admin/auth/group/").status_code == 404


def test_list_shows_the_state_in_cognito(admin_client: Client, bayko: User) -> None:
    User.objects.create_user(handle="waits", display_name="W")

    rows = html.parse(admin_client.get(LIST).text).iterfind(".//tbody/tr")
    states = {row.findtext("./*[@class='field-handle']/a"): html.words(row) for row in rows}

    assert "admin" in states["andrewbrown"]
    assert "linked" in states["bayko"]
    assert "bayko@cruddur.example" in states["bayko"]
    assert "MOCK" in states["waits"]


@pytest.mark.parametrize("query", ["bayko", "BAYK", "Telescope", "jürgen", "bayko@cruddur", "sub-of-bay"])
def test_search_finds_users(admin_client: Client, bayko: User, query: str) -> None:
    bayko.display_name = "Jürgen Telescope"
    bayko.save()

    assert listed(admin_client, {"q": query}) == {"bayko"}


def test_search_finds_a_user_by_uuid(admin_client: Client, bayko: User) -> None:
    assert listed(admin_client, {"q": str(bayko.pk)}) == {"bayko"}


@pytest.mark.parametrize("query", ["%", "' OR 1=1", "nobody", "bayk0"])
def test_search_may_find_nobody(admin_client: Client, bayko: User, query: str) -> None:
    assert listed(admin_client, {"q": query}) == set()


@pytest.mark.parametrize(
    ("query", "handles"),
    [
        ({"cognito": "mock"}, {"waits"}),
        ({"cognito": "linked"}, {"andrewbrown", "bayko", "closed"}),
        ({"cognito": "admin"}, {"andrewbrown"}),
        ({"is_active__exact": "0"}, {"closed"}),
        ({"is_staff__exact": "1"}, {"andrewbrown"}),
    ],
)
def test_filters_select_users(admin_client: Client, bayko: User, query: dict[str, str], handles: set[str]) -> None:
    User.objects.create_user(handle="waits", display_name="W")
    User.objects.create_user(handle="closed", display_name="C", cognito_user_id="sub-of-closed", is_active=False)

    assert listed(admin_client, query) == handles


def test_only_name_and_bio_can_be_changed(admin_client: Client, bayko: User) -> None:
    admin_client.post(page_of(bayko), {"display_name": "New", "bio": "B"})

    bayko.refresh_from_db()
    assert (bayko.display_name, bayko.bio, bayko.is_active) == ("New", "B", True)
    assert LogEntry.objects.filter(object_id=bayko.pk).exists()


def test_name_must_be_visible(admin_client: Client, bayko: User) -> None:
    response = admin_client.post(page_of(bayko), {"display_name": "\u3164", "bio": "", "is_active": "on"})

    assert response.status_code == 200
    assert "Enter a name." in response.content.decode()


def test_bio_keeps_its_line_breaks(admin_client: Client, bayko: User) -> None:
    admin_client.post(page_of(bayko), {"display_name": "Bayko", "bio": "one\r\ntwo", "is_active": "on"})

    bayko.refresh_from_db()
    assert bayko.bio == "one\ntwo"


def test_key_fields_cannot_be_changed(admin_client: Client, bayko: User) -> None:
    forged = {
        "handle": "other", "email": "x@y.example", "cognito_user_id": "sub-of-andrew", "uuid": str(uuid.uuid4()),
        "created_at_0": "2020-01-01", "is_staff": "on", "is_superuser": "on", "password": "x",
    }  # fmt: skip
    before = User.objects.filter(pk=bayko.pk).values().get()

    admin_client.post(page_of(bayko), {"display_name": "Bayko", "bio": "", "is_active": "on", **forged})

    assert User.objects.filter(pk=bayko.pk).values().get() == before


def test_key_fields_are_shown(admin_client: Client, bayko: User) -> None:
    page = html.words(html.parse(admin_client.get(page_of(bayko)).text))

    for fact in (str(bayko.pk), "sub-of-bayko", "bayko@cruddur.example"):
        assert fact in page


def test_users_cannot_be_added_or_deleted(admin_client: Client, bayko: User) -> None:
    assert admin_client.get(f"{LIST}add/").status_code == 403
    assert admin_client.post(f"{LIST}{bayko.pk}/delete/", {"post": "yes"}).status_code == 403
    selected = {"action": "delete_selected", "_selected_action": [str(bayko.pk)], "post": "yes"}
    admin_client.post(LIST, selected)

    assert User.objects.filter(pk=bayko.pk).exists()
    assert "delete_selected" not in admin_client.get(LIST).content.decode()


def test_unknown_filter_is_rejected(admin_client: Client) -> None:
    assert admin_client.get(LIST, {"cognito": "nonsense"}).status_code == 400
