"""Cookies are named by port on http, so that two stacks on one machine leave each other's alone."""

from dataclasses import astuple
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.test import Client

from cruddur.web.cookies import cookie_names
from tests.cookies import COOKIES
from users.models import User


def test_sites_on_different_ports_share_no_cookie_name() -> None:
    here, there = cookie_names("http://localhost:8000"), cookie_names("http://localhost:8001")

    assert not set(astuple(here)) & set(astuple(there))
    assert cookie_names("http://localhost") == cookie_names("http://localhost:80")


def test_https_uses_the_host_prefix_and_plain_names() -> None:
    names = cookie_names("https://messages.example.com:8443")

    assert (names.session, names.csrf) == ("__Host-session", "__Host-csrf")
    assert (names.theme, names.keys, names.timezone) == ("theme", "keys", "timezone")


@pytest.mark.django_db
def test_every_cookie_has_the_port_in_its_name(andrew: User) -> None:
    """Of session, forms, one-time messages, preferences and of the way to sign in."""
    client = Client(enforce_csrf_checks=False)
    client.force_login(andrew)
    for path in ("/", "/settings", "/messages/new"):
        client.get(path)
    client.post("/settings/browser", {"theme": "dark"})
    client.post("/oidc/authenticate/")
    port = urlsplit(settings.APP_URL).port

    assert {COOKIES.session, COOKIES.csrf, COOKIES.theme, COOKIES.keys, COOKIES.messages} <= set(client.cookies)
    assert [name for name in client.cookies if not name.endswith(f"-{port}")] == []


def test_django_uses_only_these_names() -> None:
    assert COOKIES.language == settings.LANGUAGE_COOKIE_NAME
    assert CookieStorage.cookie_name != COOKIES.messages
