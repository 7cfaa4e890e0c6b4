"""Hostile input through every field: refused as what it is, never a 500, and shown as the words it is."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from dataclasses import fields
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import Settings

from cruddur.asgi import application
from cruddur.web.cookies import CookieNames
from cruddur.web.reject_malformed import RejectMalformed
from messaging.dynamodb.table import MessageTable
from tests.messaging.talk import start
from users.models import User

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
NUL, SURROGATE = "a%00b", "a%ED%A0%80b"


@pytest.fixture
def places(client: Client, andrew: User, bayko: User, moto_table: MessageTable) -> dict[str, str]:
    message = start(by=andrew.uuid, to=bayko.uuid)
    client.force_login(andrew)
    group = f"/messages/{message.group_uuid}"
    return {"group": group, "message": f"{group}/{message.created_at}"}


@pytest.mark.parametrize("text", [NUL, SURROGATE])
@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("{group}", "message"), ("{group}", "message_uuid"), ("{group}", "after"), ("{message}/edit", "message"),
        ("{group}/read", "created_at"), ("/settings", "display_name"), ("/settings", "bio"),
        ("/settings/browser", "theme"),
        ("/messages/new/bayko", "message"), ("/oidc/authenticate/", "next"),
    ],
)  # fmt: skip
def test_form_with_invalid_text_is_400(
    client: Client, places: dict[str, str], address: str, field: str, text: str
) -> None:
    assert client.post(address.format(**places), f"{field}={text}", content_type=FORM).status_code == 400


@pytest.mark.parametrize("text", [NUL, SURROGATE])
@pytest.mark.parametrize(
    "address", ["{group}?before={text}", "/messages?before={text}", "/messages/people?q={text}",
                "/messages/new?q={text}",
                "/oidc/callback/?code={text}&state=a", "/?next={text}", "{group}/since?after={text}"],
)  # fmt: skip
def test_query_with_invalid_text_is_400(client: Client, places: dict[str, str], address: str, text: str) -> None:
    assert client.get(address.format(**places, text=text)).status_code == 400


@pytest.mark.parametrize("address", ["/", "/messages", "/admin/"])
def test_session_cookie_with_nul_is_ignored(
    client: Client, places: dict[str, str], address: str, settings: Settings
) -> None:
    response = Client().get(address, headers={"cookie": f'{settings.SESSION_COOKIE_NAME}="\\000abcdefgh12345678"'})

    assert response.status_code in {200, 302}


@pytest.mark.parametrize("charset", ["rot13", "base64", "zlib", "idna", "utf-16", "undefined", "nonsense"])
@pytest.mark.parametrize("path", ["/?q=a%DCb", "/healthz?q=a%DCb", "/messages/stream?q=a%DCb"])
@pytest.mark.django_db
def test_non_text_encoding_causes_no_server_error(path: str, charset: str) -> None:
    # A load balancer is told how the process is, whatever it asks with.
    expected = {"/": 400, "/healthz": 200, "/messages/stream": 401}[path.partition("?")[0]]
    assert status_of(path, {"content-type": f'text/plain; charset="{charset}"; a=b'}) == expected


def status_of(path: str, headers: dict[str, str], method: str = "GET") -> int:
    """Ask the application that the server runs, with what is ahead of Django."""
    path, _, query = path.partition("?")
    pairs = [(b"host", b"testserver"), *((name.encode(), value.encode("latin-1")) for name, value in headers.items())]
    scope = {
        "type": "http", "method": method, "path": path, "query_string": query.encode(), "headers": pairs,
        "scheme": "http", "http_version": "1.1", "client": ("127.0.0.1", 1), "root_path": "",
    }  # fmt: skip
    said: list[dict[str, Any]] = []
    heard = [{"type": "http.request", "body": b""}]

    async def receive() -> dict[str, Any]:
        while not heard:
            await asyncio.sleep(60)
        return heard.pop()

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    async def ask() -> None:
        await application(scope, receive, send)

    asyncio.run(ask())
    return int(said[0]["status"])


PARAMETERS = {
    "unknown encoding": "a*=nonsense''b",
    "encoding of bytes": "a*=zlib''b",
    "encoding that replaces nothing": "a*=idna''%ff",
    "NUL in the encoding": "a*=x\0y''b",
    "encoding of the charset": "charset*=nonsense''utf-8",
    "charset in an encoding": "charset*=utf-8''utf-16",
    "charset beyond Latin-1": "charset*=utf-8''%E2%82%AC",
    "boundary in an encoding": "boundary*=nonsense''b",
    "open quote": 'charset="',
    "many": "a;" * 4000,
}


@pytest.mark.parametrize("parameter", PARAMETERS.values(), ids=PARAMETERS)
@pytest.mark.parametrize("kind", ["text/html", FORM, MULTIPART])
@pytest.mark.django_db
def test_undecodable_header_parameters_cause_no_server_error(kind: str, parameter: str) -> None:
    value = f"{kind}; {parameter}"
    for method in ("GET", "POST"):
        for path in ("/", "/healthz", "/messages", "/messages/stream", "/no-such-page"):
            for name in ("content-type", "accept"):
                assert status_of(path, {name: value}, method) < 500, (method, path, name)


@pytest.mark.django_db
def test_undecodable_accept_header_is_ignored() -> None:
    assert status_of("/", {"accept": "text/html; a*=nonsense''b, */*"}) == status_of("/", {}) == 200


COSTLY_HEADERS = {
    "Accept of quotes and semicolons": (b"accept", ",".join(["a/b;" + ";" * 9_900] * 6).encode()),
    "Accept of many kinds": (b"accept", b"*/*," * 15_000),
    "Content-Type of quotes and semicolons": (b"content-type", b'text/html; a="' + b'";' * 4_900),
    "Cookie of backslashes": (b"cookie", b'a="' + b'\\"' * 25_000 + b'"'),
}


@pytest.mark.parametrize("header", COSTLY_HEADERS.values(), ids=COSTLY_HEADERS)
def test_django_parses_no_header_that_takes_the_square_of_its_length(header: tuple[bytes, bytes]) -> None:
    """Two seconds of a process's time for each request of anybody."""
    passed: list[tuple[bytes, bytes]] = []

    async def site(scope: Any, receive: Any, send: Any) -> None:
        passed.extend(scope["headers"])

    ordinary = [
        (b"accept", b"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"),
        (b"content-type", b"application/x-www-form-urlencoded"),
        (b"cookie", b'session=abc; messages="a\\054b"'),
    ]
    asyncio.run(RejectMalformed(site)({"type": "http", "headers": [*ordinary, header]}, None, None))

    assert passed[:3] == ordinary
    assert sum(len(value) for _, value in passed[3:]) <= 1_000


