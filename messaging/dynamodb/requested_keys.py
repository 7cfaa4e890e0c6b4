"""Which keys a request to DynamoDB names, for people who read what a page cost. Shows keys, and no other attribute."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

KEYS = ("pk", "sk")
ACTIONS = {"ConditionCheck": "check", "Delete": "delete", "Get": "get", "Put": "put", "Update": "update"}


def asked_keys(parameters: Mapping[str, Any]) -> Iterator[str]:
    """A line for each item that the request names, or one for the range that it reads."""
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
    """Of a request with a key, or with an item to be put."""
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
