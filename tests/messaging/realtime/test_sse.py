"""The stream itself: who may open it, what it says first, how it lives and ends."""

from __future__ import annotations

import itertools
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from cruddur.web.rate_limits import LIMITS, take
from messaging.realtime import endpoint, sse
from tests.messaging.live_site import END, EventStream, WebProcess, session_of
from users.models import User

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_says_at_once_when_to_come_back_and_that_it_listens(site: WebProcess, bayko: User) -> None:
    retries = set()
    for _ in range(4):
        with EventStream.open(site.port, session_of(bayko)) as stream:
            assert stream.status == 200
            assert stream.next() == ("ready", {"user": str(bayko.uuid)})
            retries.add(stream.retry)

    assert all(1000 <= retry <= 5000 for retry in retries)
    assert len(retries) > 1


def test_its_headers_let_nobody_keep_or_delay_it(site: WebProcess, bayko: User) -> None:
    with EventStream.open(site.port, session_of(bayko), headers={"Accept-Encoding": "gzip, br"}) as stream:
        headers = stream.headers

    assert headers["content-type"] == "text/event-stream"
    assert headers["cache-control"] == "no-store"
    assert headers["x-accel-buffering"] == "no"
    assert "content-encoding" not in headers
    assert "set-cookie" not in headers


def test_opening_too_many_streams_is_429(site: WebProcess, bayko: User, londo: User) -> None:
    limit = LIMITS["streams"]
    take(limit, who=str(bayko.uuid), now=timezone.now() + timedelta(seconds=5), cost=limit.at_once)

    with EventStream.open(site.port, session_of(bayko)) as stream:
        assert (stream.status, stream.headers["retry-after"] in "123456") == (429, True)
    with EventStream.open(site.port, session_of(londo)) as stream:
        assert stream.status == 200


def test_stream_has_the_security_headers(site: WebProcess, bayko: User) -> None:
    with EventStream.open(site.port, session_of(bayko)) as stream:
        found = stream.headers
    page = Client().get("/").headers

    names = ("X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Cross-Origin-Opener-Policy",
             "Permissions-Policy")  # fmt: skip
    assert {name: found.get(name.lower()) for name in names} == {name: page[name] for name in names}
    assert "default-src 'none'" in found["content-security-policy"]


def test_https_is_asked_for_where_the_site_has_it(site: WebProcess, bayko: User, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    from messaging.realtime import admission  # noqa: PLC0415

    admission._secured.cache_clear()
    try:
        with EventStream.open(site.port, session_of(bayko)) as stream:
            assert (stream.status, stream.headers["location"][:6]) == (301, "https:")
    finally:
        admission._secured.cache_clear()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "evil.example"}, 400),
    ],
)
def test_stream_rejects_other_origins(headers: dict[str, str], status: int, site: WebProcess, bayko: User) -> None:
    with EventStream.open(site.port, session_of(bayko), headers=headers) as stream:
        assert stream.status == status


@pytest.mark.parametrize("method", ["POST", "HEAD", "PUT", "OPTIONS"])
def test_stream_accepts_only_get(method: str, site: WebProcess, bayko: User) -> None:
    with EventStream.open(site.port, session_of(bayko), method=method) as stream:
        assert (stream.status, stream.headers["allow"]) == (405, "GET")


@pytest.mark.parametrize("session_key", ["", "nothing", "a" * 32, "' OR 1=1 --", "\x7f", '"\\000abcdefgh"'])
def test_stream_requires_a_session(session_key: str, site: WebProcess, bayko: User) -> None:
    with EventStream.open(site.port, session_key) as stream:
        assert stream.status == 401
        assert stream.next() == END


def test_a_forged_last_event_id_or_query_changes_nothing(site: WebProcess, bayko: User, londo: User) -> None:
    forged = {"Last-Event-ID": f"{londo.uuid}/0"}
    path = f"/messages/stream?user={londo.uuid}&group=*"
    with EventStream.open(site.port, session_of(bayko), headers=forged, path=path) as stream:
        assert stream.next() == ("ready", {"user": str(bayko.uuid)})
        assert stream.is_silent()


def test_idle_stream_sends_heartbeats(site: WebProcess, bayko: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(endpoint, "SECONDS_OPEN", (0.6, 0.6))

    with EventStream.open(site.port, session_of(bayko)) as stream:
        found = stream.rest()

    assert stream.comments >= 5
    assert [name for name, _ in found] == ["ready", "bye"]


def test_it_ends_after_a_while_and_the_next_one_opens(
    site: WebProcess, bayko: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "SECONDS_OPEN", (0.2, 0.2))
    session_key = session_of(bayko)

    for _ in range(2):
        with EventStream.open(site.port, session_key) as stream:
            assert stream.rest()[-1] == ("bye", {"reason": "renew"})


def test_how_long_it_lives_differs_from_one_to_the_next() -> None:
    shortest, longest = endpoint.SECONDS_OPEN

    assert 500 < shortest < longest < 700
    assert longest - shortest >= 60


def test_oldest_stream_ends_beyond_the_limit(site: WebProcess, bayko: User, andrew: User, settings: Settings) -> None:
    settings.LIVE_STREAMS_A_PERSON = 3
    with EventStream.open(site.port, session_of(andrew)) as of_andrew:
        found = [EventStream.open(site.port, session_of(bayko)) for _ in range(5)]

        assert [stream.rest()[-1] for stream in found[:2]] == [("bye", {"reason": "too-many"})] * 2
        for stream in found[2:]:
            stream.next()
            assert stream.is_silent(0.1)
        of_andrew.next()
        assert of_andrew.is_silent(0.1)
        for stream in found:
            stream.close()


def test_closed_stream_is_forgotten(site: WebProcess, bayko: User) -> None:
    hub = next(iter(site.application._hubs.values()), None)
    with EventStream.open(site.port, session_of(bayko)) as stream:
        stream.next()
        (hub,) = site.application._hubs.values()
        assert len(hub) == 1

    wait_until(lambda: len(hub) == 0)


def test_an_open_one_holds_no_connection_to_postgres_and_no_thread(site: WebProcess, bayko: User) -> None:
    session_keys = [session_of(bayko) for _ in range(8)]
    others = sessions_of_postgres()
    with EventStream.open(site.port, session_keys[0]) as first:
        first.next()
        threads = threading.active_count()
        found = [EventStream.open(site.port, session_key) for session_key in session_keys[1:]]
        for stream in found:
            stream.next()

        # The check of the sessions lets go of its own a moment later; its thread may stay, one for all of them.
        wait_until(lambda: len(sessions_of_postgres()) <= len(others) + 1)
        assert threading.active_count() <= threads + 2
        for stream in found:
            stream.close()


def test_the_rest_of_the_site_is_djangos(site: WebProcess, bayko: User) -> None:
    for path, status in (("/", 200), ("/messages", 302), ("/messages/stream/", 301), ("/messages/streams", 404)):
        with EventStream.open(site.port, path=path) as stream:
            assert stream.status == status


def test_where_django_alone_serves_the_site_browsers_are_told_not_to_ask_again(client: Client) -> None:
    assert client.get("/messages/stream").status_code == 204


def sessions_of_postgres() -> list[str]:
    """Return the names of all connections to the test database but this one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT application_name FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY 1"
        )
        return [name for (name,) in cursor.fetchall()]


def wait_until(is_so: object, seconds: float = 60.0) -> None:
    assert callable(is_so)
    for _ in itertools.takewhile(lambda _: not is_so(), range(int(seconds / 0.02))):
        threading.Event().wait(0.02)
    assert is_so()
