"""The fake answers as the emulator does: the same requests have the same outcome on both."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from messaging.dynamodb.client import ServiceError
from messaging.dynamodb.table import MessageTable

Request = dict[str, Any]

KEYS = [{"pk": {"S": pk}, "sk": {"S": sk}} for pk in ("GRP#1", "MSG#2") for sk in ("#C", "2026-01", "2026-02")]
VALUES: list[dict[str, Any]] = [
    {"S": "b"}, {"S": ""}, {"N": "7"}, {"N": "-1.5"}, {"N": "10"}, {"B": b"\x01\x02"}, {"BOOL": True}, {"NULL": True},
    {"SS": ["a", "b"]}, {"NS": ["1", "2.50"]}, {"BS": [b"\x01", b"\x02"]}, {"L": [{"S": "b"}, {"N": "7"}]},
    {"M": {"x": {"N": "1"}, "y": {"S": "why"}}},
]  # fmt: skip
CONDITIONS = (
    "attribute_exists(pk)", "attribute_not_exists(pk)", "a = :v", "a <> :v", "a < :v", "a <= :v", "a > :v", "a >= :v",
    "a BETWEEN :v AND :w", "a IN (:v, :w)", "contains(a, :v)", "begins_with(sk, :prefix)", "attribute_type(a, :t)",
    "size(a) > :one", "NOT a = :v", "NOT (a = :v OR b = :w)", "a = :v AND b = :w OR attribute_not_exists(a)",
    "a.x = :one", "a[1] = :v", "#a = :v", "#a.#x = :one", "attribute_not_exists(a) OR NOT contains(a, :v)",
)  # fmt: skip
UPDATES = (
    "SET a = :v", "SET a = :v, b = :w", "SET n = n + :one", "SET n = if_not_exists(n, :one) + :one", "SET n = n - :one",
    "REMOVE a", "REMOVE a, b", "ADD n :one", "ADD c :set", "DELETE c :set", "SET a = :v REMOVE b ADD n :one",
    "SET b = a", "SET l = list_append(:list, :list)", "SET m.#x = :v", "SET m = :map", "SET #a = :v DELETE c :set",
    "SET pk = :v",
)  # fmt: skip
REFUSED = (
    "SET a = :v, a = :v",
    "SET m.x = :v, m = :v",
    "SET a :v",
    "REMOVE m.x",
    "REMOVE l[0]",
    "SET a = :v SET b = :v",
)
"""Updates that AWS refuses and the emulator does not."""
RANGES = (
    "", " AND sk = :sk", " AND sk < :sk", " AND sk <= :sk", " AND sk > :sk", " AND sk >= :sk",
    " AND sk BETWEEN :sk AND :last", " AND begins_with(sk, :sk)",
)  # fmt: skip


def outcome(call: Callable[..., Any], request: Request) -> Any:
    """Return the answer to a request, or the code of its error with the items in it."""
    try:
        answer = call(**request)
    except ServiceError as error:
        reasons: Any = error.response.get("CancellationReasons", [])
        told = [(each.get("Code"), ordered(each.get("Item"))) for each in reasons]
        return error.response["Error"]["Code"], ordered(error.response.get("Item")), told
    kept = ("Item", "Items", "Attributes", "Count", "ScannedCount", "LastEvaluatedKey", "UnprocessedKeys")
    found = {name: ordered(answer[name]) for name in kept if answer.get(name)}
    return found | {"Responses": ordered(list(answer.get("Responses", {}).values()))}  # the tables have other names


def ordered(value: Any) -> Any:
    """Sort sets and attributes, whose order does not matter, and turn the members of number sets into numbers."""
    if isinstance(value, dict):
        return {
            name: sorted(each) if name in ("SS", "BS") else sorted(map(float, each)) if name == "NS" else ordered(each)
            for name, each in sorted(value.items())
        }
    return [ordered(each) for each in value] if isinstance(value, list) else value


class Pair:
    """The emulator and the fake; `ask` holds one to the other."""

    def __init__(self, emulated: MessageTable, fake: MessageTable) -> None:
        self.tables = (emulated, fake)

    def ask(self, operation: str, request: Request) -> None:
        emulated, fake = (
            outcome(getattr(table.client, operation), self._named(operation, request, table.name))
            for table in self.tables
        )
        assert fake == emulated, (operation, request)

    def _named(self, operation: str, request: Request, name: str) -> Request:
        if operation == "transact_write_items":
            actions = [
                {kind: {"TableName": name, **each}} for action in request["actions"] for kind, each in action.items()
            ]
            return {"TransactItems": actions}
        if operation == "batch_get_item":
            return {"RequestItems": {name: request}}
        if operation == "batch_write_item":
            return {"RequestItems": {name: request["writes"]}}
        return {"TableName": name, **request}


@pytest.fixture
def pair(emulated_table: MessageTable, fake_table: MessageTable) -> Pair:
    return Pair(emulated_table, fake_table)


class Requests:
    """Requests at random, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def __iter__(self) -> Iterator[tuple[str, Request]]:
        kinds = (self.put, self.put, self.update, self.update, self.delete, self.transact, self.query, self.batch)
        while True:
            yield self.random.choice(kinds)()

    def item(self) -> dict[str, Any]:
        item = {**self.random.choice(KEYS), **self.random.choice(({}, {"n": {"N": "1"}}, {"m": VALUES[-1]}))}
        for name in self.random.sample(("a", "b"), self.random.randrange(3)):
            item[name] = self.random.choice(VALUES)
        if self.random.random() < 0.5:
            item |= {"inbox": {"S": "GRP#1"}, "last_message_at": {"S": self.random.choice(("2026-01", "2026-02"))}}
        return item

    def expressions(self, **expressions: str) -> Request:
        """Add the names and values that these expressions use."""
        values = {
            ":v": self.random.choice(VALUES), ":w": self.random.choice(VALUES), ":one": {"N": "1"}, ":t": {"S": "N"},
            ":set": self.random.choice(({"SS": ["a", "z"]}, {"NS": ["1"]})), ":list": {"L": [{"S": "b"}]},
            ":map": VALUES[-1], ":prefix": {"S": "2026"},
            ":sk": {"S": "2026-01"}, ":last": {"S": "2026-02"}, ":pk": {"S": "GRP#1"},
        }  # fmt: skip
        text = " ".join(expressions.values())
        words = {word.strip("(),.") for word in text.replace(".", " .").replace(".#", "#").replace("(", " ").split()}
        names = {"#a": "a", "#x": "x"}
        found: Request = {**expressions}
        if used := {name: value for name, value in values.items() if name in words}:
            found["ExpressionAttributeValues"] = used
        if named := {name: value for name, value in names.items() if name in text}:
            found["ExpressionAttributeNames"] = named
        return found

    def condition(self) -> dict[str, str]:
        return {"ConditionExpression": self.random.choice(CONDITIONS)} if self.random.random() < 0.7 else {}

    def put(self) -> tuple[str, Request]:
        return "put_item", {"Item": self.item(), **self.expressions(**self.condition()), **self.returned("ALL_OLD")}

    def update(self) -> tuple[str, Request]:
        how = self.expressions(UpdateExpression=self.random.choice(UPDATES), **self.condition())
        return "update_item", {"Key": self.random.choice(KEYS), **how, **self.returned("ALL_OLD", "ALL_NEW")}

    def delete(self) -> tuple[str, Request]:
        how = self.expressions(**self.condition())
        return "delete_item", {"Key": self.random.choice(KEYS), **how, **self.returned("ALL_OLD")}

    def returned(self, *kinds: str) -> Request:
        kind = self.random.choice(("NONE", *kinds))
        return {"ReturnValues": kind, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}

    def transact(self) -> tuple[str, Request]:
        actions = []
        for key in self.random.sample(KEYS, 3):
            how = self.expressions(**self.condition())
            failure = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
            update = self.expressions(UpdateExpression=self.random.choice(UPDATES[:1] + UPDATES[3:8]))
            actions.append(
                self.random.choice(
                    (
                        {"Put": {"Item": self.item() | key, **how, **failure}},
                        {"Update": {"Key": key, **update, **failure}},
                        {"Delete": {"Key": key, **how, **failure}},
                        {
                            "ConditionCheck": {
                                "Key": key,
                                **self.expressions(ConditionExpression=CONDITIONS[0]),
                                **failure,
                            }
                        },
                    )
                )
            )
        return "transact_write_items", {"actions": actions}

    def query(self) -> tuple[str, Request]:
        limit = {"Limit": self.random.randrange(1, 4)} if self.random.random() < 0.5 else {}
        forward = {"ScanIndexForward": self.random.random() < 0.5}
        if self.random.random() < 0.3:
            return "query", {
                "IndexName": "inbox-index",
                **self.expressions(KeyConditionExpression="inbox = :pk"),
                **forward,
            }
        keys = self.expressions(KeyConditionExpression=f"pk = :pk{self.random.choice(RANGES)}")
        return "query", {**keys, "ConsistentRead": True, **limit, **forward}

    def batch(self) -> tuple[str, Request]:
        if self.random.random() < 0.5:
            return "get_item", {"Key": self.random.choice(KEYS), "ConsistentRead": True}
        if self.random.random() < 0.5:
            return "batch_get_item", {"Keys": [self.random.choice(KEYS)], "ConsistentRead": True}
        return "batch_write_item", {"writes": [{"PutRequest": {"Item": self.item()}}]}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_random_requests_have_the_same_outcome(pair: Pair, seed: int) -> None:
    requests = iter(Requests(seed))
    for _ in range(250):
        pair.ask(*next(requests))

    contents = [
        sorted(map(repr, map(ordered, table.client.scan(TableName=table.name)["Items"]))) for table in pair.tables
    ]
    assert contents[0] == contents[1]


