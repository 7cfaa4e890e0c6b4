"""What the process tells of its requests to DynamoDB: capacity and time as measures, each request to whoever collects.

It costs nothing when neither telemetry nor the debug panel is on: then nothing is watched, and no request asks for the
capacity it consumes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings

from cruddur.observability import metrics

from .metering import READS, Request, units_by_index, watch

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class Call:
    """A request with what it asked for."""

    request: Request
    parameters: Mapping[str, Any]
    answer: Mapping[str, Any]


_collected: ContextVar[list[Call] | None] = ContextVar("dynamodb_calls", default=None)


@contextmanager
def collected() -> Iterator[list[Call]]:
    """The requests that this code makes while the block runs; only those of clients that are watched."""
    calls: list[Call] = []
    token = _collected.set(calls)
    try:
        yield calls
    finally:
        _collected.reset(token)


def watch_if_asked(client: DynamoDBClient) -> None:
    """Watch a new client, if anybody wants to know."""
    if settings.TELEMETRY or settings.DEBUG_PANEL:
        watch(client, note)


def note(request: Request, parameters: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
    calls = _collected.get()
    if calls is not None:
        calls.append(Call(request, parameters, answer))
    if not metrics.enabled():
        return
    error = {"error": request.error} if request.error else {}
    metrics.record(metrics.DYNAMODB_TIME, request.milliseconds / 1000, operation=request.operation, **error)
    kind = "read" if request.operation in READS else "write"
    for table, index, units in units_by_index(answer):
        metrics.record(metrics.DYNAMODB_UNITS, units, operation=request.operation, kind=kind, table=table, index=index)
