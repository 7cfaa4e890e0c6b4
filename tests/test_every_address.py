"""Every address of the site, visited by every kind of person: who is let in, who is told nothing.

Whoever adds an address adds its row to `ROWS`, with an answer for each of `KINDS`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from messaging.actions.block import block
from messaging.domain.entities import pair_group_uuid
from messaging.dynamodb.client import Unavailable
from messaging.dynamodb.table import MessageTable
from messaging.queries import conversations
from tests.messaging.talk import start
from users.models import User

KINDS = ("signed out", "outsider", "blocked", "disabled", "member", "moderator", "admin")
SCRIPT = {"Accept": "application/json"}
FORM_TYPE = "application/x-www-form-urlencoded"

# By route: the answers to GET and to POST with no more than FORMS has. 302 is the way to the landing page for who is
# signed out; 404 says neither that there is something nor that there is nothing; 400 and 422 are forms of theirs that
# lack something, 405 what cannot be done so.
ROWS: dict[str, tuple[str, str]] = {
    "healthz": ("200 200 200 200 200 200 200", "405 405 405 405 405 405 405"),
    "readyz": ("200 200 200 200 200 200 200", "405 405 405 405 405 405 405"),
    "": ("200 302 302 200 302 302 302", "405 405 405 405 405 405 405"),
    "sign-in-failed": ("400 400 400 400 400 400 400", "400 400 400 400 400 400 400"),
    "sign-up": ("405 405 405 405 405 405 405", "404 404 404 404 404 404 404"),
    "forgot-password": ("405 405 405 405 405 405 405", "404 404 404 404 404 404 404"),
    "oidc/logout/": ("405 405 405 405 405 405 405", "302 302 302 302 302 302 302"),
    "choose-handle": ("400 302 302 400 302 302 302", "400 302 302 400 302 302 302"),
    "@<str:handle>": ("302 200 200 302 200 200 200", "302 405 405 302 405 405 405"),
    "settings": ("302 200 200 302 200 200 200", "302 422 422 302 422 422 422"),
    "settings/privacy": ("302 405 405 302 405 405 405", "302 303 303 302 303 303 303"),
    "settings/browser": ("302 405 405 302 405 405 405", "302 303 303 302 303 303 303"),
    "settings/export": ("302 200 200 302 200 200 200", "302 200 200 302 200 200 200"),
    "settings/delete-account": ("302 200 200 302 200 200 200", "302 422 422 302 422 422 422"),
    "account-deleted": ("200 200 200 200 200 200 200", "405 405 405 405 405 405 405"),
    "shortcuts": ("302 200 200 302 200 200 200", "302 405 405 302 405 405 405"),
    "messages": ("302 200 200 302 200 200 200", "302 405 405 302 405 405 405"),
    "messages/people": ("302 200 200 302 200 200 200", "302 405 405 302 405 405 405"),
    "messages/new": ("302 200 200 302 200 200 200", "302 405 405 302 405 405 405"),
    "messages/new/<str:handle>": ("302 200 302 302 302 200 200", "403 303 403 403 303 303 303"),
    "messages/people/<uuid:user_uuid>/block": ("302 200 200 302 200 200 200", "302 303 303 302 303 303 303"),
    "messages/people/<uuid:user_uuid>/unblock": ("302 405 405 302 405 405 405", "302 303 303 302 303 303 303"),
    "messages/requests": ("302 200 200 302 200 200 200", "302 405 405 302 405 405 405"),
    "messages/archived": ("302 200 200 302 200 200 200", "302 405 405 302 405 405 405"),
    "messages/stream": ("204 204 204 204 204 204 204", "204 204 204 204 204 204 204"),
    "messages/rows": ("302 200 200 302 200 200 200", "302 405 405 302 405 405 405"),
    "messages/token": ("403 200 200 403 200 200 200", "405 405 405 405 405 405 405"),
    "messages/<uuid:group_uuid>": ("302 404 200 302 200 404 404", "403 404 403 403 303 404 404"),
    "messages/<uuid:group_uuid>/messages": ("302 404 200 302 200 404 404", "302 405 405 302 405 405 405"),
    "messages/<uuid:group_uuid>/read": ("302 405 405 302 405 405 405", "302 404 204 302 204 404 404"),
    "messages/<uuid:group_uuid>/since": ("302 404 200 302 200 404 404", "302 405 405 302 405 405 405"),
    "messages/<uuid:group_uuid>/typing": ("302 405 405 302 405 405 405", "302 404 204 302 204 404 404"),
    "messages/<uuid:group_uuid>/options": ("302 404 200 302 200 404 404", "302 405 405 302 405 405 405"),
    "messages/<uuid:group_uuid>/mute": ("302 405 405 302 405 405 405", "302 404 303 302 303 404 404"),
    "messages/<uuid:group_uuid>/archive": ("302 405 405 302 405 405 405", "302 404 303 302 303 404 404"),
    "messages/<uuid:group_uuid>/unread": ("302 405 405 302 405 405 405", "302 404 303 302 303 404 404"),
    "messages/<uuid:group_uuid>/answer": ("302 405 405 302 405 405 405", "302 400 400 302 400 400 400"),
    "messages/<uuid:group_uuid>/alert": ("302 200 200 302 200 200 200", "302 405 405 302 405 405 405"),
    "messages/<uuid:group_uuid>/<str:created_at>": ("302 404 200 302 200 404 404", "302 405 405 302 405 405 405"),
    "messages/<uuid:group_uuid>/<str:created_at>/edit": ("302 404 200 302 200 404 404", "403 404 403 403 303 404 404"),
    "messages/<uuid:group_uuid>/<str:created_at>/delete": (
        "302 404 200 302 200 404 404",
        "302 404 303 302 303 404 404",
    ),
    "report/<uuid:group_uuid>": ("302 404 200 302 200 404 404", "302 404 303 302 303 404 404"),
    "report/<uuid:group_uuid>/<str:created_at>": ("302 404 404 302 404 404 404", "302 404 404 302 404 404 404"),
    "notice/acknowledge": ("302 405 405 302 405 405 405", "302 400 400 302 400 400 400"),
    "oidc/callback/": ("400 400 400 400 400 400 400", "405 405 405 405 405 405 405"),
    "oidc/authenticate/": ("405 405 405 405 405 405 405", "302 302 302 302 302 302 302"),
    "manifest.webmanifest": ("200 200 200 200 200 200 200", "405 405 405 405 405 405 405"),
    "admin/stream/": ("302 403 403 302 403 403 200", "302 403 403 302 403 405 405"),
    "admin/stream/replay/": ("302 403 403 302 403 405 405", "302 403 403 302 403 403 302"),
    "admin/conversation/": ("302 403 403 302 403 403 200", "302 403 403 302 403 403 422"),
    "admin/": ("302 403 403 302 403 200 200", "302 403 403 302 403 200 200"),
    "admin/login/": ("302 403 403 302 403 302 302", "302 403 403 302 403 302 302"),
    "admin/logout/": ("302 403 403 302 403 405 405", "302 403 403 302 403 302 302"),
    "admin/password_change/": ("302 403 403 302 403 404 404", "302 403 403 302 403 404 404"),
    "admin/password_change/done/": ("302 403 403 302 403 200 200", "302 403 403 302 403 405 405"),
    "admin/autocomplete/": ("302 403 403 302 403 403 403", "302 403 403 302 403 405 405"),
    "admin/jsi18n/": ("302 403 403 302 403 200 200", "302 403 403 302 403 405 405"),
    "admin/moderation/auditentry/": ("302 403 403 302 403 200 200", "302 403 403 302 403 200 200"),
    "admin/moderation/auditentry/add/": ("302 403 403 302 403 403 403", "302 403 403 302 403 403 403"),
    "admin/moderation/auditentry/<path:object_id>/history/": (
        "302 403 403 302 403 302 302",
        "302 403 403 302 403 302 302",
    ),
    "admin/moderation/auditentry/<path:object_id>/delete/": (
        "302 403 403 302 403 403 403",
        "302 403 403 302 403 403 403",
    ),
    "admin/moderation/auditentry/<path:object_id>/change/": (
        "302 403 403 302 403 302 302",
        "302 403 403 302 403 403 403",
    ),
    "admin/moderation/auditentry/<path:object_id>/": ("302 403 403 302 403 302 302", "302 403 403 302 403 302 302"),
    "admin/users/user/": ("302 403 403 302 403 200 200", "302 403 403 302 403 200 200"),
    "admin/users/user/add/": ("302 403 403 302 403 403 403", "302 403 403 302 403 403 403"),
    "admin/users/user/<path:object_id>/history/": ("302 403 403 302 403 200 200", "302 403 403 302 403 200 200"),
    "admin/users/user/<path:object_id>/delete/": ("302 403 403 302 403 403 403", "302 403 403 302 403 403 403"),
    "admin/users/user/<path:object_id>/change/": ("302 403 403 302 403 200 200", "302 403 403 302 403 403 200"),
    "admin/users/user/<path:object_id>/": ("302 403 403 302 403 302 302", "302 403 403 302 403 302 302"),
    "admin/moderation/report/<int:pk>/claim/": ("302 403 403 302 403 404 404", "302 403 403 302 403 404 404"),
    "admin/moderation/report/<int:pk>/release/": ("302 403 403 302 403 404 404", "302 403 403 302 403 404 404"),
    "admin/moderation/report/<int:pk>/decide/": ("302 403 403 302 403 404 404", "302 403 403 302 403 404 404"),
    "admin/moderation/report/<int:pk>/conversation/": ("302 403 403 302 403 404 404", "302 403 403 302 403 404 404"),
    "admin/moderation/report/": ("302 403 403 302 403 200 200", "302 403 403 302 403 200 200"),
    "admin/moderation/report/add/": ("302 403 403 302 403 403 403", "302 403 403 302 403 403 403"),
    "admin/moderation/report/<path:object_id>/history/": ("302 403 403 302 403 302 302", "302 403 403 302 403 302 302"),
    "admin/moderation/report/<path:object_id>/delete/": ("302 403 403 302 403 403 403", "302 403 403 302 403 403 403"),
    "admin/moderation/report/<path:object_id>/change/": ("302 403 403 302 403 404 404", "302 403 403 302 403 404 404"),
    "admin/moderation/report/<path:object_id>/": ("302 403 403 302 403 302 302", "302 403 403 302 403 302 302"),
    "admin/^(?P<app_label>moderation|users)/$": ("302 403 403 302 403 200 200", "302 403 403 302 403 200 200"),
    "admin/(?P<url>.*)$": ("302 403 403 302 403 404 404", "302 403 403 302 403 404 404"),
}
FORMS: dict[str, dict[str, str]] = {
    "messages/<uuid:group_uuid>": {"message": "Hello", "message_uuid": str(UUID(int=7)), "after": ""},
    "messages/new/<str:handle>": {"message": "Hello", "message_uuid": str(UUID(int=7)), "after": ""},
    "messages/<uuid:group_uuid>/<str:created_at>/edit": {"message": "Changed"},
    "messages/<uuid:group_uuid>/mute": {"for": "hour"},
    "report/<uuid:group_uuid>": {"reason": "spam"},
}


def routes(patterns: list[Any] | None = None, before: str = "") -> Iterator[str]:
    """Yield every route that the resolver knows."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, before + str(pattern.pattern))
        else:
            assert isinstance(pattern, URLPattern)
            yield before + str(pattern.pattern)


