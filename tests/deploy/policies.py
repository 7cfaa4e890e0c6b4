"""The roles' policies, and whether they allow what was called: IAM's rules, as far as the templates use them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from .templates import resolved, source, template

TABLE = "cruddur-messages"
POOL = "us-east-1_example"
PREFIX = "arn:aws:dynamodb:us-east-1:123456789012:table"
KNOWN = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "Prefix": "cruddur",
    "TableArn": f"{PREFIX}/{TABLE}",
    "TableStreamArn": f"{PREFIX}/{TABLE}/stream/2026-11-21T09:05:00.000",
    "UserPoolArn": f"arn:aws:cognito-idp:us-east-1:123456789012:userpool/{POOL}",
    "DatabaseSecretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:database",
    "ApplicationSecretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:application",
    "DjangoSecretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:django",
    "UserPoolClientSecretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:client",
    "KeyArn": "arn:aws:kms:us-east-1:123456789012:key/one",
    "ImageRepositoryArn": "arn:aws:ecr:us-east-1:123456789012:repository/cruddur",
}
ROLES = {"web": "WebRole", "worker": "WorkerRole", "lambda": "StreamFunctionRole", "operator": "OperatorRole"}
PARTS = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}

Requested = tuple[str, str]
"""An action and the ARN of what it is done to."""


@cache
def statements(role: str) -> list[dict[str, Any]]:
    """Return the statements of a role's policies, with the ARNs of `KNOWN`."""
    properties = template("roles")["Resources"][ROLES[role]]["Properties"]
    assert "ManagedPolicyArns" not in properties
    found = [each for policy in properties["Policies"] for each in policy["PolicyDocument"]["Statement"]]
    return list(resolved(found, KNOWN))


@cache
def allows(role: str, action: str, arn: str) -> bool:
    """Return whether the role may do this.

    The default is to deny; a statement with a condition would need a rule here.
    """
    for statement in statements(role):
        assert statement["Effect"] == "Allow"
        assert statement.keys() == {"Sid", "Effect", "Action", "Resource"}
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        if action in statement["Action"] and any(fnmatchcase(arn, each) for each in resources):
            return True
    return False


def requested(service: str, operation: str, parameters: Mapping[str, Any], *, table: str, pool: str) -> list[Requested]:
    """Return the permissions that IAM checks for this operation, for a site with this table and pool."""
    if service in ("dynamodb", "dynamodbstreams"):
        return list(_of_dynamodb(operation, parameters, own=table))
    assert service == "cognito-idp", service
    named = POOL if parameters["UserPoolId"] == pool else parameters["UserPoolId"]
    return [(f"cognito-idp:{operation}", f"arn:aws:cognito-idp:us-east-1:123456789012:userpool/{named}")]


def _of_dynamodb(operation: str, parameters: Mapping[str, Any], *, own: str) -> Iterator[Requested]:
    match operation:
        case "TransactWriteItems":
            for each in parameters["TransactItems"]:
                ((part, request),) = each.items()
                yield f"dynamodb:{PARTS[part]}", _table_arn(request["TableName"], own)
        case "BatchGetItem" | "BatchWriteItem":
            for name in parameters["RequestItems"]:
                yield f"dynamodb:{operation}", _table_arn(name, own)
        case "ListTables":
            yield "dynamodb:ListTables", "*"
        case "DescribeStream" | "GetShardIterator" | "GetRecords":
            yield f"dynamodb:{operation}", f"{_table_arn(own, own)}/stream/2026"
        case _:
            arn = _table_arn(parameters["TableName"], own)
            yield (
                f"dynamodb:{operation}",
                f"{arn}/index/{parameters['IndexName']}" if "IndexName" in parameters else arn,
            )


def _table_arn(name: str, own: str) -> str:
    """Return the ARN of a table; another table than the site's own is one that operators make for a rehearsal."""
    return f"{PREFIX}/{TABLE}" if name == own else f"{PREFIX}/{TABLE}-{name}"


def commented_actions(role: str) -> dict[str, str]:
    """Return each action of a role with the comment above it or above its group."""
    lines = source("roles").split("\n")
    begin = lines.index(f"  {ROLES[role]}:")
    found, comment, before = dict[str, str](), "", ""
    for line in lines[begin + 1 :]:
        if re.match(r"  \S", line):
            break
        if said := re.match(r"\s+# (.*)", line):
            comment = f"{comment} {said[1]}" if before.startswith("#") else said[1]
        elif action := re.match(r"\s+- ([a-z-]+:[A-Za-z]+)$", line):
            found[action[1]] = f"{found.get(action[1], '')} {comment}".strip()
        elif line.strip() == "Action:":
            comment = ""
        before = line.strip()
    return found
