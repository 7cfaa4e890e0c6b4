"""Loopback is never reached through a proxy, whichever client asks and however the proxy is named."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cruddur.net import bypass_proxies, loopback_credentials

ROOT = Path(__file__).parents[2]
CLIENTS = {
    "urllib": "import urllib.request; urllib.request.urlopen(url, timeout=5).read()",
    "requests": "import requests; requests.get(url, timeout=5).raise_for_status()",
    "signing keys": (
        "import jwt; from users.cognito.signing_keys import fetch_keys\n"
        "try: fetch_keys(url, timeout=5)\n"
        "except jwt.PyJWTError: pass  # an answer without keys"
    ),
    "DynamoDB": (
        "from messaging.dynamodb.client import connect; connect(endpoint_url=url, region='us-east-1').list_tables()"
    ),
    "streams": (
        "from messaging.dynamodb.client import connect_streams; "
        "connect_streams(endpoint_url=url, region='us-east-1').list_streams()"
    ),
    "Cognito": (
        "from users.cognito.client import connect; "
        "connect(endpoint_url=url, region='us-east-1').list_user_pools(MaxResults=1)"
    ),
    "telemetry": (
        "from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as Exporter\n"
        "assert Exporter(endpoint=url, timeout=5).export([]).name == 'SUCCESS'"
    ),
}
"""What each client does with `url` that must succeed."""


class Anything(BaseHTTPRequestHandler):
    """Answers every request with an empty JSON object."""

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_GET = do_POST = answer  # noqa: N815 - the base class's names

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def black_hole() -> Iterator[tuple[int, list[bytes]]]:
    """Run a proxy that accepts connections and never answers; yield its port and what it received."""
    heard = list[bytes]()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                heard.append(connection.recv(1000))

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield server.getsockname()[1], heard
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.fixture
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Anything) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.slow
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("client", CLIENTS)
def test_client_reaches_loopback_past_the_proxy(client: str, host: str, url: str) -> None:
    code = (
        "from cruddur.net import bypass_proxies; bypass_proxies()\n"
        f"url = {url.replace('127.0.0.1', host)!r}\n{CLIENTS[client]}"
    )
    with black_hole() as (port, heard):
        proxies = dict.fromkeys(("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"), f"http://127.0.0.1:{port}")
        environment = {"PATH": os.environ["PATH"], "NO_PROXY": "company.example", **proxies}

        subprocess.run([sys.executable, "-c", code], env=environment, cwd=ROOT, check=True, timeout=60)

    assert heard == []


def test_proxy_stays_for_everything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", "company.example, 10.0.0.0/8")

    bypass_proxies()
    bypass_proxies()

    assert os.environ["no_proxy"] == os.environ["NO_PROXY"] == "company.example,10.0.0.0/8,127.0.0.1,::1,localhost"
    assert os.environ["http_proxy"] == "http://proxy.example:3128"


def test_environment_without_proxies_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)

    bypass_proxies()

    assert "no_proxy" not in os.environ


@pytest.mark.slow
def test_settings_bypass_proxies_themselves() -> None:
    code = "import os, cruddur.settings; print(os.environ['no_proxy'])"
    environment = {"PATH": os.environ["PATH"], "CRUDDUR_ENV": "test", "http_proxy": "http://127.0.0.1:1"}

    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=ROOT, check=True, stdout=subprocess.PIPE)

    assert b"127.0.0.1,::1,localhost" in done.stdout


def test_credentials_are_for_loopback_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_AWS_ACCESS_KEY_ID", "AKIALOCAL")
    monkeypatch.setenv("LOCAL_AWS_SECRET_ACCESS_KEY", "local secret")

    assert loopback_credentials("http://127.0.0.1:1") == {
        "aws_access_key_id": "AKIALOCAL",
        "aws_secret_access_key": "local secret",
    }
    for remote in (None, "https://dynamodb.us-east-1.amazonaws.com", "http://127.0.0.1.example", "http://10.0.0.1"):
        assert loopback_credentials(remote) == {}
