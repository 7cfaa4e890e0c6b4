"""The stream and the table in the admin."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from messaging.dynamodb import connection as messaging_connection
from messaging.dynamodb.schema import stream_arn
from messaging.dynamodb.table import MessageTable
from messaging.models import DeadLetter, StreamCheckpoint
from messaging.stream.leader_lock import try_lock
from moderation.models import AuditEntry
from tests.messaging import talk
from tests.messaging.faults import answer
from tests.messaging.pages import text_of
from users.models import User

from .conftest import signed_in

pytestmark = pytest.mark.django_db
PAGE = "/admin/stream/"


def test_page_shows_stream_and_table(admin: User, table: MessageTable) -> None:
    talk.start()

    page = text_of(signed_in(admin).get(PAGE))

    assert f"Table {table.name}" in page
    assert "inbox-index, message-group-sk-index" in page
    assert "provisioned: 5 read and 5 write units a second" in page
    assert "Worker none" in page
    assert stream_arn(table) in page
    assert "None: every change was projected." in page


def test_page_shows_the_progress_of_each_shard(admin: User, table: MessageTable) -> None:
    arn = stream_arn(table)
    talk.start()
    page = signed_in(admin).get(PAGE)
    (shard, *_) = page.context["stream"]["shards"]
    saved = StreamCheckpoint.objects.create(stream_arn=arn, shard_id=shard.shard_id, sequence_number="SHARD_END")

    assert f"{saved.updated_at:%Y-%m-%d %H:%M:%S}" in text_of(signed_in(admin).get(PAGE))


def test_page_shows_the_active_worker(admin: User, fake_table: MessageTable) -> None:
    assert try_lock(fake_table.name)
    try:
        page = text_of(signed_in(admin).get(PAGE))
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock_all()")

    assert "Worker active" in page


def letter(key: str) -> DeadLetter:
    return DeadLetter.objects.create(
        stream_arn="arn", shard_id="shard", sequence_number=key[-20:], key=key, reason="KeyError: seq", tries=5
    )


def test_dead_letters_are_shown_and_replayed(admin: User, fake_table: MessageTable) -> None:
    message = talk.start()
    key = f"MSG#{message.group_uuid}"
    letter(key)
    client = signed_in(admin)
    assert f"{key} KeyError: seq 5" in text_of(client.get(PAGE))

    response = client.post("/admin/stream/replay/", follow=True)

    assert "1 dead letter was projected." in text_of(response)
    assert not DeadLetter.objects.exists()
    assert AuditEntry.objects.get().act == "stream.replay"


def test_repeated_failures_are_reported(admin: User, fake_table: MessageTable) -> None:
    letter("MSG#no-uuid")

    assert "1 failed again." in text_of(signed_in(admin).post("/admin/stream/replay/", follow=True))


def test_page_works_while_dynamodb_is_away(admin: User, settings: Settings) -> None:
    letter("MSG#one")
    settings.DYNAMODB_ENDPOINT_URL = settings.DYNAMODB_STREAMS_ENDPOINT_URL = "http://127.0.0.1:9"
    messaging_connection.forget()
    try:
        response = signed_in(admin).get(PAGE)
        replayed = signed_in(admin).post("/admin/stream/replay/")
    finally:
        messaging_connection.forget()

    assert response.status_code == 503
    assert "DynamoDB does not answer" in text_of(response)
    assert "MSG#one" in text_of(response)
    assert replayed.status_code == 302


def test_page_shows_checkpoints_without_access_to_the_stream(admin: User, fake_table: MessageTable) -> None:
    arn = stream_arn(fake_table)
    saved = StreamCheckpoint.objects.create(stream_arn=arn, shard_id="shard-7", sequence_number="1")

    def refuse(**_: Any) -> Any:
        return answer("AccessDeniedException")()

    streams = messaging_connection.streams_client()
    streams.meta.events.register_first("before-send.dynamodb-streams.DescribeStream", refuse)
    try:
        response = signed_in(admin).get(PAGE)
    finally:
        streams.meta.events.unregister("before-send.dynamodb-streams.DescribeStream", refuse)

    page = text_of(response)
    assert response.status_code == 200
    assert "This server may not look at the stream" in page
    assert f"shard-7 {saved.updated_at:%Y-%m-%d %H:%M:%S}" in page
    assert "inbox-index, message-group-sk-index" in page


def test_page_is_only_for_administrators(moderator: User, andrew: User, fake_table: MessageTable) -> None:
    for person in (moderator, andrew):
        client = signed_in(person)
        assert client.get(PAGE).status_code == 403
        assert client.post("/admin/stream/replay/").status_code == 403


def test_replay_rejects_get(admin: User, fake_table: MessageTable) -> None:
    assert signed_in(admin).get("/admin/stream/replay/").status_code == 405
