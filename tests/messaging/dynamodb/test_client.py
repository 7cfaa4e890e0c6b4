"""The door: what passes by itself is Unavailable, the rest stays loud. Faults are put in at botocore's before-send."""

import os
from collections.abc import Callable

import pytest
from botocore.awsrequest import AWSResponse  # noqa: TID251 - faults are made of botocore's own answers
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError  # noqa: TID251

from cruddur.net import KEY_ID_VARIABLE
from messaging.dynamodb.client import ServiceError, Unavailable, connect
from messaging.dynamodb.table import MessageTable
from messaging.queries import conversations
from tests.messaging.faults import answer, fault, timeout
from tests.messaging.talk import ANDREW, BAYKO, GROUP, send, start

THROTTLED = answer("ProvisionedThroughputExceededException")


@pytest.mark.parametrize(
    "failure",
    [
        THROTTLED,
        answer("ThrottlingException"),
        answer("RequestLimitExceeded"),
        answer("InternalServerError", 500),
        answer("ServiceUnavailable", 503),
        timeout(ReadTimeoutError),
        timeout(ConnectTimeoutError),
    ],
    ids=["throughput", "throttling", "limit", "internal", "unavailable", "read-timeout", "connect-timeout"],
)
def test_transient_error_is_unavailable_after_two_attempts(
    moto_table: MessageTable, failure: Callable[[], AWSResponse]
) -> None:
    start()

    with fault(moto_table, "Query", *[failure] * 2) as sent, pytest.raises(Unavailable):
        conversations.load_conversation(user_uuid=ANDREW, group_uuid=GROUP)
    assert len(sent) == 2


@pytest.mark.parametrize("code", ["ValidationException", "AccessDeniedException", "ResourceNotFoundException"])
def test_a_bad_request_or_a_refused_permission_stays_loud(moto_table: MessageTable, code: str) -> None:
    start()

    with fault(moto_table, "GetItem", answer(code)), pytest.raises(ServiceError, match=code):
        send()


def test_an_endpoint_out_of_reach_is_unavailable() -> None:
    nowhere = MessageTable(connect(endpoint_url="http://127.0.0.1:9", region="us-east-1"), "none")

    with pytest.raises(Unavailable):
        nowhere.conversation(GROUP)


def test_a_transaction_that_met_another_is_tried_again(moto_table: MessageTable) -> None:
    start()
    conflict = answer(
        "TransactionCanceledException", CancellationReasons=[{"Code": "TransactionConflict"}, {"Code": "None"}]
    )

    with fault(moto_table, "TransactWriteItems", conflict, conflict) as sent:
        assert send().seq == 2
    assert len(sent) == 3


def test_a_transaction_that_always_meets_another_is_unavailable(
    moto_table: MessageTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    start()
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _: None)
    conflict = answer("TransactionCanceledException", CancellationReasons=[{"Code": "TransactionConflict"}])

    with fault(moto_table, "TransactWriteItems", *[conflict] * 20) as sent, pytest.raises(Unavailable):
        send()
    assert len(sent) == 8


def test_a_transaction_cancelled_by_throttling_is_unavailable(moto_table: MessageTable) -> None:
    start()
    throttled = answer("TransactionCanceledException", CancellationReasons=[{"Code": "ThrottlingError"}])

    with fault(moto_table, "TransactWriteItems", throttled), pytest.raises(Unavailable):
        send()


def test_unprocessed_keys_are_asked_for_again(moto_table: MessageTable) -> None:
    start()
    keys = {moto_table.name: {"Keys": [{"pk": {"S": f"GRP#{BAYKO}"}, "sk": {"S": str(GROUP)}}], "ConsistentRead": True}}
    unprocessed = answer("", 200, Responses={moto_table.name: []}, UnprocessedKeys=keys)

    with fault(moto_table, "BatchGetItem", unprocessed) as sent:
        _, entry = moto_table.conversation_and_entry(GROUP, BAYKO)
    assert entry is not None
    assert len(sent) == 2


def test_keys_that_stay_unprocessed_are_unavailable_and_never_absent(
    moto_table: MessageTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    start()
    monkeypatch.setattr("messaging.dynamodb.requests.time.sleep", lambda _: None)
    keys = {moto_table.name: {"Keys": [{"pk": {"S": f"MSG#{GROUP}"}, "sk": {"S": "#CONVERSATION"}}]}}
    unprocessed = answer("", 200, Responses={moto_table.name: []}, UnprocessedKeys=keys)

    with fault(moto_table, "BatchGetItem", *[unprocessed] * 5), pytest.raises(Unavailable):
        conversations.load_conversation(user_uuid=ANDREW, group_uuid=GROUP)


def test_an_emulator_is_never_shown_real_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREAL")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")

    monkeypatch.setenv("AWS_SESSION_TOKEN", "real, too")

    local = connect(endpoint_url="http://localhost:4566", region="us-east-1")
    remote = connect(endpoint_url="https://example.com", region="us-east-1")

    shown = local._request_signer._credentials  # type: ignore[attr-defined]
    assert (shown.access_key, shown.token) == (os.environ[KEY_ID_VARIABLE], None)
    assert remote._request_signer._credentials.access_key == "AKIAREAL"  # type: ignore[attr-defined]