@pytest.fixture
def places(db: None, fake_table: MessageTable) -> dict[str, Any]:
    """Create people of each kind, and one conversation each of `member` and of `blocked`."""
    people = {
        kind: User.objects.create_user(handle=f"person{number}", display_name=kind, cognito_user_id=f"sub{number}")
        for number, kind in enumerate((*KINDS[1:], "somebody"))
    }
    for kind in ("moderator", "admin"):
        people[kind].is_staff, people[kind].is_superuser = True, kind == "admin"
        people[kind].save()
    somebody = people["somebody"]
    found: dict[str, Any] = {"people": people}
    for kind in ("member", "blocked", "disabled"):
        message = start(by=people[kind].uuid, to=somebody.uuid, now=timezone.now())
        found[kind] = (pair_group_uuid(people[kind].uuid, somebody.uuid), message.created_at)
    block(user_uuid=somebody.uuid, other_uuid=people["blocked"].uuid, now=timezone.now())
    return found


def visited(route: str, kind: str, places: dict[str, Any]) -> str:
    """Return this visitor's address: their own conversation if they have one, else the member's."""
    group, created_at = places.get(kind, places["member"])
    somebody = places["people"]["somebody"]
    filled = {
        "uuid:group_uuid": group, "str:created_at": created_at, "str:handle": somebody.handle,
        "path:object_id": somebody.pk, "uuid:user_uuid": somebody.pk, "int:pk": 1,
    }  # fmt: skip
    path = "/" + re.sub(r"<([a-z]+:[a-z_]+)>", lambda match: str(filled[match[1]]), route)
    return re.sub(r"\^\(\?P<app_label>.*\)/\$$", "users/", path).replace("(?P<url>.*)$", "nothing")


