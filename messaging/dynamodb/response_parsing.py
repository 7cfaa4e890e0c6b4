"""Answers that are full of items, taken as the JSON they are. Knows no Django.

botocore walks each value of an answer by the service's model, which for items changes nothing but bytes and times: of
1.0 ms of a processor that a page of twenty messages takes it, that is 0.6.
"""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from .codec import attributes_from_json

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodbstreams import DynamoDBStreamsClient

FULL_OF_ITEMS = ("BatchGetItem", "GetItem", "Query", "Scan", "UpdateItem")


def take_items_as_they_are(client: DynamoDBClient) -> None:
    """Have the client do so with every answer of these operations that is a success; the rest stays botocore's."""
    for operation in FULL_OF_ITEMS:
        client.meta.events.register(f"before-parse.dynamodb.{operation}", _take_items)


def take_records_as_they_are(streams: DynamoDBStreamsClient) -> None:
    """Likewise with what GetRecords answers."""
    streams.meta.events.register("before-parse.dynamodb-streams.GetRecords", _take_records)


def _take_items(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    if response_dict["status_code"] == HTTPStatus.OK:
        customized_response_dict.update(attributes_from_json(response_dict["body"]))
        response_dict["body"] = b"{}"  # Nothing is left to botocore but the headers.


def _take_records(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    _take_items(response_dict, customized_response_dict)
    for record in customized_response_dict.get("Records", ()):
        said = record["dynamodb"]
        if "ApproximateCreationDateTime" in said:
            said["ApproximateCreationDateTime"] = datetime.fromtimestamp(said["ApproximateCreationDateTime"], UTC)
