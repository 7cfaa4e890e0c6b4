"""All of DynamoDB is in `messaging/dynamodb`: nothing outside of it writes an expression, a value or a request."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
INSIDE = ROOT / "messaging" / "dynamodb"
FILES = [
    path
    for project in ("messaging", "moderation", "legacy_import", "users")
    for path in sorted((ROOT / project).rglob("*.py"))
    if INSIDE not in path.parents
]
LETTERS = {"S", "N", "B", "SS", "NS", "BS", "L", "M", "NULL", "BOOL"}
"""By which DynamoDB tells the type of a value."""
PARAMETERS = {
    "ConditionExpression",
    "ConsistentRead",
    "ExclusiveStartKey",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
    "FilterExpression",
    "KeyConditionExpression",
    "LastEvaluatedKey",
    "ProjectionExpression",
    "TransactItems",
    "UpdateExpression",
}
CALLS = {
    "batch_get_item",
    "batch_write_item",
    "delete_item",
    "get_item",
    "get_records",
    "get_shard_iterator",
    "put_item",
    "query",
    "scan",
    "transact_get_items",
    "transact_write_items",
    "update_item",
    "update_table",
}
OUR_CALLS = {"delete_item"}
"""Methods of the table that are called as the client's: allowed on anything but a client."""
PRIVATE = {"requests", "transactions", "paginate"}
"""Modules of the package that only the package imports."""
ALLOWED = {"messaging.dynamodb.paginate.Page"}


def breaches(tree: ast.AST) -> Iterator[str]:
    """Yield each use of DynamoDB's API, with its line."""
    for node in ast.walk(tree):
        name = parameter(node) or value_type(node) or call(node) or private_import(node)
        if name:
            yield f"{getattr(node, 'lineno', '')}: {name}"


def parameter(node: ast.AST) -> str | None:
    match node:
        case ast.keyword(arg=str(name)) | ast.Constant(value=str(name)) if name in PARAMETERS:
            return name
    return None


def value_type(node: ast.AST) -> str | None:
    match node:
        case (
            ast.Dict(keys=[ast.Constant(value=str(letter))])
            | ast.Subscript(slice=ast.Constant(value=str(letter)))
            | ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str(letter)), *_])
        ) if letter in LETTERS:
            return f"a value of type {letter}"
    return None


def call(node: ast.AST) -> str | None:
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr=name)) if name in CALLS:
            is_client = ast.unparse(owner).rpartition(".")[2] in ("client", "streams")
            return name if is_client or name not in OUR_CALLS else None
    return None


def private_import(node: ast.AST) -> str | None:
    match node:
        case ast.ImportFrom(module=str(module), names=names):
            origins = [f"{module}.{each.name}" for each in names]
            for origin in origins:
                package, _, rest = origin.partition("messaging.dynamodb.")
                if not package and rest.partition(".")[0] in PRIVATE and origin not in ALLOWED:
                    return f"imports {origin}"
    return None


def test_dynamodb_is_used_through_its_package_alone() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{breach}"
        for path in FILES
        for breach in breaches(ast.parse(path.read_text(encoding="utf-8")))
    ]

    assert found == [], "put this into messaging/dynamodb, and call it by a name"


@pytest.mark.parametrize(
    "source",
    [
        "client.update_item(Key=key, UpdateExpression='SET a = :a')",
        "request = {'ConditionExpression': 'attribute_exists(pk)'}",
        "value = {'S': text}",
        "pk = item['pk']['S']",
        "pk = item.get('pk', {}).get('S', '')",
        "table.client.query(TableName=name)",
        "table.client.delete_item(Key=key)",
        "from messaging.dynamodb.requests import get",
        "from messaging.dynamodb import transactions",
    ],
)
def test_use_of_the_api_is_found(source: str) -> None:
    assert list(breaches(ast.parse(source)))


@pytest.mark.parametrize(
    "source", ["table.mute(user, group, until)", "table.delete_item(key)", "person = {'S': 1, 'T': 2}"]
)
def test_call_of_the_table_is_allowed(source: str) -> None:
    assert list(breaches(ast.parse(source))) == []