def answers(method: str, route: str, places: dict[str, Any]) -> list[Any]:
    """Return the answer to each kind of visitor; script gets the same status."""
    found = []
    for kind in KINDS:
        client = Client()
        if kind != "signed out":
            person = places["people"][kind]
            client.force_login(person)
            if kind == "disabled":
                User.objects.filter(pk=person.pk).update(is_active=False)
        form = dict(FORMS.get(route, {}))
        if route.endswith("/read"):
            form["created_at"] = places.get(kind, places["member"])[1]
        found.append(getattr(client, method.lower())(visited(route, kind, places), form if method == "POST" else None))
    return found


def check_headers(response: Any, path: str) -> None:
    """Check the security headers that every answer has, and its caching."""
    headers = response.headers
    assert "default-src 'none'" in headers["Content-Security-Policy"], path
    assert "unsafe" not in headers["Content-Security-Policy"], path
    assert headers["X-Content-Type-Options"] == "nosniff", path
    assert headers["X-Frame-Options"] == "DENY", path
    assert headers["Referrer-Policy"] == "same-origin", path
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin", path
    assert "camera=()" in headers["Permissions-Policy"], path
    if path != "/manifest.webmanifest":
        check_kept(response, path)


def check_kept(response: Any, path: str) -> None:
    """Check that nothing is stored but whole pages, by the browser alone, which revalidates them."""
    kept = response.headers["Cache-Control"]
    content = b"" if response.streaming else response.content
    is_page = response.status_code == 200 and not response.streaming and (not content or b"<html" in content)
    asked = response.request["REQUEST_METHOD"] in {"GET", "HEAD"}
    assert "no-store" in kept or (is_page and asked and kept == "private, no-cache"), (path, kept)


