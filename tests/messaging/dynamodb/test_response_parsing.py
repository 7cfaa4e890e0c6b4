"""Answers that are taken as the JSON they are say what botocore would have made of them."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3  # noqa: TID251 - beside which ours is held
import pytest
from botocore.awsrequest import AWSResponse  # noqa: TID251 - what a server sends
from botocore.exceptions import ClientError  # noqa: TID251 - what botocore itself raises
from hypothesis import given
from hypothesis import strategies as st

from messaging.dynamodb.client import FULL_OF_ITEMS, take_items_as_they_are, take_records_as_they_are

KEY = {"pk": {"S": "x"}, "sk": {"S": "y"}}
ASKED: dict[str, dict[str, Any]] = {
    "BatchGetItem": {"RequestItems": {"table": {"Keys": [KEY]}}},
    "GetItem": {"TableName": "table", "Key": KEY},
    "Query": {"TableName": "table"},
    "Scan": {"TableName": "table"},
    "UpdateItem": {"TableName": "table", "Key": KEY},
}
HEADERS: Any = {"x-amzn-requestid": "id"}
CONSUMED = {"TableName": "table", "CapacityUnits": 0.5}

names = st.sampled_from(["B", "BS", "S", "N", "M", "L", "pk", "message"]) | st.text(min_size=1, max_size=4)
encoded = st.binary(max_size=6).map(lambda content: base64.b64encode(content).decode())
scalars = (
    st.fixed_dictionaries({"S": st.text(max_size=6)})
    | st.fixed_dictionaries({"N": st.integers().map(str)})
    | st.fixed_dictionaries({"B": encoded})
    | st.fixed_dictionaries({"BOOL": st.booleans()})
    | st.fixed_dictionaries({"NULL": st.just(True)})
    | st.fixed_dictionaries({"SS": st.lists(st.text(max_size=4), min_size=1, max_size=3)})
    | st.fixed_dictionaries({"BS": st.lists(encoded, min_size=1, max_size=3)})
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.fixed_dictionaries({"L": st.lists(inner, max_size=3)})
        | st.fixed_dictionaries({"M": st.dictionaries(names, inner, max_size=3)})
    ),
    max_leaves=8,
)
items = st.dictionaries(names, values, max_size=5)


class Body:
    """What urllib3 would have received."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def stream(self) -> list[bytes]:
        return [self.content]


@cache
def client_of(service: str, *, plain: bool) -> Any:
    """Return a client without a server; `plain` returns botocore's own."""
    session = boto3.session.Session(aws_access_key_id="x", aws_secret_access_key="x")
    client: Any = session.client(service, region_name="us-east-1", endpoint_url="http://127.0.0.1:1")  # type: ignore[call-overload]
    if not plain:
        (take_items_as_they_are if service == "dynamodb" else take_records_as_they_are)(client)
    return client


def asked(service: str, operation: str, answer: dict[str, Any], *, status: int = 200, plain: bool = False) -> Any:
    """Return what a client makes of this answer of a server."""
    client = client_of(service, plain=plain)
    body = json.dumps(answer).encode()

    def answered(request: Any, **_: Any) -> AWSResponse:
        return AWSResponse(request.url, status, HEADERS, Body(body))

    method = next(name for name, its in client.meta.method_to_api_mapping.items() if its == operation)
    client.meta.events.register("before-send", answered)
    try:
        return getattr(client, method)(**ASKED.get(operation, {"ShardIterator": "x"}))
    finally:
        client.meta.events.unregister("before-send", answered)


def answer_of(operation: str, item: dict[str, Any]) -> dict[str, Any]:
    match operation:
        case "GetItem":
            return {"Item": item, "ConsumedCapacity": CONSUMED}
        case "UpdateItem":
            return {"Attributes": item, "ConsumedCapacity": CONSUMED}
        case "BatchGetItem":
            return {"Responses": {"table": [item, item]}, "UnprocessedKeys": {}, "ConsumedCapacity": [CONSUMED]}
    return {"Items": [item, KEY], "Count": 2, "ScannedCount": 2, "LastEvaluatedKey": KEY, "ConsumedCapacity": CONSUMED}


@pytest.mark.parametrize("operation", FULL_OF_ITEMS)
def test_any_item_is_read_as_botocore_reads_it(operation: str) -> None:
    @given(items)
    def as_botocore(item: dict[str, Any]) -> None:
        answer = answer_of(operation, item)
        assert asked("dynamodb", operation, answer) == asked("dynamodb", operation, answer, plain=True)

    as_botocore()


@given(items)
def test_any_record_is_read_as_botocore_reads_it(item: dict[str, Any]) -> None:
    said = {"Keys": KEY, "NewImage": item, "SequenceNumber": "1", "ApproximateCreationDateTime": 1763769600.0}
    record = {"eventID": "1", "eventName": "MODIFY", "dynamodb": said}
    answer = {"Records": [record, {"dynamodb": {"Keys": KEY}}], "NextShardIterator": "next"}

    found = asked("dynamodbstreams", "GetRecords", answer)

    assert found == asked("dynamodbstreams", "GetRecords", answer, plain=True)
    assert found["Records"][0]["dynamodb"]["ApproximateCreationDateTime"] == datetime(2025, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize("operation", FULL_OF_ITEMS)
def test_rejected_request_is_an_error_with_its_message(operation: str) -> None:
    refusal = {"__type": "com.amazonaws#ConditionalCheckFailedException", "message": "no", "Item": {"a": {"B": "QQ=="}}}

    with pytest.raises(ClientError) as found:
        asked("dynamodb", operation, refusal, status=400)

    assert found.value.response["Error"] == {"Code": "ConditionalCheckFailedException", "Message": "no"}
    with pytest.raises(ClientError) as plain:
        asked("dynamodb", operation, refusal, status=400, plain=True)
    assert found.value.response == plain.value.response


def test_response_without_records_is_empty() -> None:
    assert asked("dynamodbstreams", "GetRecords", {"Records": []})["Records"] == []
    with pytest.raises(ClientError):
        asked("dynamodbstreams", "GetRecords", {"__type": "ExpiredIteratorException"}, status=400)
