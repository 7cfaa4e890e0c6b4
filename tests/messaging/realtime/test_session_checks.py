"""Streams end with the session they were opened in: at once where this site ends it, soon in any case."""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import UUID

import pytest
from django.contrib.auth import SESSION_KEY
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from messaging.realtime import hub, publish
from tests.cookies import COOKIES
from tests.messaging.live_site import EventStream, WebProcess, session_of, web_process
from users.models import User
from users.sessions import lookup
from users.sessions.models import Session
from users.sessions.sign_out import sign_out_everywhere
from users.sessions.store import SessionStore

pytestmark = pytest.mark.django_db(transaction=True)

SIGNED_OUT = ("bye", {"reason": "signed-out"})


def browser_of(session_key: str) -> Client:
    client = Client()
    client.cookies[COOKIES.session] = session_key
    return client


def test_signing_out_ends_the_streams_of_that_browser_in_every_process(
    each_bus: str, site: WebProcess, bayko: User
) -> None:
    here, elsewhere = session_of(bayko), session_of(bayko)
    with (
        web_process() as other,
        EventStream.open(site.port, here) as stream,
        EventStream.open(other.port, here) as tab,
        EventStream.open(site.port, elsewhere) as phone,
    ):
        assert browser_of(here).post("/oidc/logout/").status_code == 302

        assert [each.rest()[-1] for each in (stream, tab)] == [SIGNED_OUT] * 2
        phone.next()
        assert phone.is_silent()
    with EventStream.open(site.port, here) as again:
        assert again.status == 401


def test_signing_out_everywhere_ends_all_streams_of_that_user_at_once(
    site: WebProcess, bayko: User, londo: User
) -> None:
    with EventStream.open(site.port, session_of(bayko)) as his, EventStream.open(site.port, session_of(londo)) as other:
        assert (his.next()[0], other.next()[0]) == ("ready", "ready")

        sign_out_everywhere(bayko)

        assert his.rest() == [SIGNED_OUT]
        sign_out_everywhere(londo)
        assert other.rest() == [SIGNED_OUT]


def test_no_session_key_goes_over_the_bus(site: WebProcess, bayko: User) -> None:
    session_key = session_of(bayko)
    with CaptureQueriesContext(connection) as queries:
        publish.session_ended(session_key)

    (query,) = queries.captured_queries
    assert "session-ended" in query["sql"]
    assert session_key not in query["sql"]


def test_a_session_that_ends_while_its_stream_opens_ends_it(
    site: WebProcess, bayko: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_key = session_of(bayko)
    real = lookup._users_of

    def sign_out_meanwhile(session_keys: list[str]) -> dict[str, UUID]:
        found = real(session_keys)
        browser_of(session_key).post("/oidc/logout/")
        # Until the hub has heard of it.
        time.sleep(0.3)
        return found

    monkeypatch.setattr(lookup, "_users_of", sign_out_meanwhile)
    with EventStream.open(site.port, session_key) as stream:
        assert stream.rest()[-1] == SIGNED_OUT


# --- The check, for whatever nobody told ------------------------------------------------------------------------------


def forget_quietly(session_key: str) -> None:
    Session.objects.filter(session_key=session_key).delete()


def expire(session_key: str) -> None:
    Session.objects.filter(session_key=session_key).update(expire_date=timezone.now())


def close_account(session_key: str) -> None:
    User.objects.update(is_active=False)


def change_password(session_key: str) -> None:
    person = User.objects.get()
    person.set_password("another")
    person.save()


def belong_to_nobody(session_key: str) -> None:
    store = SessionStore(session_key)
    del store[SESSION_KEY]
    store.save()


@pytest.mark.parametrize("end", [forget_quietly, expire, close_account, change_password, belong_to_nobody])
def test_ended_session_is_noticed(
    end: Callable[[str], None], bayko: User, monkeypatch: pytest.MonkeyPatch, site: WebProcess
) -> None:
    monkeypatch.setattr(hub, "CHECK_SECONDS", 0.2)
    session_key = session_of(bayko)
    with EventStream.open(site.port, session_key) as stream:
        stream.next()
        assert stream.is_silent(0.5)
        end(session_key)

        assert stream.rest() == [SIGNED_OUT]
    with EventStream.open(site.port, session_key) as again:
        assert again.status == 401


def test_sessions_are_checked_well_within_a_minute() -> None:
    assert hub.CHECK_SECONDS + hub.CHECK_AGAIN_SECONDS < 60
    assert hub.UNCHECKED_SECONDS <= 60


def test_stream_that_cannot_be_revalidated_ends_and_may_reconnect(
    site: WebProcess, bayko: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "CHECK_SECONDS", 0.1)
    monkeypatch.setattr(hub, "CHECK_AGAIN_SECONDS", 0.1)
    monkeypatch.setattr(hub, "UNCHECKED_SECONDS", 1.0)
    with EventStream.open(site.port, session_of(bayko)) as stream:
        stream.next()

        def refuse(session_keys: object) -> dict[str, object]:
            raise OperationalError

        monkeypatch.setattr(lookup, "_users_of", refuse)
        assert stream.is_silent(0.5)
        assert stream.rest() == [("bye", {"reason": "renew"})]
        with EventStream.open(site.port, session_of(bayko)) as refused:
            assert (refused.status, refused.headers["retry-after"]) == (503, "5")


def test_simultaneous_checks_are_batched(site: WebProcess, bayko: User, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    real = lookup._users_of

    def note(session_keys: list[str]) -> dict[str, object]:
        asked.append(len(session_keys))
        return dict(real(session_keys))

    monkeypatch.setattr(lookup, "_users_of", note)
    session_keys = [session_of(bayko) for _ in range(8)]
    raw = [EventStream.ask(site.port, session_key) for session_key in session_keys]
    found = [stream.answered() for stream in raw]

    assert [stream.next()[0] for stream in found] == ["ready"] * 8
    assert sum(asked) == 8
    assert len(asked) < 8
    for stream in found:
        stream.close()
