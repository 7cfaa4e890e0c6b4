"""A command reports a refusal of AWS in one sentence that says what to do."""

from collections.abc import Callable

import pytest
from botocore.awsrequest import AWSResponse  # noqa: TID251 - faults are made of botocore's own answers
from botocore.exceptions import (  # noqa: TID251
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
    ReadTimeoutError,
    SSOTokenLoadError,
    TokenRetrievalError,
)

from messaging.dynamodb.client import AwsProblem, ServiceError, connect, explained_errors
from messaging.dynamodb.table import MessageTable
from tests.messaging.faults import answer, fault, timeout
from tests.messaging.talk import GROUP

CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE")


@pytest.mark.parametrize(
    ("failure", "advice"),
    [
        (answer("ExpiredTokenException"), "sign in to AWS again"),
        (answer("UnrecognizedClientException"), "does not know the credentials"),
        (answer("InvalidSignatureException"), "clock"),
        (answer("AccessDeniedException"), "lack the permission"),
        (answer("ResourceNotFoundException"), "ddb_schema_load`, or check AWS_REGION and DDB_MESSAGE_TABLE"),
        (answer("ResourceInUseException"), "run this again"),
        (answer("ThrottlingException"), "throttling: wait a little"),
        (answer("ProvisionedThroughputExceededException"), "more capacity"),
        (answer("InternalServerError", 500), "failing at the moment"),
        (timeout(ReadTimeoutError), "does not answer at http://dynamodb: check the network and AWS_REGION"),
        (timeout(ConnectTimeoutError), "does not answer at http://dynamodb"),
    ],
)
def test_an_answer_of_aws_says_what_to_do(
    moto_table: MessageTable, failure: Callable[[], AWSResponse], advice: str
) -> None:
    with (
        fault(moto_table, "GetItem", failure, failure),
        pytest.raises(AwsProblem, match=advice) as caught,
        explained_errors(),
    ):
        moto_table.conversation(GROUP)
    assert "\n" not in str(caught.value)


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CREDENTIALS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")


@pytest.mark.usefixtures("nobody")
def test_without_credentials_it_says_to_sign_in() -> None:
    table = MessageTable(connect(endpoint_url=None, region="us-east-1"), "none")

    with pytest.raises(AwsProblem, match="No AWS credentials: sign in"), explained_errors():
        table.conversation(GROUP)


@pytest.mark.usefixtures("nobody")
def test_an_unknown_profile_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "elsewhere")

    with pytest.raises(AwsProblem, match="no AWS profile elsewhere"), explained_errors():
        connect(endpoint_url=None, region="us-east-1")


@pytest.mark.usefixtures("nobody")
def test_invalid_region_is_named() -> None:
    with pytest.raises(AwsProblem, match="AWS_REGION is no region"), explained_errors():
        connect(endpoint_url=None, region="not a region")


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (NoCredentialsError(), "sign in to AWS"),
        (PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"), "sign in to AWS"),
        (CredentialRetrievalError(provider="process", error_msg="no"), "sign in to AWS again"),
        (TokenRetrievalError(provider="sso", error_msg="no"), "sign in to AWS again"),
        (SSOTokenLoadError(error_msg="no"), "sign in to AWS again"),
        (EndpointConnectionError(endpoint_url="https://dynamodb.nowhere.amazonaws.com/"), "could not be asked"),
    ],
)
def test_unsendable_request_says_what_to_do(error: Exception, advice: str) -> None:
    with pytest.raises(AwsProblem, match=advice), explained_errors():
        raise error


def test_the_local_stack_is_named_when_it_does_not_answer() -> None:
    table = MessageTable(connect(endpoint_url="http://127.0.0.1:9", region="us-east-1"), "none")

    with pytest.raises(AwsProblem, match=r"http://127\.0\.0\.1:9.*make run"), explained_errors():
        table.conversation(GROUP)


def test_a_bug_of_ours_stays_loud(moto_table: MessageTable) -> None:
    with fault(moto_table, "GetItem", answer("ValidationException")), pytest.raises(ServiceError), explained_errors():
        moto_table.conversation(GROUP)
