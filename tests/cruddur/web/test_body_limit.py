"""Bodies that are too large, told before and found out, by Django and by the server ahead of it."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from cruddur.web.body_limit import BodyLimit
from tests import own_thread
from tests.messaging.live_site import web_process

LARGE = b"message=" + b"x" * 1024 * 1024


@pytest.mark.parametrize("path", ["/", "/settings", "/messages/new/bayko", "/nothing", "/oidc/authenticate/"])
@pytest.mark.django_db
def test_large_body_is_413_for_every_url(client: Client, path: str) -> None:
    response = client.post(path, LARGE, content_type="application/x-www-form-urlencoded")

    assert response.status_code == 413
    assert "That is too much at once" in response.content.decode()
    assert response["Cache-Control"] == "no-store"


def test_script_gets_json(client: Client) -> None:
    response = client.post("/", LARGE, content_type="text/plain", headers={"Accept": "application/json"})

    assert (response.status_code, response.json()) == (413, {"error": "Request Entity Too Large"})


@pytest.mark.django_db
def test_no_view_accepts_files(client: Client) -> None:
    boundary = "x"
    body = f'--{boundary}\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nx\r\n--{boundary}--\r\n'

    response = client.post("/oidc/authenticate/", body, content_type=f"multipart/form-data; boundary={boundary}")

    assert response.status_code in {302, 400}


def answer_to(port: int, head: str, body: bytes) -> str:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(f"POST /messages HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\n".encode() + body)
        return connection.recv(4096).decode(errors="replace").splitlines()[0]


@pytest.mark.django_db(transaction=True)
def test_body_without_a_length_is_413() -> None:
    chunked = b"".join(b"10000\r\n" + b"x" * 0x10000 + b"\r\n" for _ in range(16)) + b"0\r\n\r\n"
    with web_process() as site:
        told = answer_to(site.port, f"Content-Length: {len(LARGE)}", LARGE)
        untold = answer_to(site.port, "Transfer-Encoding: chunked", chunked)

    assert told.split()[1] == untold.split()[1] == "413"


def test_django_does_not_read_a_large_body() -> None:
    read: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        read.append(await receive())

    async def client() -> dict[str, Any]:
        return {"type": "http.request", "body": b"x" * 65536, "more_body": True}

    scope = {"type": "http", "headers": [(b"content-length", str(settings.BODY_MAX_BYTES + 1).encode())]}
    own_thread.run(BodyLimit(application)(scope, client, None))

    assert read == [{"type": "http.request", "body": b"", "more_body": False}]