@pytest.mark.slow
@pytest.mark.parametrize("forward", [True, False])
def test_pages_are_the_same(pair: Pair, forward: bool) -> None:
    for number in range(7):
        pair.ask("put_item", {"Item": {"pk": {"S": "GRP#1"}, "sk": {"S": f"2026-{number}"}}})

    for limit in (1, 3, 7, 8):
        pages = [
            [
                [item["sk"]["S"] for item in page["Items"]]
                for page in table.client.get_paginator("query").paginate(
                    TableName=table.name, KeyConditionExpression="pk = :pk", ScanIndexForward=forward,
                    ExpressionAttributeValues={":pk": {"S": "GRP#1"}}, PaginationConfig={"PageSize": limit},
                )
                if page["Items"]
            ]
            for table in pair.tables
        ]  # fmt: skip
        assert pages[0] == pages[1], limit


@pytest.mark.parametrize("update", REFUSED)
def test_updates_that_the_emulator_lets_pass_are_refused(fake_table: MessageTable, update: str) -> None:
    values: Any = {"ExpressionAttributeValues": {":v": {"S": "b"}}} if ":v" in update else {}

    with pytest.raises(ServiceError, match="ValidationException"):
        fake_table.client.update_item(TableName=fake_table.name, Key=KEYS[0], UpdateExpression=update, **values)


def test_values_and_names_are_all_used_and_all_defined(fake_table: MessageTable) -> None:
    for values in ({}, {":v": {"S": "b"}, ":w": {"S": "b"}}):
        given: Any = {"ExpressionAttributeValues": values} if values else {}
        with pytest.raises(ServiceError, match="ValidationException"):
            fake_table.client.update_item(
                TableName=fake_table.name, Key=KEYS[0], UpdateExpression="SET a = :v", **given
            )
