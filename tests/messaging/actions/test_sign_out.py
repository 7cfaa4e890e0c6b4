"""Signing a person out everywhere."""

from __future__ import annotations

import pytest
from django.test import Client

from messaging.actions.sign_out import sign_out_everywhere
from messaging.realtime.session_checks import people_of
from tests.messaging.live_site import EventStream, WebProcess, session_of
from users.models import User

pytestmark = pytest.mark.django_db(transaction=True)


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def test_it_ends_every_session_of_the_person(bayko: User) -> None:
    phone, laptop = signed_in(bayko), signed_in(bayko)

    sign_out_everywhere(bayko)

    assert [client.get("/settings").status_code for client in (phone, laptop)] == [302, 302]


def test_it_ends_nobody_else_s(bayko: User, londo: User) -> None:
    londos = signed_in(londo)

    sign_out_everywhere(bayko)

    assert londos.get("/settings").status_code == 200


def test_streams_find_the_sessions_ended(bayko: User) -> None:
    key = signed_in(bayko).session.session_key or ""
    assert people_of([key]) == {key: bayko.uuid}

    sign_out_everywhere(bayko)

    assert people_of([key]) == {}


def test_the_person_can_sign_in_again(bayko: User) -> None:
    sign_out_everywhere(bayko)

    assert signed_in(bayko).get("/settings").status_code == 200


def test_open_streams_end_at_once(site: WebProcess, bayko: User, londo: User) -> None:
    with EventStream.open(site.port, session_of(bayko)) as his, EventStream.open(site.port, session_of(londo)) as other:
        assert (his.next()[0], other.next()[0]) == ("ready", "ready")

        sign_out_everywhere(bayko)

        assert his.rest() == [("bye", {"reason": "signed-out"})]
        sign_out_everywhere(londo)
        assert other.rest() == [("bye", {"reason": "signed-out"})]
