"""Every address has a bucket, and whoever has emptied it is told when to come back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from pytest_django.fixtures import Settings

from cruddur.web import rate_limits
from cruddur.web.address_limits import BUCKETS, IN_THIS_PROCESS, Buckets, buckets_of
from cruddur.web.rate_limits import LIMITS, Limit, RateLimited, take, take_in_process
from messaging.domain.entities import pair_group_uuid
from messaging.dynamodb.table import MessageTable
from tests.conftest import Calls
from tests.messaging.talk import send, start
from tests.test_bounded_work import path_of
from tests.test_every_address import FORMS
from users.cognito.sign_in import Identity, wait_for_handle
from users.models import User

AHEAD = ("healthz", "readyz", "stream")
"""Answered ahead of all of this."""
NOW = datetime(2026, 11, 28, 9, tzinfo=timezone.get_default_timezone())


def every_address(patterns: list[Any] | None = None, route: str = "", space: str = "") -> Iterator[tuple[str, str]]:
    """Route and view name of every address that the resolver knows."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            namespace = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from every_address(pattern.url_patterns, route + str(pattern.pattern), namespace)
        else:
            assert isinstance(pattern, URLPattern)
            yield route + str(pattern.pattern), space + (pattern.name or "")


ADDRESSES = list(dict.fromkeys(every_address()))
OWN = [(route, name) for route, name in ADDRESSES if not name.startswith("admin:")]


@pytest.fixture
def member(client: Client, andrew: User, bayko: User, moto_table: MessageTable) -> Client:
    """Return a moderator with a conversation."""
    User.objects.filter(pk=andrew.pk).update(is_staff=True, is_superuser=True)
    client.force_login(andrew)
    client.raise_request_exception = False
    return client


@pytest.fixture
def places(member: Client, andrew: User, bayko: User) -> dict[str, str]:
    message = start(by=andrew.uuid, to=bayko.uuid)
    return {
        "uuid:group_uuid": str(message.group_uuid), "str:created_at": message.created_at, "str:handle": "bayko",
        "path:object_id": str(bayko.pk), "uuid:user_uuid": str(bayko.pk), "path:content_type_id": "1", "int:pk": "1",
    }  # fmt: skip


def empty(name: str, *whose: str) -> None:
    """Leave nothing in the bucket, as far as this minute goes."""
    limit, soon = LIMITS[name], timezone.now() + timedelta(seconds=5)
    for who in whose:
        if name in IN_THIS_PROCESS:
            for _ in range(limit.at_once):
                take_in_process(limit, who=who, now=soon)
        else:
            take(limit, who=who, now=soon, cost=limit.at_once)


def owners(name: str, person: User, group_uuid: str) -> tuple[str, ...]:
    return ("127.0.0.1",) if name in {"handles", "sign_ins"} else (
        (f"{person.uuid}:{group_uuid}",) if name == "messages_to_one" else (str(person.uuid),)
    )  # fmt: skip


def test_every_url_has_a_line_and_every_line_a_url() -> None:
    assert {name for _, name in OWN} == set(BUCKETS)


def test_every_limit_is_used() -> None:
    named = {each for buckets in (*BUCKETS.values(), buckets_of("admin:index")) for each in (
        buckets.reading, buckets.writing, *buckets.in_view, *buckets.ahead
    ) if each}  # fmt: skip

    # The second of two for first messages.
    assert named | {"new_conversations_new_account"} == set(LIMITS)


def test_every_url_with_read_limits_has_write_limits() -> None:
    """A view that takes tokens itself may have read the table before, or take none for what it refuses."""
    assert [name for name, buckets in BUCKETS.items() if buckets.reading and not buckets.writing] == []


