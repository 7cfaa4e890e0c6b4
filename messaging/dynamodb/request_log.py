"""What the process tells of its requests to DynamoDB: capacity and time as measures, each request to whoever collects.

It costs nothing when neither telemetry nor the debug panel is on: then nothing is watched, and no request asks for the
capacity it consumes.
"""

from __future__ import annotations

import re
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

KEYS = ("pk", "sk")
ACTIONS = {"ConditionCheck": "check", "Delete": "delete", "Get": "get", "Put": "put", "Update": "update"}


@dataclass(frozen=True, slots=True)
class Call:
    """A request with what it asked for."""

    request: Request
    parameters: Mapping[str, Any]
    answer: Mapping[str, Any]


_collected: ContextVar[list[Call] | None] = ContextVar("dynamodb_calls", default=None)


@contextmanager
def collected() -> Iterator[list[Call]]:
    """Collect the requests that this code makes while the block runs; only those of clients that are watched."""
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


# --- The keys of a request, for people who read what a page cost: no other attribute is shown -------------------------


def requested_keys(parameters: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each item that the request names, or one for the range that it reads."""
    if "KeyConditionExpression" in parameters:
        yield _range(parameters)
    elif "TransactItems" in parameters:
        for item in parameters["TransactItems"]:
            ((action, what),) = item.items()
            yield f"{ACTIONS[action]} {_key(what)}"
    elif "RequestItems" in parameters:
        yield from _batch(parameters["RequestItems"])
    elif "Key" in parameters or "Item" in parameters:
        yield _key(parameters)


def _batch(tables: Mapping[str, Any]) -> Iterator[str]:
    for asked in tables.values():
        if isinstance(asked, Mapping):
            yield from map(_shown, asked["Keys"])
            continue
        for request in asked:
            ((action, what),) = request.items()
            yield f"{ACTIONS[action.removesuffix('Request')]} {_key(what)}"


def _key(what: Mapping[str, Any]) -> str:
    """Return the key of a request with a key, or with an item to be put."""
    return _shown(what.get("Key") or {name: what["Item"][name] for name in KEYS})


def _shown(key: Mapping[str, Any]) -> str:
    return " ".join(_value(key[name]) for name in (*KEYS, *sorted(key.keys() - set(KEYS))) if name in key)


def _range(parameters: Mapping[str, Any]) -> str:
    names: Mapping[str, str] = parameters.get("ExpressionAttributeNames", {})
    values: Mapping[str, Any] = parameters.get("ExpressionAttributeValues", {})
    condition = re.sub(r"#\w+", lambda match: names.get(match[0], match[0]), parameters["KeyConditionExpression"])
    shown = re.sub(r":\w+", lambda match: _value(values[match[0]]) if match[0] in values else match[0], condition)
    if start := parameters.get("ExclusiveStartKey"):
        shown += f", after {_shown(start)}"
    if parameters.get("ScanIndexForward") is False:
        shown += ", backwards"
    return f"{shown}, {parameters['Limit']} at most" if "Limit" in parameters else shown


def _value(value: Mapping[str, Any]) -> str:
    (content,) = value.values()
    return content.hex() if isinstance(content, bytes) else str(content)
