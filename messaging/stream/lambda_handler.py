"""Project the table's stream as an AWS Lambda function. Shares the projection with the worker; does not use Django.

Event source mapping: `FunctionResponseTypes: [ReportBatchItemFailures]`. Environment: DDB_MESSAGE_TABLE. Lambda sets
AWS_REGION and the credentials.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger

from cruddur.environment import Environment, Misconfigured
from messaging.dynamodb.client import Unavailable, connect
from messaging.dynamodb.codec import attributes_from_json
from messaging.dynamodb.malformed import MalformedItem
from messaging.dynamodb.table import MessageTable

from .projection import Change, changes, project

VARIABLES_READ = ("AWS_REGION", "AWS_ENDPOINT_URL_DYNAMODB", "DDB_MESSAGE_TABLE")
# One JSON object per line, for CloudWatch Logs Insights. Never log the event itself: it contains messages.
logger = Logger(service="cruddur-stream", log_uncaught_exceptions=False)


def handler(event: Mapping[str, Any], context: object) -> dict[str, list[dict[str, str]]]:
    """Project a batch of stream records; return Lambda's partial batch response.

    The response names the lowest sequence number whose conversation could not be projected. Lambda delivers again from
    there; applying the later records twice is harmless. Raises Misconfigured before projecting anything when a variable
    is missing or malformed; the log names the variable.
    """
    logger.append_keys(function_request_id=getattr(context, "aws_request_id", "-"))
    records: Sequence[Mapping[str, Any]] = event["Records"]
    table = _configured_table()
    found = changes(_decoded_record(record) for record in records)
    moved, failed = 0, list[Change]()
    for change in found:
        try:
            moved += project(table, [change.conversation])
        except Exception as error:  # noqa: BLE001 - whatever the error is, the rest of the batch must go on
            failed.append(change)
            _tell(change, error)
    counts: dict[str, object] = {
        "records": len(records),
        "conversations": len(found),
        "entries_moved": moved,
        "failed": len(failed),
    }
    # The web's request ids: they link a request to the batch in which its write was projected.
    asked_by: dict[str, object] = {"request_ids": [request_id for change in found for request_id in change.request_ids]}
    logger.info("batch projected", extra=counts | asked_by)
    lowest = sorted((change.sequence_number for change in failed), key=int)[:1]
    return {"batchItemFailures": [{"itemIdentifier": number} for number in lowest]}


def _configured_table() -> MessageTable:
    try:
        return message_table()
    except Misconfigured as problem:
        logger.error(str(problem))  # noqa: TRY400 - the sentence needs no traceback
        raise


@cache
def message_table() -> MessageTable:
    """Return the table, connected once for all invocations of this process. Raises Misconfigured."""
    env = Environment(os.environ, VARIABLES_READ)
    client = connect(endpoint_url=env.text("AWS_ENDPOINT_URL_DYNAMODB") or None, region=env.required("AWS_REGION"))
    return MessageTable(client, env.required("DDB_MESSAGE_TABLE"))


def _tell(change: Change, error: Exception) -> None:
    # Log neither the error's text nor a traceback: either may quote the item.
    fields = {
        "key": change.pk,
        "sequence_number": change.sequence_number,
        "request_ids": change.request_ids,
        "error": type(error).__name__,
    }
    if isinstance(error, MalformedItem):
        fields |= {"item": f"{error.pk} {error.sk}", "attribute": error.attribute}
    if isinstance(error, Unavailable):
        logger.warning("DynamoDB does not answer", extra=fields)
    else:
        logger.error("conversation not projected", extra=fields)


def _decoded_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record in the form of GetRecords: Lambda's events are JSON with binary values in base64."""
    said = dict(record["dynamodb"])
    if "NewImage" in said:
        said["NewImage"] = attributes_from_json(json.dumps(said["NewImage"]))
    return {"dynamodb": said}
