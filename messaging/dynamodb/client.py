"""The door to DynamoDB: its clients, and the one place where its errors are translated. Knows no Django."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import boto3.session
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    InvalidRegionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
from botocore.exceptions import ConnectionError as NoConnectionError
from botocore.parsers import ResponseParserError

from cruddur.net import is_loopback, loopback_credentials
from cruddur.problem import Problem

from .codec import attributes_from_json

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodbstreams import DynamoDBStreamsClient

# A name of its own: botocore puts its long one together anew for each request, 0.15 ms of a processor.
OURS = Config(max_pool_connections=50, user_agent="cruddur-messages")
# Connect and read, in seconds, and attempts in all: a page answers 503 within ten seconds rather than hang.
WEB_TIMEOUTS = OURS.merge(
    Config(connect_timeout=1, read_timeout=3, retries={"total_max_attempts": 2, "mode": "standard"})
)
# For commands, which run as long as it takes: DynamoDB Local counts a table's items whenever it is described.
COMMAND_TIMEOUTS = OURS.merge(Config(connect_timeout=5, read_timeout=60))

THROTTLES = frozenset(
    (
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingError",
        "ThrottlingException",
    )
)
RETRY_LATER = THROTTLES | {
    "InternalServerError",
    "LimitExceededException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "TransactionInProgressException",
}
SERVER_ERROR = 500
FULL_OF_ITEMS = ("BatchGetItem", "GetItem", "Query", "Scan", "UpdateItem")


class Unavailable(Exception):
    """DynamoDB cannot answer now: throttled, timed out, out of reach or failing. Trying again later is safe."""


class Throttled(Unavailable):
    """The table's capacity is used up for the moment."""


class Conflict(Unavailable):
    """Another transaction was writing the same item at the same moment."""


class AwsProblem(Problem):
    """What a command cannot do on AWS, and what to do about it, in one sentence."""


ServiceError = ClientError
"""An answer of DynamoDB that is no success and does not pass by itself."""


def connect(*, endpoint_url: str | None, region: str) -> DynamoDBClient:
    """A client for the table: safe between threads; 77 ms to make, so make one per process."""
    return _client(endpoint_url, region, WEB_TIMEOUTS)


def patient(client: DynamoDBClient, *, attempts: int = 3, validate: bool = True) -> DynamoDBClient:
    """A client of the same endpoint for a command that takes long; it waits a minute for an answer.

    With `validate` off it leaves it to DynamoDB to find fault with parameters: writing in bulk then takes a fifth less
    of a processor.
    """
    patience = Config(retries={"total_max_attempts": attempts, "mode": "standard"}, parameter_validation=validate)
    return _client(client.meta.endpoint_url, client.meta.region_name, COMMAND_TIMEOUTS.merge(patience))


def connect_streams(*, endpoint_url: str | None, region: str) -> DynamoDBStreamsClient:
    """A client for the table's stream."""
    client = _session(endpoint_url).client(
        "dynamodbstreams", endpoint_url=endpoint_url, region_name=region, config=WEB_TIMEOUTS
    )
    take_records_as_they_are(client)
    return client


def _client(endpoint_url: str | None, region: str, config: Config) -> DynamoDBClient:
    client = _session(endpoint_url).client("dynamodb", endpoint_url=endpoint_url, region_name=region, config=config)
    take_items_as_they_are(client)
    return client


def _session(endpoint_url: str | None) -> boto3.session.Session:
    """A session of its own (the default one is not safe between threads); an emulator never sees real credentials."""
    return boto3.session.Session(**loopback_credentials(endpoint_url))


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn what passes by itself into `Unavailable`, `Throttled`, `Conflict`; bad and refused requests stay loud."""
    try:
        yield
    except (HTTPClientError, NoConnectionError) as error:
        raise Unavailable from error
    except ClientError as error:
        codes = {error_code(error)}
        if "TransactionCanceledException" in codes:
            codes |= {reason.get("Code", "") for reason in cancellation_reasons(error)}
        if codes & THROTTLES:
            raise Throttled from error
        if codes & RETRY_LATER or error.response["ResponseMetadata"].get("HTTPStatusCode", 0) >= SERVER_ERROR:
            raise Unavailable from error
        if codes & {"TransactionConflict", "TransactionConflictException"}:
            raise Conflict from error
        raise


def error_code(error: ClientError) -> str:
    return error.response["Error"]["Code"]


def is_anothers(error: ClientError) -> bool:
    """Whether the answer is not DynamoDB's: a web page, or another service that does not know the operation."""
    code = error_code(error)
    return code.isdecimal() or code in OF_ANOTHER


