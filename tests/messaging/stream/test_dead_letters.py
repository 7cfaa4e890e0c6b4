"""A change that cannot be projected is put aside with its reason, the shard goes on, and it can be replayed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError

from messaging.domain.entities import Conversation
from messaging.dynamodb.client import ServiceError, Unavailable
from messaging.dynamodb.codec import conversation_item
from messaging.dynamodb.keys import CONVERSATION_SK, conversation_key
from messaging.dynamodb.table import MessageTable
from messaging.models import DeadLetter
from messaging.stream.apply import TRIES, apply
from messaging.stream.consumer_types import EVERY_CONVERSATION
from messaging.stream.dead_letters import PostgresDeadLetters
from messaging.stream.projection import change_to
from tests.messaging.command_runs import run, run_json
from tests.messaging.faults import answer, fault
from tests.messaging.talk import BAYKO, GROUP, LONDO, entry_of, send, start

from .test_consumer import PutAside, consumer, drained

SECRET = "nobody's business"
REASON = f"malformed item MSG#{GROUP} {CONVERSATION_SK}: seq is missing"


def damage(table: MessageTable) -> None:
    """Take from the conversation of Andrew and Bayko what it cannot be read without."""
    table.client.update_item(
        TableName=table.name, Key=conversation_key(GROUP), UpdateExpression="SET version = version + :one REMOVE seq",
        ExpressionAttributeValues={":one": {"N": "1"}},
    )  # fmt: skip


def mend(table: MessageTable, conversation: Conversation) -> None:
    item = conversation_item(conversation)
    item["version"] = {"N": str(conversation.version + 2)}
    table.client.put_item(TableName=table.name, Item=item)


def current(table: MessageTable) -> Conversation:
    found = table.conversation(GROUP)
    assert found is not None
    return found


@pytest.mark.django_db
def test_the_shard_goes_on_past_a_record_that_fails(table: MessageTable) -> None:
    reader = consumer(table)
    reader.begin()
    start(text=SECRET)
    damage(table)
    other = start(to=LONDO, text="Not held up")

    drained(reader)

    assert entry_of(table, LONDO, other.group_uuid).message == "Not held up"
    (letter,) = DeadLetter.objects.all()
    assert (letter.key, letter.reason, letter.tries) == (f"MSG#{GROUP}", REASON, TRIES)
    assert letter.shard_id in reader.checkpoints.load()


@pytest.mark.django_db
def test_a_damaged_conversation_does_not_stop_the_projection_of_all(table: MessageTable) -> None:
    start()
    other = start(to=LONDO, text="Not held up")
    damage(table)
    table.client.delete_item(
        TableName=table.name, Key={"pk": {"S": f"GRP#{LONDO}"}, "sk": {"S": str(other.group_uuid)}}
    )

    consumer(table).begin()

    assert entry_of(table, LONDO, other.group_uuid).message == "Not held up"
    assert [letter.shard_id for letter in DeadLetter.objects.all()] == [EVERY_CONVERSATION]


@pytest.mark.django_db
def test_the_same_letter_is_kept_once(table: MessageTable) -> None:
    letters = PostgresDeadLetters("arn")
    for tries in (5, 10):
        letters.add(shard_id="1", sequence_number="2", key="MSG#3", reason="ValueError", tries=tries)

    assert DeadLetter.objects.get().tries == 10


@pytest.mark.parametrize(
    ("failure", "tries", "letters"),
    [
        (answer("ValidationException"), TRIES, ["ValidationException"]),
        (answer("ItemCollectionSizeLimitExceededException"), TRIES, ["ItemCollectionSizeLimitExceededException"]),
    ],
)
def test_validation_error_of_one_write_is_its_own_fault(
    moto_table: MessageTable, failure: Callable[[], Any], tries: int, letters: list[str]
) -> None:
    start()
    send()
    aside, waits = PutAside(), list[float]()

    with fault(moto_table, "UpdateItem", *[failure] * 20) as sent:
        change = change_to(conversation_item(current(moto_table)), "7")
        assert apply(moto_table, change, shard_id="1", dead_letters=aside, sleep=waits.append) == 0

    assert len(sent) == tries
    assert waits == [0.1, 0.2, 0.4, 0.8]
    assert [letter["reason"] for letter in aside.letters] == letters


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (answer("ThrottlingException"), Unavailable),
        (answer("InternalServerError", 500), Unavailable),
        (answer("AccessDeniedException"), ServiceError),
        (answer("ResourceNotFoundException"), ServiceError),
    ],
)
def test_transient_failure_makes_no_dead_letter(
    moto_table: MessageTable, failure: Callable[[], Any], error: type[Exception]
) -> None:
    start()
    send()
    aside = PutAside()
    change = change_to(conversation_item(current(moto_table)), "7")

    with fault(moto_table, "UpdateItem", failure, failure), pytest.raises(error):
        apply(moto_table, change, shard_id="1", dead_letters=aside)
    assert aside.letters == []


@pytest.mark.django_db
def test_replaying_projects_the_conversation_as_it_is_now(moto_table: MessageTable) -> None:
    start()
    send(text=SECRET)
    whole = current(moto_table)
    damage(moto_table)
    PostgresDeadLetters("arn").add(
        shard_id="1", sequence_number="2", key=f"MSG#{GROUP}", reason="KeyError: seq", tries=5
    )

    with pytest.raises(CommandError, match=r"0 dead letters projected, 1 failed again\. See which with --status"):
        run("ddb_stream", "--replay")
    assert DeadLetter.objects.get().tries == 6

    mend(moto_table, whole)
    out, _ = run("ddb_stream", "--replay")
    assert "1 dead letters projected, 0 failed again." in out
    assert SECRET not in out
    assert not DeadLetter.objects.exists()
    assert entry_of(moto_table, BAYKO).unread == 2


@pytest.mark.django_db
def test_a_letter_of_a_conversation_that_is_no_more_is_forgotten(moto_table: MessageTable) -> None:
    PostgresDeadLetters("arn").add(
        shard_id="1", sequence_number="2", key=f"MSG#{uuid4()}", reason="KeyError: seq", tries=5
    )

    run("ddb_stream", "--replay")

    assert not DeadLetter.objects.exists()


@pytest.mark.django_db
def test_throttled_while_replaying_it_keeps_the_letters(moto_table: MessageTable) -> None:
    start()
    PostgresDeadLetters("arn").add(shard_id="1", sequence_number="2", key=f"MSG#{GROUP}", reason="x", tries=5)
    throttled = answer("ThrottlingException")

    with fault(moto_table, "GetItem", throttled, throttled), pytest.raises(CommandError, match="throttling"):
        run("ddb_stream", "--replay")
    assert DeadLetter.objects.get().tries == 5


@pytest.mark.django_db
def test_the_status_shows_them(table: MessageTable) -> None:
    PostgresDeadLetters("arn").add(
        shard_id="1", sequence_number="2", key=f"MSG#{GROUP}", reason="KeyError: seq", tries=5
    )

    out, _ = run("ddb_stream", "--status")
    assert f"MSG#{GROUP}  KeyError: seq      5" in out
    facts = run_json("ddb_stream", "--status")
    assert [each["reason"] for each in facts if each["kind"] == "dead_letter"] == ["KeyError: seq"]
    assert facts[-1]["dead_letters"] == 1