def test_every_address_has_its_row() -> None:
    assert set(routes()) == set(ROWS)


@pytest.mark.parametrize("route", ROWS)
def test_address_answers_each_role_as_the_table_says(route: str, places: dict[str, Any]) -> None:
    got, posted = answers("GET", route, places), answers("POST", route, places)

    told = tuple(" ".join(str(each.status_code) for each in found) for found in (got, posted))
    assert told == ROWS[route]
    for response in (*got, *posted):
        check_headers(response, visited(route, "member", places))
    if told[0].startswith("302") and not route.startswith("admin/"):
        assert got[0]["Location"].startswith("/?next="), "the landing page, whose button comes back"


@pytest.mark.parametrize("route", [route for route in ROWS if route and "$" not in route])
def test_an_address_is_found_with_and_without_a_slash_at_its_end(route: str, places: dict[str, Any]) -> None:
    client = Client()
    client.force_login(places["people"]["admin"])
    path = visited(route, "member", places)
    typed = path.rstrip("/") if path.endswith("/") else f"{path}/"

    for method in (client.get, client.head):
        response = method(typed, {"after": "1 2"})
        assert (response.status_code, response["Location"]) == (301, f"{quote(path)}?after=1+2")


@pytest.mark.parametrize(
    "path", ["//evil.example/", "//evil.example/messages/", "/nothing/", "/messages/nothing/", "/@a/b/"]
)
def test_slashes_never_redirect_to_another_host(path: str) -> None:
    response = Client().get("/", PATH_INFO=path)  # a client of its own makes a host of the first part

    assert response.status_code == 404


