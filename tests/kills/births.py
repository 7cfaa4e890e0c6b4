"""The real processes that the nursery forks: a web server, a stream worker or an import, with counted moments."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from django.urls import get_resolver

from cruddur.asgi import application
from cruddur.cli.command_line import main
from legacy_import.management.commands import ddb_import_reference
from messaging.dynamodb import connection
from messaging.dynamodb.table import MessageTable
from messaging.management.commands import ddb_stream
from messaging.stream import leader_lock

from .moments import Moments

DIE_AT = b"x-die-at"
"""The header of a request during which the web server is to die, and at which moment."""

# Made before the fork, for all of them: neither has a connection yet.
CLIENT = connection.message_table().client
PRELOADED = (connection.streams_client(), get_resolver().url_patterns, ddb_stream)


def web(*, told: int, table: str, listening: socket.socket) -> None:
    """Run uvicorn with the site."""
    moments = watched(told, table)

    async def site(scope: Any, receive: Any, send: Any) -> None:
        asked = dict(scope["headers"]).get(DIE_AT)
        moments.arm(int(asked) if asked else None)

        async def answer(event: Any) -> None:
            if event["type"] == "http.response.start":
                moments.is_now("before the answer")
            await send(event)

        await application(scope, receive, answer)

    config = uvicorn.Config(site, proxy_headers=False, log_level="warning", lifespan="off", timeout_graceful_shutdown=1)
    uvicorn.Server(config).run(sockets=[listening])


def worker(*, told: int, table: str, die_at: int | None = None, lock: int = 0, arguments: tuple[str, ...] = ()) -> None:
    """Run `manage.py ddb_stream`.

    Workers with different `lock`s do not know of each other and are all active.
    """
    leader_lock.NAMESPACE += lock
    moments = watched(told, table)
    if die_at is not None:
        moments.arm(die_at)
    raise SystemExit(main(["manage.py", "ddb_stream", *arguments]))


def importer(*, told: int, table: str, die_at: int, of: tuple[str, ...], arguments: tuple[str, ...]) -> None:
    """Run `manage.py ddb_import_reference` on the client that counts calls, without its longer timeouts."""
    moments = watched(told, table)
    moments.of = of
    ddb_import_reference.patient = lambda client, **_: client  # type: ignore[attr-defined]
    moments.arm(die_at)
    raise SystemExit(main(["manage.py", "ddb_import_reference", *arguments]))


def watched(told: int, table: str) -> Moments:
    connection._message_table = lambda: MessageTable(CLIENT, table)  # type: ignore[assignment]
    moments = Moments(told)
    moments.watch()
    return moments


ROLES: dict[str, Callable[..., object]] = {"web": web, "worker": worker, "importer": importer}