@pytest.mark.parametrize(("route", "name"), ADDRESSES)
def test_empty_bucket_is_429(route: str, name: str, member: Client, andrew: User, places: dict[str, str]) -> None:
    buckets, path = buckets_of(name), path_of(route, places)
    for method, bucket in (("get", buckets.reading), ("post", buckets.writing)):
        if not bucket or name in AHEAD:
            continue
        if method == "get" or bucket != buckets.reading:
            empty(bucket, *owners(bucket, andrew, places["uuid:group_uuid"]))

        refused = getattr(member, method)(path, FORMS.get(route, {}))

        assert refused.status_code == 429, (method, path)
        assert int(refused["Retry-After"]) >= 1
        assert "no-store" in refused["Cache-Control"]


IN_VIEW = [(route, name, bucket) for route, name in OWN for bucket in BUCKETS[name].in_view]


@pytest.mark.parametrize(("route", "name", "bucket"), IN_VIEW)
def test_empty_bucket_of_a_view_is_429(
    route: str, name: str, bucket: str, member: Client, andrew: User, londo: User, places: dict[str, str],
    configured: None,
) -> None:  # fmt: skip
    if name == "new_conversation_with":
        places["str:handle"] = "londo"
    if name == "report_message":  # one's own cannot be reported
        theirs = send(by=User.objects.get(handle="bayko").uuid, group=UUID(places["uuid:group_uuid"]))
        places["str:created_at"] = theirs.created_at
    group = pair_group_uuid(andrew.uuid, londo.uuid) if name == "new_conversation_with" else places["uuid:group_uuid"]
    empty(bucket, *owners(bucket, andrew, str(group)))
    path, form = path_of(route, places), FORMS.get(route, {"reason": "spam"})
    if bucket in {"sign_ins", "handles"}:
        member.logout()
    if bucket == "searches":
        refused = member.get(path, {"q": "b"})
    elif name == "oidc_authentication_callback":
        session = member.session
        session["oidc_states"] = {"s": {"nonce": "n", "code_verifier": "v", "added_on": 0}}
        session.save()
        refused = member.get(path, {"state": "s"})
    elif name == "choose_handle":
        session = member.session
        wait_for_handle(session, Identity("sub", "", "Some One", "", is_admin=False), next_url="/")
        session.save()
        member.cookies[settings.SESSION_COOKIE_NAME] = str(session.session_key)
        refused = member.post(path, {"handle": "anna"})
    else:
        refused = member.post(path, form)

    assert refused.status_code == 429
    assert int(refused["Retry-After"]) >= 1


@pytest.fixture
def configured(settings: Settings) -> None:
    settings.COGNITO_DOMAIN = "https://example.auth.us-east-1.amazoncognito.com"
    settings.OIDC_RP_CLIENT_ID, settings.COGNITO_USER_POOL_ID = "client", "us-east-1_Example"


@pytest.mark.parametrize(
    ("route", "name"), [each for each in OWN if BUCKETS[each[1]] == Buckets() and each[1] != "readyz"]
)
def test_unlimited_url_reads_no_database(
    route: str, name: str, client: Client, moto_table: MessageTable, calls: Calls, db: None
) -> None:
    with calls.counted(moto_table.client), CaptureQueriesContext(connection) as statements:
        for method in ("get", "post"):
            getattr(client, method)(f"/{route}")

    assert statements.captured_queries == []
    assert calls.operations == []


@pytest.mark.parametrize("whose", ["of others", "of nobody", "one's own"])
def test_rejected_messages_are_limited_before_reading_the_table(
    whose: str, member: Client, andrew: User, bayko: User, londo: User, moto_table: MessageTable, calls: Calls,
    places: dict[str, str],
) -> None:  # fmt: skip
    groups = {
        "of others": start(by=bayko.uuid, to=londo.uuid).group_uuid, "of nobody": uuid4(),
        "one's own": places["uuid:group_uuid"],
    }  # fmt: skip
    form = {"message": "Hello", "message_uuid": str(uuid4()), "after": ""}
    empty("sends", str(andrew.uuid))

    with calls.counted(moto_table.client) as made:
        refused = member.post(f"/messages/{groups[whose]}", form, headers={"accept": "application/json"})

    assert (refused.status_code, refused.json()) == (429, {"error": "too_many_requests"})
    assert made.operations == []