def test_post_with_a_trailing_slash_is_not_redirected() -> None:
    assert Client().post("/messages/").status_code == 404


@pytest.mark.parametrize("kind", ["signed out", "outsider", "moderator", "admin"])
def test_existence_of_others_conversations_is_not_revealed(kind: str, places: dict[str, Any]) -> None:
    client = Client()
    if kind != "signed out":
        client.force_login(places["people"][kind])

    there = client.get(f"/messages/{places['member'][0]}", headers=SCRIPT)
    nowhere = client.get(f"/messages/{UUID(int=5)}", headers=SCRIPT)

    assert (there.status_code, there.content) == (nowhere.status_code, nowhere.content)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_only_whole_pages_may_be_stored(method: str, accept: str, places: dict[str, Any]) -> None:
    clients = {kind: Client(raise_request_exception=False) for kind in ("signed out", "member", "admin")}
    statuses, kept = Counter[int](), set[str]()
    for kind, client in clients.items():
        for route in dict.fromkeys(routes()):
            if kind != "signed out":
                client.force_login(places["people"][kind])
            path, body = visited(route, kind, places), urlencode(FORMS.get(route, {})) if method == "POST" else ""
            response = client.generic(method, path, body, content_type=FORM_TYPE, headers={"accept": accept})
            statuses[response.status_code] += 1
            if path != "/manifest.webmanifest":
                check_kept(response, f"{method} {path}")
                kept.add(response.headers["Cache-Control"])
    assert "private, no-cache" in kept or method not in {"GET", "HEAD"}
    assert len(statuses) > 2, statuses


@pytest.mark.parametrize(
    ("path", "wrong", "status"),
    [
        ("/messages", {"HTTP_HOST": "evil.example"}, 400),
        ("/messages?before=%00", {}, 400),
        ("/messages/new", {"CONTENT_LENGTH": str(10**9)}, 413),
        ("/nowhere", {}, 404),
    ],
)
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
@pytest.mark.django_db
def test_middleware_response_is_not_stored(
    client: Client, path: str, wrong: dict[str, str], status: int, accept: str
) -> None:
    response = client.get(path, headers={"accept": accept}, **wrong)  # type: ignore[arg-type] # of the environment

    assert response.status_code == status
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("error", [ZeroDivisionError, Unavailable, PermissionDenied, SuspiciousOperation, Http404])
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_error_response_is_not_stored(
    error: type[Exception], accept: str, places: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(conversations, "list_conversations", fail)
    client = Client(raise_request_exception=False)
    client.force_login(places["people"]["member"])

    response = client.get("/messages", headers={"accept": accept})

    assert response.status_code >= 400
    assert "no-store" in response["Cache-Control"]
