"""Faults that emulators never produce, injected at before-send: throttling, failures, timeouts, lost permissions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore.awsrequest import AWSResponse  # noqa: TID251 - faults are made of botocore's own answers
from botocore.compat import HTTPHeaders  # noqa: TID251

from messaging.dynamodb.table import MessageTable


class Body:
    def __init__(self, content: bytes) -> None:
        self.content = content

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.content


def answer(code: str, status: int = 400, **more: Any) -> Callable[[], AWSResponse]:
    content = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": code, **more}).encode()
    return lambda: AWSResponse("", status, HTTPHeaders(), Body(content))


@contextmanager
def fault(table: MessageTable, operation: str, *make: Callable[[], AWSResponse]) -> Iterator[list[str]]:
    """Answer the first calls of `operation` with these faults; yields the calls that were sent."""
    waiting = list(make)
    sent: list[str] = []

    def inject(request: Any, **_: Any) -> Any:
        sent.append(operation)
        return waiting.pop(0)() if waiting else None

    event = f"before-send.dynamodb.{operation}"
    table.client.meta.events.register_first(event, inject)
    try:
        yield sent
    finally:
        table.client.meta.events.unregister(event, inject)


def timeout(kind: type[Exception]) -> Callable[[], AWSResponse]:
    def time_out() -> AWSResponse:
        raise kind(endpoint_url="http://dynamodb")  # type: ignore[call-arg]

    return time_out


@contextmanager
def during(table: MessageTable, operation: str, act: Callable[[], object]) -> Iterator[None]:
    """Let `act`, what somebody else does, happen just before the first call of `operation` is sent."""
    waiting = [act]

    def interrupt(**_: Any) -> None:
        if waiting:
            waiting.pop()()

    event = f"before-send.dynamodb.{operation}"
    table.client.meta.events.register_first(event, interrupt)
    try:
        yield
    finally:
        table.client.meta.events.unregister(event, interrupt)
