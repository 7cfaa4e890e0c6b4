"""A new SECRET_KEY signs nobody out, as docs/operations.md rotates it: while old and new processes answer in turn."""

from __future__ import annotations

import pytest
from django.conf import settings as django_settings
from django.test import Client
from pytest_django.fixtures import Settings

from users.models import User

from .live_site import EventStream, WebProcess

OLD, NEW = "the-key-of-before", "the-key-from-now-on"


def key_of(client: Client) -> str:
    return client.cookies[django_settings.SESSION_COOKIE_NAME].value


def sign_with(settings: Settings, key: str, *before: str) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = key, list(before)


@pytest.fixture
def signed_in(settings: Settings, bayko: User) -> Client:
    sign_with(settings, OLD)
    client = Client()
    client.force_login(bayko)
    return client


def test_people_stay_signed_in_from_the_first_step_to_the_last(signed_in: Client, settings: Settings) -> None:
    first, second, last = (OLD, NEW), (NEW, OLD), (NEW,)

    for keys in (first, second, first, second, first, second, last):
        sign_with(settings, *keys)
        assert signed_in.get("/shortcuts").status_code == 200, keys


def test_callback_after_the_last_step_signs_in_again(signed_in: Client, settings: Settings) -> None:
    sign_with(settings, NEW)

    assert signed_in.get("/shortcuts").status_code == 302


@pytest.mark.django_db(transaction=True)
def test_an_open_page_notices_nothing(signed_in: Client, settings: Settings, site: WebProcess) -> None:
    before = key_of(signed_in)
    with EventStream.open(site.port, before) as stream:
        stream.next()
        sign_with(settings, NEW, OLD)

        assert signed_in.get("/shortcuts").status_code == 200

        assert stream.is_silent()
        assert key_of(signed_in) == before
