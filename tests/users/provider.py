"""Cognito as these tests need it: a real HTTP server that hands out keys and tokens, honest or forged."""

from __future__ import annotations

import json
import threading
import time
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID = "the-client"
ISSUER = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Test"
DROPPED = object()
"""The value of a claim that the token is to go without."""


@cache
def private_key(kid: str) -> rsa.RSAPrivateKey:
    """Return one key for each id, cached because generating them is slow."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_jwk(kid: str) -> dict[str, Any]:
    jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(private_key(kid).public_key()))
    return {**jwk, "kid": kid, "alg": "RS256", "use": "sig"}


def claims_of(**changes: Any) -> dict[str, Any]:
    """Return the claims of a valid ID token, changed; `DROPPED` takes one out."""
    now = int(time.time())
    claims = {
        "sub": "sub-of-someone",
        "aud": CLIENT_ID,
        "iss": ISSUER,
        "iat": now,
        "exp": now + 3600,
        "token_use": "id",
        "email": "someone@cruddur.example",
        "email_verified": True,
        "name": "Some One",
        "preferred_username": "someone",
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not DROPPED}


class Provider:
    """`answer` is what the token endpoint gives next: a status and a JSON body, or bytes as they are."""

    def __init__(self) -> None:
        self.keys = ["key-1"]
        self.keys_status = 200
        self.answer: tuple[int, Any] = (400, {"error": "invalid_grant"})
        self.requests: list[tuple[str, dict[str, list[str]]]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.is_up = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Answer nothing any more: connections are refused."""
        if self.is_up:
            self.is_up = False
            self._server.shutdown()
            self._server.server_close()

    def grant(self, *, kid: str = "key-1", **changes: Any) -> None:
        """Let the next code return an ID token with these claims."""
        self.grant_token(jwt.encode(claims_of(**changes), private_key(kid), "RS256", headers={"kid": kid}))

    def grant_token(self, id_token: str) -> None:
        self.answer = (
            200,
            {"id_token": id_token, "access_token": "an-access-token", "refresh_token": "a-refresh-token"},
        )

    def asked(self, path: str) -> int:
        return sum(asked == path for asked, _ in self.requests)

    def _handler(provider) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - `self` is the handler's below
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.requests.append((self.path, {}))
                self.reply(provider.keys_status, {"keys": [public_jwk(kid) for kid in provider.keys]})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                provider.requests.append((self.path, parse_qs(body)))
                self.reply(*provider.answer)

            def reply(self, status: int, answer: Any) -> None:
                body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: Any) -> None:
                """Say nothing."""

        return Handler
