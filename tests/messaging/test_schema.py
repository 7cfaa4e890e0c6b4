"""The table's definition and what brings a table to it, on moto, which knows all of UpdateTable that is used."""

from typing import Any

import pytest

from messaging.aws import AwsProblem
from messaging.dynamodb import MessageTable
from messaging.operations.schema import SchemaRefused, describe, load_schema, stream_arn
from messaging.table import INDEXES, table_definition


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


def test_it_says_what_exists_and_changes_nothing(moto_table: MessageTable) -> None:
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
def test_it_adds_a_missing_index(no_table: MessageTable, missing: str) -> None:
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


def test_it_adds_a_missing_stream(no_table: MessageTable) -> None:
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


@pytest.mark.parametrize("change", ["keys", "index", "projection", "stream"])
def test_it_refuses_what_it_cannot_change(no_table: MessageTable, change: str) -> None:
    definition = table_definition(no_table.name, on_demand=False)
    index = definition["GlobalSecondaryIndexes"][0] = dict(definition["GlobalSecondaryIndexes"][0])
    if change == "keys":
        definition["KeySchema"] = [
            {"AttributeName": "sk", "KeyType": "HASH"},
            {"AttributeName": "pk", "KeyType": "RANGE"},
        ]
    elif change == "index":
        index["KeySchema"] = [
            {"AttributeName": "last_message_at", "KeyType": "HASH"},
            {"AttributeName": "inbox", "KeyType": "RANGE"},
        ]
    elif change == "projection":
        index["Projection"] = {"ProjectionType": "KEYS_ONLY"}
    else:
        definition["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    no_table.client.create_table(**definition)
    before = describe(no_table)

    with pytest.raises(SchemaRefused):
        load(no_table)
    assert describe(no_table) == before


def test_no_table_is_said_to_be_none(no_table: MessageTable) -> None:
    assert describe(no_table) is None
    with pytest.raises(AwsProblem, match="does not exist"):
        stream_arn(no_table)
