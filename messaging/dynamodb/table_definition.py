"""The definition of the table, in one place: what CreateTable is given and DescribeTable compared with."""

from __future__ import annotations

from typing import Any

INBOX_INDEX = "inbox-index"
GROUP_INDEX = "message-group-sk-index"
# Five of each, as the original has: within AWS's free tier of 25 with both indexes.
THROUGHPUT = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}

KEY_ATTRIBUTES = ("pk", "sk", "inbox", "last_message_at", "message_group_uuid")

# What a line in the list shows. All attributes would make twenty of them cost 1.5 read units instead of 1.
INBOX_ATTRIBUTES = ["member_uuids", "message", "last_user_uuid", "last_seq", "sent_seq", "read_seq", "muted_until"]

INDEXES: dict[str, dict[str, Any]] = {
    INBOX_INDEX: {
        "KeySchema": [
            {"AttributeName": "inbox", "KeyType": "HASH"},
            {"AttributeName": "last_message_at", "KeyType": "RANGE"},
        ],
        "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": INBOX_ATTRIBUTES},
    },
    GROUP_INDEX: {
        "KeySchema": [
            {"AttributeName": "message_group_uuid", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    },
}
KEY_SCHEMA = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
STREAM = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}


def attribute_definitions() -> list[dict[str, str]]:
    return [{"AttributeName": name, "AttributeType": "S"} for name in KEY_ATTRIBUTES]


def index_definition(name: str, *, on_demand: bool) -> dict[str, Any]:
    """An index as CreateTable and UpdateTable take it; raises KeyError for an unknown one."""
    throughput = {} if on_demand else {"ProvisionedThroughput": THROUGHPUT}
    return {"IndexName": name, **INDEXES[name], **throughput}


def table_definition(name: str, *, on_demand: bool) -> dict[str, Any]:
    """The keyword arguments of CreateTable."""
    billing: dict[str, Any] = (
        {"BillingMode": "PAY_PER_REQUEST"}
        if on_demand
        else {"BillingMode": "PROVISIONED", "ProvisionedThroughput": THROUGHPUT}
    )
    return {
        "TableName": name,
        "AttributeDefinitions": attribute_definitions(),
        "KeySchema": KEY_SCHEMA,
        "GlobalSecondaryIndexes": [index_definition(index, on_demand=on_demand) for index in INDEXES],
        "StreamSpecification": STREAM,
        **billing,
    }
