"""The process's one connection to the table and its stream, as the settings name them; made when first needed."""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from .client import connect, connect_streams
from .request_log import watch_if_asked
from .table import MessageTable

if TYPE_CHECKING:
    from types_boto3_dynamodbstreams import DynamoDBStreamsClient

_lock = Lock()


def message_table() -> MessageTable:
    """The table of `DDB_MESSAGE_TABLE`. Raises ImproperlyConfigured rather than fall back to AWS unasked."""
    with _lock:
        return _message_table()


@cache
def _message_table() -> MessageTable:
    _refuse_unasked_aws(settings.DYNAMODB_ENDPOINT_URL)
    client = connect(endpoint_url=settings.DYNAMODB_ENDPOINT_URL, region=settings.AWS_REGION)
    watch_if_asked(client)
    return MessageTable(client, settings.DDB_MESSAGE_TABLE)


@cache
def streams_client() -> DynamoDBStreamsClient:
    """The client of the table's stream."""
    _refuse_unasked_aws(settings.DYNAMODB_ENDPOINT_URL)
    return connect_streams(endpoint_url=settings.DYNAMODB_STREAMS_ENDPOINT_URL, region=settings.AWS_REGION)


def _refuse_unasked_aws(endpoint_url: str | None) -> None:
    if endpoint_url is None and not settings.PRODUCTION:
        msg = (
            "No DynamoDB is configured: run `make run` first, set AWS_ENDPOINT_URL_DYNAMODB, or CRUDDUR_ENV=production."
        )
        raise ImproperlyConfigured(msg)


def forget() -> None:
    """Let go of the connections, for settings that change under a test."""
    _message_table.cache_clear()
    streams_client.cache_clear()
