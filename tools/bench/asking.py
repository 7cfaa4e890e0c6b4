"""Send requests over a persistent connection with minimal work, because this process shares the machine."""

from __future__ import annotations

import gzip
import socket
import time
from collections.abc import Mapping
from urllib.parse import urlencode

from .stack import CSRF, HOST, cookies

SECONDS = 60.0
KEPT_SECONDS = 3.0
"""uvicorn closes connections after five idle seconds."""
END_OF_HEAD = b"\r\n\r\n"
OK = 200


def request_bytes(
    method: str,
    path: str,
    *,
    session: str,
    form: Mapping[str, str] | None = None,
    json: bool = False,
) -> bytes:
    """Return a request as a browser with script sends it."""
    body = urlencode(form).encode() if form is not None else b""
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: localhost",
        "Accept-Encoding: gzip",
        f"Accept: {'application/json' if json else 'text/html'}",
        f"Cookie: {cookies(session=session, csrf=CSRF, timezone='UTC')}",
    ]
    if form is not None:
        lines += [
            f"X-CSRFToken: {CSRF}",
            "Content-Type: application/x-www-form-urlencoded",
            f"Content-Length: {len(body)}",
        ]
    return "\r\n".join(lines).encode() + END_OF_HEAD + body


class Connection:
    """Keeps the connection between requests, as a browser does."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.sock = self._open()
        self.used = time.monotonic()

    def ask(self, request: bytes, *, status: int = OK) -> tuple[float, bytes]:
        """Return the time of the response in seconds, and its body as sent. Raises SystemExit for another status."""
        if time.monotonic() - self.used > KEPT_SECONDS:
            self.sock.close()
            self.sock = self._open()
        began = time.perf_counter()
        self.sock.sendall(request)
        head = b""
        while END_OF_HEAD not in head:
            head += self._received()
        head, _, body = head.partition(END_OF_HEAD)
        length = content_length(head)
        while len(body) < length:
            body += self._received()
        took = time.perf_counter() - began
        self.used = time.monotonic()
        if int(head.split(b" ", 2)[1]) != status:
            said = gzip.decompress(body) if b"gzip" in head else body
            raise SystemExit(
                f"{request.splitlines()[0].decode()}: {head.splitlines()[0].decode()} {said.decode()[:500]}"
            )
        return took, body

    def seconds(self, request: bytes, *, status: int = OK) -> float:
        """Return the time of the response in seconds."""
        return self.ask(request, status=status)[0]

    def _open(self) -> socket.socket:
        sock = socket.create_connection((HOST, self.port), timeout=SECONDS)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def _received(self) -> bytes:
        received = self.sock.recv(1 << 18)
        if not received:
            raise SystemExit("the server closed the connection")
        return received


def content_length(head: bytes) -> int:
    """Return the length of the body. Raises SystemExit if the header is missing."""
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise SystemExit("an answer without its length")