def test_reading_costs_no_extra_sql(member: Client, places: dict[str, str]) -> None:
    with CaptureQueriesContext(connection) as statements:
        member.get("/messages")

    assert not [each for each in statements.captured_queries if "ratebucket" in each["sql"]]


@pytest.mark.parametrize(
    ("path", "form", "text"),
    [
        ("/settings", {"display_name": "Andrew", "bio": "What I\nwrote"}, "What I\nwrote"),
        ("/report/{group}", {"reason": "spam", "note": "They wrote it twice"}, "They wrote it twice"),
        ("/admin/users/user/{person}/change/", {"display_name": "Andrew", "bio": "What I wrote"}, "What I wrote"),
        ("/admin/conversation/", {"one": "a", "other": "b", "reason": "For the record"}, "For the record"),
    ],
)
def test_rate_limited_text_is_kept(
    member: Client, andrew: User, places: dict[str, str], path: str, form: dict[str, str], text: str
) -> None:
    path = path.format(group=places["uuid:group_uuid"], person=andrew.pk)
    for bucket in ("changes", "admin"):
        empty(bucket, str(andrew.uuid))

    response = member.post(path, form)

    assert response.status_code == 429
    assert text in response.content.decode()
    assert f'action="{path}"' in response.content.decode()
    for name, value in form.items():
        assert f'name="{name}"' in response.content.decode()
        assert value in response.content.decode()


def test_form_of_another_site_is_not_kept(member: Client, andrew: User) -> None:
    empty("changes", str(andrew.uuid))

    response = member.post("/settings", {"bio": "Buy this"}, headers={"sec-fetch-site": "cross-site"})

    assert response.status_code == 429
    assert "Buy this" not in response.content.decode()


def test_script_gets_429_as_json(member: Client, andrew: User, places: dict[str, str]) -> None:
    empty("typing", str(andrew.uuid))

    response = member.post(f"/messages/{places['uuid:group_uuid']}/typing", headers={"accept": "application/json"})

    assert (response.status_code, response.json()) == (429, {"error": "too_many_requests"})


def test_eight_busy_tabs_stay_within_the_limits() -> None:
    """A minute: every tab compares each second, is told of three changes a second, and is clicked in now and then."""
    second = timedelta(seconds=1)
    asked: list[tuple[str, float]] = [
        ("pages", 2.0),
        ("updates", 8 * 2.0),
        ("read_marks", 2.0),
        ("typing", 8 / 3),
        ("sends", 4.0),
    ]
    for name, each_second in asked:
        for number in range(int(60 * each_second)):
            take_in_process(LIMITS[name], who="busy", now=NOW + second * (number / each_second))


# --- Buckets of a process ---------------------------------------------------------------------------------------------


def test_bucket_in_process_refills() -> None:
    limit = Limit("here", 3, 10.0)
    for _ in range(3):
        take_in_process(limit, who="a", now=NOW)

    with pytest.raises(RateLimited) as refused:
        take_in_process(limit, who="a", now=NOW)
    assert (refused.value.retry_after, refused.value.limit) == (10, "here")
    with pytest.raises(RateLimited):
        take_in_process(limit, who="a", now=NOW + timedelta(seconds=9.9))
    take_in_process(limit, who="a", now=NOW + timedelta(seconds=10))
    take_in_process(limit, who="b", now=NOW)


def test_buckets_in_process_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "MAX_BUCKETS_IN_PROCESS", 2)
    limit = Limit("here", 1, 10.0)
    rate_limits._here.clear()
    for who in ("a", "b", "c"):
        take_in_process(limit, who=who, now=NOW)

    take_in_process(limit, who="a", now=NOW)
    with pytest.raises(RateLimited):
        take_in_process(limit, who="c", now=NOW)
