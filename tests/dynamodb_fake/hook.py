"""Puts the fake in the place of the network: requests to its endpoint are answered where botocore would send them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSRequest, AWSResponse  # noqa: TID251 - the fake answers as botocore's own network does
from botocore.compat import HTTPHeaders  # noqa: TID251
from botocore.httpsession import URLLib3Session  # noqa: TID251

from .service import FakeDynamoDb

_served: dict[str, FakeDynamoDb] = {}
"""By endpoint, without a slash at its end."""


@contextmanager
def served(fake: FakeDynamoDb, endpoint: str) -> Iterator[None]:
    """Let the fake answer what clients send to this endpoint while the block runs."""
    url = endpoint.rstrip("/")
    before = _served.get(url)
    _served[url] = fake
    try:
        yield
    finally:
        del _served[url]
        if before is not None:
            _served[url] = before


def listen() -> None:
    """Make every session of botocore in this process ask here before it sends a request."""
    send = URLLib3Session.send

    def send_or_answer(session: URLLib3Session, request: AWSRequest | AWSPreparedRequest) -> AWSResponse:
        return _answer(request) or send(session, request)

    URLLib3Session.send = send_or_answer  # type: ignore[assignment,method-assign]


def _answer(request: Any) -> AWSResponse | None:
    fake = _served.get(request.url.rstrip("/"))
    target = request.headers.get("X-Amz-Target", "")
    service, _, operation = (target.decode() if isinstance(target, bytes) else target).rpartition(".")
    if fake is None or not service.startswith("DynamoDB"):  # an emulator of all of AWS has one endpoint
        return None
    body = request.body.encode() if isinstance(request.body, str) else request.body
    status, content = fake.answer(operation, body)
    headers = HTTPHeaders()
    headers["x-amzn-RequestId"] = "FAKE"
    return AWSResponse(request.url, status, headers, _Raw(content))


def made_once(connect: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that makes a client of each endpoint once, and gives it out as it was when it was made.

    What a test registers with a client is not there for the next one. To make a client takes as long as ten requests.
    """
    made: dict[tuple[str, ...], tuple[Any, Any]] = {}

    def connect_once(**where: str) -> Any:
        key = tuple(sorted(where.values()))
        if key not in made:
            client = connect(**where)
            made[key] = client, copy.copy(client.meta.events._emitter)
        client, hooks = made[key]
        client.meta.events._emitter = copy.copy(hooks)
        return client

    return connect_once


class _Raw:
    """A body as urllib3 would have it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._content