BOUNDARY = "b"
BAD = {"nul": b"a\x00b", "lone byte": b"a\xffb", "surrogate": b"a\xed\xa0\x80b", "overlong": b"a\xc0\x80b"}


def multipart(*parts: bytes) -> bytes:
    return b"".join(b"--b\r\nContent-Disposition: form-data; " + each + b"\r\n" for each in parts) + b"--b--\r\n"


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
@pytest.mark.parametrize(
    "make",
    [
        lambda bad: b'name="bio"\r\n\r\n' + bad,
        lambda bad: b'name="' + bad + b'"\r\n\r\ntext',
        lambda bad: b'name="bio"; filename="' + bad + b'"\r\n\r\ntext',
        lambda bad: b'name="bio"\r\nContent-Transfer-Encoding: base64\r\n\r\n' + base64.b64encode(bad),
    ],
    ids=["value", "name", "filename", "base64"],
)
def test_multipart_form_with_invalid_text_is_400(
    client: Client, places: dict[str, str], make: Callable[[bytes], bytes], bad: bytes
) -> None:
    for address in ("/settings", places["group"], "/messages/new/bayko"):
        response = client.post(address, multipart(make(bad)), content_type=f"{MULTIPART}; boundary={BOUNDARY}")
        assert response.status_code == 400, address


def test_a_multipart_form_may_hold_the_replacement_character(client: Client, places: dict[str, str]) -> None:
    body = multipart(
        b'name="message"\r\n\r\n' + "Füße \ufffd".encode(), b'name="message_uuid"\r\n\r\n' + str(uuid4()).encode()
    )

    response = client.post(places["group"], body, content_type=f"{MULTIPART}; boundary={BOUNDARY}")

    assert response.status_code == 303
    assert "Füße \ufffd" in client.get(places["group"]).content.decode()