def cancellation_reasons(error: ClientError) -> list[dict[str, Any]]:
    """Why a transaction was cancelled, in the order of its actions."""
    reasons: list[dict[str, Any]] = error.response.get("CancellationReasons", [])  # type: ignore[assignment]
    return reasons


# --- Answers full of items --------------------------------------------------------------------------------------------


def take_items_as_they_are(client: DynamoDBClient) -> None:
    """Have the client take the successful answers of these operations as the JSON they are.

    botocore walks each value of an answer by the service's model, which for items changes nothing but bytes and times:
    0.6 of the 1.0 ms of a processor that a page of twenty messages takes it.
    """
    for operation in FULL_OF_ITEMS:
        client.meta.events.register(f"before-parse.dynamodb.{operation}", _take_items)


def take_records_as_they_are(streams: DynamoDBStreamsClient) -> None:
    """Have the client take what GetRecords answers as the JSON it is."""
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


# --- What to tell people ----------------------------------------------------------------------------------------------

SIGN_IN = "The AWS credentials have expired or are not valid: sign in to AWS again."
SCHEMA_LOAD = "run `manage.py ddb_schema_load`, or check AWS_REGION and DDB_MESSAGE_TABLE."
THROTTLED = "DynamoDB is throttling: wait a little and run this again, or give the table more capacity (--on-demand)."
WHAT_TO_DO = {
    "AccessDeniedException": "AWS refuses this: the credentials lack the permission.",
    "ExpiredTokenException": SIGN_IN,
    "IncompleteSignatureException": "The AWS credentials are malformed: set them again.",
    "InvalidSignatureException": "AWS does not accept the credentials: set them again, and check this machine's clock.",
    "MissingAuthenticationTokenException": "AWS got no credentials: sign in to AWS.",
    "ResourceInUseException": "The table is being changed at this moment: run this again in a minute.",
    "ResourceNotFoundException": f"There is no such table or index: {SCHEMA_LOAD}",
    "TableNotFoundException": f"There is no such table: {SCHEMA_LOAD}",
    "UnrecognizedClientException": "AWS does not know the credentials: set them again.",
}
OF_ANOTHER = frozenset(
    ("", "InvalidAction", "MethodNotAllowed", "NotFound", "UnknownOperation", "UnknownOperationException")
)
"""Codes of services that do not know what was asked."""
NOT_DYNAMODB = (
    "What answers is not DynamoDB: put AWS_ENDPOINT_URL_DYNAMODB or AWS_ENDPOINT_URL right, or stop what listens there."
)
LOCALLY = "DynamoDB does not answer at {}: start the local stack with `make run`."
REMOTELY = "DynamoDB does not answer at {}: check the network and AWS_REGION, or try again in a minute."


@contextmanager
def explained_errors() -> Iterator[None]:
    """For commands: turn what can be foreseen into `AwsProblem`, one sentence that says what to do."""
    try:
        yield
    except Unavailable as error:
        raise AwsProblem(_why_unavailable(error.__cause__)) from error
    except ServiceError as error:
        if sentence := WHAT_TO_DO.get(error_code(error)):
            raise AwsProblem(sentence) from error
        if is_anothers(error):
            raise AwsProblem(NOT_DYNAMODB) from error
        raise
    except ResponseParserError as error:
        raise AwsProblem(NOT_DYNAMODB) from error
    except BotoCoreError as error:
        raise AwsProblem(_why_not_asked(error)) from error


def _why_unavailable(cause: BaseException | None) -> str:
    if isinstance(cause, ClientError):
        codes = {error_code(cause), *(reason.get("Code", "") for reason in cancellation_reasons(cause))}
        return THROTTLED if codes & THROTTLES else "DynamoDB is failing at the moment: run this again in a minute."
    if isinstance(cause, BotoCoreError):
        endpoint = str(cause.kwargs.get("endpoint_url", "its endpoint"))
        return (LOCALLY if is_loopback(endpoint) else REMOTELY).format(endpoint)
    return THROTTLED


def _why_not_asked(error: BotoCoreError) -> str:
    match error:
        case NoCredentialsError() | PartialCredentialsError():
            return "No AWS credentials: sign in to AWS, or start the local stack with `make run`."
        case ProfileNotFound():
            return f"There is no AWS profile {error.kwargs['profile']}: unset AWS_PROFILE, or name another."
        case InvalidRegionError() | NoRegionError():
            return "AWS_REGION is no region: set it to one, as in us-east-1."
        case TokenRetrievalError() | CredentialRetrievalError() | SSOError():
            return SIGN_IN
    return f"DynamoDB could not be asked: {error}"
