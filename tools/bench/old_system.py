"""The access patterns of the old messaging system, for comparison.

Rewritten from its description: `pk` and `sk`, one index over the group, items as below, and a stream function that
deletes and puts each member's entry. It checks no membership, stores repeated sends twice, and finds only this year.

| item    | pk            | sk                       |
| ------- | ------------- | ------------------------ |
| message | MSG#<group>   | created_at               |
| entry   | GRP#<user>    | time of the last message |
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import boto3  # noqa: TID251 - it made a client on every request, in boto3's own session

from cruddur.net import loopback_credentials
from messaging.dynamodb.table_definition import GROUP_INDEX, KEY_SCHEMA

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

TABLE = "old-messages"
INDEXES: dict[str, dict[str, Any]] = {
    GROUP_INDEX: {
        "KeySchema": [
            {"AttributeName": "message_group_uuid", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        "Projection": {"ProjectionType": "ALL"},
    }
}
PAGE_SIZE = 20
BATCH = 25
Item = dict[str, Any]


def client_as_it_did(endpoint_url: str, region: str) -> Callable[[], DynamoDBClient]:
    """Return a function that creates a client, as each request of the old system did."""
    session = boto3.session.Session(**loopback_credentials(endpoint_url))
    return lambda: session.client("dynamodb", endpoint_url=endpoint_url, region_name=region)


@dataclass(frozen=True, slots=True)
class OldPerson:
    """A person; name and handle are copied into items."""

    uuid: UUID
    display_name: str
    handle: str


@dataclass(frozen=True, slots=True)
class OldSystem:
    """The old system's service calls. `connect` returns the client of a request."""

    connect: Callable[[], DynamoDBClient]
    name: str = TABLE

    def create_table(self, *, stream: bool = True) -> None:
        """Create the table.

        Timed runs set `stream` off: at each write DynamoDB Local scans other tables' records too.
        """
        keys = ("pk", "sk", "message_group_uuid")
        definition: dict[str, Any] = {
            "TableName": self.name,
            "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in keys],
            "KeySchema": KEY_SCHEMA,
            "GlobalSecondaryIndexes": [{"IndexName": name, **index} for name, index in INDEXES.items()],
            "BillingMode": "PAY_PER_REQUEST",
        }
        if stream:
            definition["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
        self.connect().create_table(**definition)

    def messages(self, group_uuid: UUID) -> list[dict[str, str]]:
        """Run pattern A: list the newest messages of this year, without checking membership."""
        return [
            {name: item[name]["S"] for name in ("message_uuid", "user_display_name", "user_handle", "message", "sk")}
            for item in reversed(self._of_this_year(f"MSG#{group_uuid}"))
        ]

    def conversations(self, user_uuid: UUID) -> list[dict[str, str]]:
        """Run pattern B: list the person's newest conversations of this year."""
        names = ("message_group_uuid", "user_display_name", "user_handle", "message", "sk")
        return [{name: item[name]["S"] for name in names} for item in self._of_this_year(f"GRP#{user_uuid}")]

    def send(self, group_uuid: UUID, sender: OldPerson, text: str, *, at: str | None = None) -> Item:
        """Run pattern C: send a message into a group; return its item as the stream shows it."""
        item = message_item(group_uuid, sender, text, at or now())
        self.connect().put_item(TableName=self.name, Item=item)
        return item

    def start(self, sender: OldPerson, other: OldPerson, text: str) -> UUID:
        """Run pattern D: write a message and two entries in one non-atomic batch; return the new group."""
        group_uuid, at = uuid4(), now()
        new = [
            message_item(group_uuid, sender, text, at),
            entry_item(sender.uuid, other, group_uuid, text, at),
            entry_item(other.uuid, sender, group_uuid, text, at),
        ]
        requests: Any = {self.name: [{"PutRequest": {"Item": item}} for item in new]}
        self.connect().batch_write_item(RequestItems=requests)
        return group_uuid

    def move_entries(self, image: Item) -> None:
        """Run pattern E: what the stream's function did for one new message."""
        client = self.connect()
        found = client.query(
            TableName=self.name,
            IndexName=GROUP_INDEX,
            KeyConditionExpression="message_group_uuid = :group",
            ExpressionAttributeValues={":group": {"S": image["pk"]["S"].removeprefix("MSG#")}},
        )["Items"]
        for entry in found:
            client.delete_item(TableName=self.name, Key={"pk": entry["pk"], "sk": entry["sk"]})
            client.put_item(TableName=self.name, Item=entry | {"sk": image["sk"], "message": image["message"]})

    def put_all(self, items: Iterable[Item]) -> None:
        """Write items in bulk, for something to measure."""
        client, waiting = self.connect(), list(items)
        for start in range(0, len(waiting), BATCH):
            batch: Any = {self.name: [{"PutRequest": {"Item": item}} for item in waiting[start : start + BATCH]]}
            while batch:
                batch = client.batch_write_item(RequestItems=batch).get("UnprocessedItems")

    def _of_this_year(self, pk: str) -> list[Item]:
        return self.connect().query(
            TableName=self.name,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :year)",
            ExpressionAttributeValues={":pk": {"S": pk}, ":year": {"S": now()[:4]}},
            ScanIndexForward=False,
            Limit=PAGE_SIZE,
        )["Items"]


def message_item(group_uuid: UUID, sender: OldPerson, text: str, at: str) -> Item:
    return {
        "pk": {"S": f"MSG#{group_uuid}"},
        "sk": {"S": at},
        "message": {"S": text},
        "message_uuid": {"S": str(uuid4())},
        "user_uuid": {"S": str(sender.uuid)},
        "user_display_name": {"S": sender.display_name},
        "user_handle": {"S": sender.handle},
    }


def entry_item(owner: UUID, other: OldPerson, group_uuid: UUID, text: str, at: str) -> Item:
    return {
        "pk": {"S": f"GRP#{owner}"},
        "sk": {"S": at},
        "message_group_uuid": {"S": str(group_uuid)},
        "message": {"S": text},
        "user_uuid": {"S": str(other.uuid)},
        "user_display_name": {"S": other.display_name},
        "user_handle": {"S": other.handle},
    }


def now() -> str:
    return datetime.now(UTC).isoformat()


def as_answer(rows: object) -> bytes:
    """Return a response's JSON."""
    return json.dumps(rows).encode()