@pytest.mark.parametrize("charset", ["utf-16", "latin-1", "utf-7", "unicode_escape", "nonsense", "\xff"])
def test_a_request_in_another_encoding_is_400(client: Client, places: dict[str, str], charset: str) -> None:
    body = multipart(b'name="message"\r\n\r\n\\ud800 +2AA-')

    # Django's client would write in this encoding, or fail to.
    parts = client.generic(
        "POST", places["group"], body, content_type=f"{MULTIPART}; boundary={BOUNDARY}; charset={charset}"
    )
    form = client.generic("POST", places["group"], b"message=a", content_type=f"{FORM}; charset={charset}")
    query = client.get("/messages/new?q=a%DC", headers={"content-type": f"text/plain; charset={charset}"})

    assert (parts.status_code, form.status_code, query.status_code) == (400, 400, 400)
    assert client.get("/messages/new?q=a", headers={"content-type": "text/plain; charset=UTF-8"}).status_code == 200


@pytest.mark.parametrize("value", ["\xff", "a\x80b", "\xed\xa0\x80"])
@pytest.mark.parametrize("cookie", sorted({each.name for each in fields(CookieNames)} - {"session"} | {"nonsense"}))
def test_cookie_with_invalid_text_changes_nothing(
    client: Client, places: dict[str, str], settings: Settings, cookie: str, value: str
) -> None:
    client.cookies[getattr(settings.COOKIES, cookie, cookie)] = value

    assert client.get("/settings").status_code == 200


@pytest.mark.parametrize("name", ["accept", "accept-language", "user-agent", "referer", "x-request-id", "purpose"])
def test_header_with_invalid_text_changes_nothing(client: Client, places: dict[str, str], name: str) -> None:
    assert client.get("/settings", headers={name: "\xff\x80"}).status_code == 200


@pytest.mark.parametrize("address", ["/%00", "/report/{uuid}/%00", "/messages/{uuid}/%00", "/@a%00", "/static/%00"])
@pytest.mark.django_db
def test_a_path_with_a_nul_is_400(client: Client, address: str) -> None:
    assert client.get(address.format(uuid=uuid4())).status_code == 400


@pytest.mark.parametrize("what", ["x", "0", "..%2F", "%00", "%ED%A0%80", "a" * 3000, "2026-11-21T09:05:00.000000Z_x"])
@pytest.mark.parametrize(
    "address", ["/messages/{what}", "{group}/{what}", "{group}?before={what}", "{group}?around={what}",
                "/messages?before={what}", "/@{what}", "/messages/new/{what}", "/messages/rows?current={what}"],
)  # fmt: skip
def test_invalid_identifier_or_cursor_is_not_found_or_ignored(
    client: Client, places: dict[str, str], address: str, what: str
) -> None:
    assert client.get(address.format(**places, what=what)).status_code in {200, 301, 400, 404}


def test_form_without_valid_csrf_token_is_refused(andrew: User, bayko: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(andrew)
    for token in ("", "x" * 64, "0" * 32):
        form = {"message": "Hi", "message_uuid": str(uuid4()), "after": "", "csrfmiddlewaretoken": token}
        assert client.post("/messages/new/bayko", form).status_code == 403


def test_a_form_that_is_replayed_stores_nothing_twice(client: Client, places: dict[str, str]) -> None:
    form = {"message": "Once", "message_uuid": str(uuid4()), "after": ""}

    answers = [client.post(places["group"], form).status_code for _ in range(3)]

    assert answers == [303, 303, 303]
    assert client.get(places["group"]).content.decode().count(">Once</p>") == 1


@pytest.mark.parametrize(
    "host", ["evil.example", "testserver.evil.example", "testserver:80@evil.example", "", "[", "a b"]
)
@pytest.mark.django_db
def test_unknown_host_is_400(client: Client, host: str) -> None:
    response = client.get("/", headers={"host": host})

    assert response.status_code == 400
    assert "evil" not in response.content.decode()
    assert "default-src 'none'" in response["Content-Security-Policy"]


@pytest.mark.django_db
def test_forwarded_scheme_counts_only_behind_a_proxy(client: Client, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    forged = {"x-forwarded-proto": "https", "x-forwarded-host": "evil.example", "forwarded": "proto=https"}

    answer = Client().get("/", headers=forged)

    assert (answer.status_code, answer["Location"]) == (301, "https://testserver/")


@pytest.mark.parametrize("url", ["//evil.example", "https:evil.example", "/\\evil.example", "javascript:alert(1)",
                                 "https://testserver@evil.example", "\thttps://evil.example",
                                 "http:///evil.example"])  # fmt: skip
def test_redirects_stay_on_this_site(client: Client, andrew: User, url: str) -> None:
    client.force_login(andrew)

    assert client.get("/", {"next": url})["Location"] == "/messages"
    assert client.post("/oidc/authenticate/", {"next": url})["Location"] == "/messages"
