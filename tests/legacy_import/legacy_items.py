"""The old system, as far as its table shows it: its keys, its times, its calls, and everything that went wrong there.

Made after docs/defects.md and the old layout's description in `legacy_import.legacy_items`, not with its functions:
what reads the old table must not have written it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

from messaging.dynamodb.table import MessageTable

GROUP_INDEX = "message-group-sk-index"
THERE = timezone(-timedelta(hours=5))
"""Where some of its servers stood."""


@dataclass(frozen=True, slots=True)
class OldUser:
    """A row of its users table."""

    handle: str
    display_name: str
    email: str = ""
    cognito_user_id: str = "MOCK"
    bio: str = ""
    created_at: str = "2023-02-01 12:00:00.123456"
    uuid: UUID = field(default_factory=uuid4)

    @property
    def row(self) -> dict[str, str]:
        names = ("handle", "display_name", "email", "cognito_user_id", "bio", "created_at")
        return {"uuid": str(self.uuid), **{name: getattr(self, name) for name in names}}


# How the same moment was written by different parts of it.
def with_offset(moment: datetime) -> str:
    return moment.astimezone(THERE).isoformat()


def in_utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def without_zone(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat()


def with_a_z(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class OldSystem:
    """Writes as the old system wrote. What it acknowledged and stored is in the table, nothing is kept here."""

    table: MessageTable
    name: str

    def create(self) -> None:
        self.table.client.create_table(
            TableName=self.name,
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "message_group_uuid")
            ],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": GROUP_INDEX,
                    "KeySchema": [
                        {"AttributeName": "message_group_uuid", "KeyType": "HASH"},
                        {"AttributeName": "sk", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                    "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
                }
            ],
            ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
            BillingMode="PROVISIONED",
        )

    def drop(self) -> None:
        self.table.client.delete_table(TableName=self.name)

    def put(self, **attributes: str) -> None:
        """Put an item of string attributes, replacing any with its key."""
        self.table.client.put_item(TableName=self.name, Item={name: {"S": text} for name, text in attributes.items()})

    def items(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for page in self.table.client.get_paginator("scan").paginate(TableName=self.name, ConsistentRead=True):
            found += page["Items"]
        return sorted(found, key=lambda item: (item["pk"]["S"], item["sk"]["S"]))

    # --- What it did --------------------------------------------------------------------------------------------------

    def starts(self, by: OldUser, to: OldUser, text: str, sk: str, *, lost: Iterable[str] = (), group: str = "") -> str:
        """Start a new group with a message to a handle, by one BatchWriteItem of three puts; return its uuid.

        `lost` names the puts ("message", "own", "other") that are dropped: the old code ignored unprocessed items.
        """
        group = group or str(uuid4())
        if "message" not in lost:
            self.says(by, group, text, sk)
        if "own" not in lost:
            self.lists(by, to, group, text, sk)
        if "other" not in lost:
            self.lists(to, by, group, text, sk)
        return group

    def says(self, by: OldUser, group: str, text: str, sk: str, *, message_uuid: str = "") -> None:
        """Write a message into a group.

        The old code did not check membership and overwrote a message of the same microsecond.
        """
        self.put(
            pk=f"MSG#{group}",
            sk=sk,
            message=text,
            message_uuid=message_uuid or str(uuid4()),
            user_uuid=str(by.uuid),
            user_display_name=by.display_name,
            user_handle=by.handle,
        )

    def lists(self, owner: OldUser, other: OldUser, group: str, text: str, sk: str) -> None:
        """Write an entry of somebody's list, with the other's names copied in."""
        self.put(
            pk=f"GRP#{owner.uuid}",
            sk=sk,
            message_group_uuid=group,
            message=text,
            user_uuid=str(other.uuid),
            user_display_name=other.display_name,
            user_handle=other.handle,
        )

    def moves(self, group: str, text: str, sk: str, *, crash: bool = False, index_lags: bool = False) -> None:
        """Run the stream's function after a message: it deletes each entry and puts it again at the message's time.

        With `crash` it dies between the two; where the index lags, it leaves the old entry and adds another.
        """
        lines = self.table.client.query(
            TableName=self.name,
            IndexName=GROUP_INDEX,
            KeyConditionExpression="message_group_uuid = :group",
            ExpressionAttributeValues={":group": {"S": group}},
        )["Items"]
        for line in lines:
            if not index_lags:
                self.table.client.delete_item(TableName=self.name, Key={"pk": line["pk"], "sk": line["sk"]})
            if crash:
                return
            moved: Any = {**line, "sk": {"S": sk}, "message": {"S": text}}
            self.table.client.put_item(TableName=self.name, Item=moved)
