"""A web process in tests: uvicorn in a thread on the test database, with streams read by a raw client."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import uvicorn
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.core.asgi import get_asgi_application

from cruddur.observability.request_id import RequestId
from cruddur.web.body_limit import BodyLimit
from messaging.realtime.bus import Bus, bus
from messaging.realtime.endpoint import LiveApplication
from tests.cookies import COOKIES
from users.models import User
from users.sessions.store import SessionStore

HANGS = 60.0
"""Seconds after which what has not come never will."""
END = ("", None)


@dataclass
class WebProcess:
    """One web server with a hub of its own, as one of several processes would be."""

    port: int
    application: LiveApplication
    server: uvicorn.Server
    thread: threading.Thread

    def stop(self) -> None:
        """Stop as a signal would."""
        self.server.should_exit = True
        self.thread.join(HANGS)
        assert not self.thread.is_alive()


@contextmanager
def web_process(make_bus: Callable[[], Bus] = bus, *, lifespan: Any = "off") -> Iterator[WebProcess]:
    """Start a server at a free port and stop it at the end."""
    application = LiveApplication(BodyLimit(get_asgi_application()), make_bus)
    with serving(RequestId(application), application, lifespan=lifespan) as process:
        yield process


@contextmanager
def serving(site: Any, application: LiveApplication, *, lifespan: Any = "off") -> Iterator[WebProcess]:
    """Serve an ASGI application, of which `application` is a part, at a free port until the end of the block."""
    sock = socket.create_server(("127.0.0.1", 0), backlog=2048)
    config = uvicorn.Config(
        site, proxy_headers=False, log_level="warning", lifespan=lifespan, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    process = WebProcess(sock.getsockname()[1], application, server, thread)
    try:
        yield process
    finally:
        process.stop()
        sock.close()


def session_of(person: User) -> str:
    """Sign the person in, in a browser of their own; returns the session's key."""
    session = SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.create()
    assert session.session_key is not None
    return session.session_key


@dataclass
class EventStream:
    """A connection that asked for the stream, read as it comes."""

    sock: socket.socket
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    comments: int = 0
    retry: int = 0
    _lines: Any = None

    @classmethod
    def ask(
        cls,
        port: int,
        session_key: str = "",
        *,
        headers: dict[str, str] | None = None,
        path: str = "/messages/stream",
        method: str = "GET",
    ) -> Self:
        """Send the request and wait for nothing."""
        sock = socket.create_connection(("127.0.0.1", port), timeout=HANGS)
        asked = {"Host": f"localhost:{port}", "Accept": "text/event-stream", **(headers or {})}
        if session_key:
            asked["Cookie"] = f"{COOKIES.session}={session_key}; {COOKIES.timezone}=Europe/Vienna"
        lines = [f"{method} {path} HTTP/1.0", *(f"{name}: {value}" for name, value in asked.items()), "", ""]
        sock.sendall("\r\n".join(lines).encode())
        stream = cls(sock)
        stream._lines = sock.makefile("r", encoding="utf-8", newline="\n")
        return stream

    def answered(self) -> Self:
        """Read status and headers."""
        self.status = int(self._lines.readline().split()[1])
        while line := self._lines.readline().strip():
            name, _, value = line.partition(":")
            self.headers[name.lower()] = value.strip()
        return self

    @classmethod
    def open(cls, *arguments: Any, **options: Any) -> Self:
        """Ask, and read what comes before the first event."""
        return cls.ask(*arguments, **options).answered()

    def next(self) -> tuple[str, Any]:
        """Return the next event's name and data, `END` at the end.

        Raises TimeoutError when nothing arrives.
        """
        name, data = "", ""
        while line := self._lines.readline():
            key, _, value = line.rstrip("\n").partition(": ")
            match key:
                case "event":
                    name = value
                case "data":
                    data = value
                case "retry":
                    self.retry = int(value)
                case "" if name:
                    return name, json.loads(data)
                case "":
                    self.comments += bool(value)
        return END

    def rest(self) -> list[tuple[str, Any]]:
        """Return all events until the stream ends."""
        return list(iter(self.next, END))

    def is_silent(self, seconds: float = 0.5) -> bool:
        """Return whether no event arrives for this long."""
        self.sock.settimeout(seconds)
        try:
            return self.sock.recv(1, socket.MSG_PEEK) is None
        except TimeoutError:
            return True
        finally:
            self.sock.settimeout(HANGS)

    def close(self) -> None:
        self._lines.close()
        self.sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
