"""The table's definition and what brings a table to it, on moto and on the emulator."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.management import CommandError

from messaging.dynamodb.client import AwsProblem
from messaging.dynamodb.schema import SchemaRefused, describe, load_schema, stream_arn
from messaging.dynamodb.schema_differences import differences
from messaging.dynamodb.table import MessageTable
from messaging.dynamodb.table_definition import INBOX_ATTRIBUTES, INDEXES, STREAM, table_definition
from messaging.operations.readiness import REFUSED, Part, Readiness
from tests.messaging.command_runs import run


def load(table: MessageTable, **how: Any) -> list[str]:
    return list(load_schema(table, sleep=lambda _: None, **how))


@pytest.fixture
def no_table(moto_table: MessageTable) -> MessageTable:
    moto_table.client.delete_table(TableName=moto_table.name)
    return moto_table


def test_it_creates_the_table_as_the_original_has_it(moto_table: MessageTable) -> None:
    made = describe(moto_table)

    assert made is not None
    assert made["KeySchema"] == [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ]
    assert (
        made["ProvisionedThroughput"]["ReadCapacityUnits"],
        made["ProvisionedThroughput"]["WriteCapacityUnits"],
    ) == (5, 5)
    assert {index["IndexName"] for index in made["GlobalSecondaryIndexes"]} == {"inbox-index", "message-group-sk-index"}
    assert made["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}


def test_existing_schema_is_reported_and_unchanged(moto_table: MessageTable) -> None:
    before = describe(moto_table)

    said = load(moto_table)

    assert [sentence for sentence in said if "exists" in sentence] == [
        f"Table {moto_table.name} exists",
        "Index inbox-index exists",
        "Index message-group-sk-index exists",
        "Stream exists",
    ]
    assert describe(moto_table) == before


@pytest.mark.parametrize("missing", INDEXES)
def test_missing_index_is_added(no_table: MessageTable, missing: str) -> None:
    definition = table_definition(no_table.name, on_demand=False)
    definition["GlobalSecondaryIndexes"] = [
        index for index in definition["GlobalSecondaryIndexes"] if index["IndexName"] != missing
    ]
    keys = {each["AttributeName"] for index in definition["GlobalSecondaryIndexes"] for each in index["KeySchema"]}
    definition["AttributeDefinitions"] = [
        each for each in definition["AttributeDefinitions"] if each["AttributeName"] in {"pk", "sk", *keys}
    ]
    no_table.client.create_table(**definition)

    assert f"Adding index {missing}" in load(no_table)

    made = describe(no_table)
    assert made is not None
    assert {index["IndexName"] for index in made["GlobalSecondaryIndexes"]} == set(INDEXES)


def test_missing_stream_is_added(no_table: MessageTable) -> None:
    definition = table_definition(no_table.name, on_demand=False)
    del definition["StreamSpecification"]
    no_table.client.create_table(**definition)
    with pytest.raises(AwsProblem, match="has no stream"):
        stream_arn(no_table)

    assert "Adding the stream" in load(no_table)
    assert no_table.name in stream_arn(no_table)


def test_it_makes_the_table_on_demand_or_switches_it(no_table: MessageTable) -> None:
    load(no_table)

    assert "Switching to payment per request" in load(no_table, on_demand=True)
    made = describe(no_table)
    assert made is not None
    assert made["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert "Billing: per request" in load(no_table)


# --- What differs -----------------------------------------------------------------------------------------------------

Definition = dict[str, Any]


def _types(**types: str) -> Callable[[Definition], None]:
    def change(definition: Definition) -> None:
        for each in definition["AttributeDefinitions"]:
            each["AttributeType"] = types.get(each["AttributeName"], each["AttributeType"])

    return change


def _of_index(name: str, **changes: Any) -> Callable[[Definition], None]:
    def change(definition: Definition) -> None:
        for index in definition["GlobalSecondaryIndexes"]:
            if index["IndexName"] == name:
                index.update(changes)

    return change


def _swapped_keys(definition: Definition) -> None:
    definition["KeySchema"] = _schema("sk", "pk")


def _stream(view: str) -> Callable[[Definition], None]:
    def change(definition: Definition) -> None:
        definition["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": view}

    return change


def _schema(first: str, second: str) -> list[dict[str, str]]:
    return [{"AttributeName": first, "KeyType": "HASH"}, {"AttributeName": second, "KeyType": "RANGE"}]


def _include(*names: str) -> dict[str, Any]:
    return {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(names)}


INBOX, GROUP = "inbox-index", "message-group-sk-index"
OF_THE_TABLE = {
    "keys in the wrong roles": (
        _swapped_keys,
        "the table has the keys sk (HASH) and pk (RANGE), not pk (HASH) and sk (RANGE)",
    ),
    "a sort key that is a number": (_types(sk="N"), "the table has a key sk that is a Number, not a String"),
    "a partition key that is binary": (_types(pk="B"), "the table has a key pk that is Binary, not a String"),
}
OF_A_PART = {
    "an index key that is a number": (
        _types(last_message_at="N"),
        "index inbox-index has a key last_message_at that is a Number, not a String",
    ),
    "index keys in the wrong roles": (
        _of_index(INBOX, KeySchema=_schema("last_message_at", "inbox")),
        "index inbox-index has the keys last_message_at (HASH) and inbox (RANGE), not inbox (HASH) and last_message_at "
        "(RANGE)",
    ),
    "another projection": (
        _of_index(INBOX, Projection={"ProjectionType": "KEYS_ONLY"}),
        "index inbox-index projects KEYS_ONLY, not INCLUDE",
    ),
    "all attributes": (
        _of_index(GROUP, Projection={"ProjectionType": "ALL"}),
        "index message-group-sk-index projects ALL, not KEYS_ONLY",
    ),
    "an attribute too few": (
        _of_index(INBOX, Projection=_include(*INBOX_ATTRIBUTES[:-1])),
        "index inbox-index does not project muted_until",
    ),
    "an attribute too many": (
        _of_index(INBOX, Projection=_include(*INBOX_ATTRIBUTES, "version")),
        "index inbox-index also projects version, which costs read and write units",
    ),
    "another stream": (_stream("KEYS_ONLY"), "the stream has the view KEYS_ONLY, not NEW_AND_OLD_IMAGES"),
}
DIFFERENCES = OF_THE_TABLE | OF_A_PART


def create(table: MessageTable, *changes: Callable[[Definition], None]) -> None:
    definition = copy.deepcopy(table_definition(table.name, on_demand=False))
    for change in changes:
        change(definition)
    table.client.create_table(**definition)


@pytest.fixture
def no_table_anywhere(either_table: MessageTable) -> Iterator[MessageTable]:
    """Name a table that does not exist, first on moto, then on the emulator."""
    either_table.client.delete_table(TableName=either_table.name)
    yield either_table
    if describe(either_table) is None:
        load(either_table)


@pytest.mark.parametrize("difference", DIFFERENCES)
def test_it_names_what_differs_and_the_way_out_and_changes_nothing(
    no_table_anywhere: MessageTable, difference: str
) -> None:
    change, what = DIFFERENCES[difference]
    create(no_table_anywhere, change)
    before = describe(no_table_anywhere)

    with pytest.raises(SchemaRefused) as caught:
        load(no_table_anywhere)

    message = str(caught.value)
    start = f"DynamoDB cannot change this of {no_table_anywhere.name}: {what}"
    assert message.startswith((f"{start}. ", f"{start}; "))
    assert ("--replace" in message) == (difference in OF_A_PART)
    assert ("drop this table" in message) == (difference in OF_THE_TABLE)
    assert describe(no_table_anywhere) == before


@pytest.mark.parametrize("difference", [each for each in OF_A_PART if each != "another stream"])
def test_replace_makes_an_index_that_differs_again(no_table_anywhere: MessageTable, difference: str) -> None:
    change, what = OF_A_PART[difference]
    create(no_table_anywhere, change)

    said = load(no_table_anywhere, replace=True)

    assert f"Deleting index {what.split()[1]}, which differs" in said
    assert_is_as_defined(no_table_anywhere)


def test_replace_makes_a_stream_that_differs_again(table: MessageTable) -> None:
    # moto never enables a stream twice.
    table.client.delete_table(TableName=table.name)
    create(table, OF_A_PART["another stream"][0])

    said = load(table, replace=True)

    assert "Deleting the stream, which differs" in said
    assert said[-1] == "Adding the stream"
    assert_is_as_defined(table)


def assert_is_as_defined(table: MessageTable) -> None:
    made = describe(table)
    assert made is not None
    assert differences(made) == []
    assert {index["IndexName"] for index in made["GlobalSecondaryIndexes"]} == set(INDEXES)
    assert made["StreamSpecification"] == STREAM


def test_replace_does_not_touch_the_keys_of_a_table(no_table: MessageTable) -> None:
    create(no_table, _types(sk="N"), _stream("KEYS_ONLY"))
    before = describe(no_table)

    with pytest.raises(SchemaRefused, match="a key sk that is a Number"):
        load(no_table, replace=True)
    assert describe(no_table) == before


def test_all_differences_are_listed_together(no_table: MessageTable) -> None:
    create(no_table, *(change for change, _ in (OF_A_PART["another stream"], OF_A_PART["an attribute too few"])))

    with pytest.raises(SchemaRefused) as caught:
        load(no_table)
    assert "does not project muted_until; the stream has the view KEYS_ONLY" in str(caught.value)


def test_the_command_ends_with_1_and_replaces_when_asked(no_table: MessageTable, db: None) -> None:
    create(no_table, OF_A_PART["an attribute too few"][0])

    for command in (["ddb_schema_load"], ["setup", "--only", "table"]):
        with pytest.raises(CommandError, match="does not project muted_until") as caught:
            run(*command)
        assert caught.value.returncode == 1
    assert "is as it should be" in run("ddb_schema_load", "--replace")[0]
    assert "is as it should be" in run("ddb_schema_load")[0]


def test_it_tells_of_capacity_that_does_not_fit_and_of_indexes_that_are_not_used(no_table: MessageTable) -> None:
    def add_index(definition: Definition) -> None:
        definition["AttributeDefinitions"].append({"AttributeName": "message", "AttributeType": "S"})
        definition["GlobalSecondaryIndexes"].append(
            {
                "IndexName": "theirs",
                "KeySchema": _schema("message", "sk"),
                "Projection": {"ProjectionType": "KEYS_ONLY"},
                "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
            }
        )

    few = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 2}
    create(no_table, add_index, _of_index(INBOX, ProvisionedThroughput=few))

    said = load(no_table)

    assert any(each.startswith("Index inbox-index has 1 read and 2 write units, the table 5 and 5") for each in said)
    assert "Index theirs is not used here and costs write units; it stays" in said


def test_a_process_on_a_table_with_other_key_types_is_not_ready(table: MessageTable) -> None:
    table.client.delete_table(TableName=table.name)
    create(table, _types(sk="N"))

    assert Readiness((Part("dynamodb", table.answer),)).look()["dynamodb"].state == REFUSED


def test_missing_table_is_reported_as_none(no_table: MessageTable) -> None:
    assert describe(no_table) is None
    with pytest.raises(AwsProblem, match="does not exist"):
        stream_arn(no_table)
