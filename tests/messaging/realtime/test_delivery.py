"""Events travel from the writing request to the open streams of the members, over either bus."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from messaging.actions import block, edit_message, send_message
from messaging.actions import read as read_actions
from messaging.actions.send_message import Delivery
from messaging.dynamodb.table import MessageTable
from messaging.operations.capacity import patterns
from messaging.queries import conversations
from messaging.realtime import publish
from tests.conftest import Calls
from tests.cookies import COOKIES
from tests.messaging.live_site import EventStream, WebProcess, session_of, web_process
from tests.messaging.pages import SCRIPT, group_of, post
from users.models import User

DELIVERIES = 40

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def talk(moto_table: MessageTable, andrew: User, bayko: User) -> Delivery:
    """Send Andrew's first message to Bayko."""
    return send_message.start(
        user_uuid=andrew.uuid, other_uuid=bayko.uuid, text="Hello", message_uuid=uuid4(), now=timezone.now()
    )


@pytest.fixture
def as_andrew(client: Client, andrew: User) -> Client:
    client.force_login(andrew)
    return client


def opened(site: WebProcess, person: User) -> EventStream:
    stream = EventStream.open(site.port, session_of(person))
    assert stream.next() == ("ready", {"user": str(person.uuid)})
    return stream


def url_of(talk: Delivery) -> str:
    return f"/messages/{talk.message.group_uuid}"


def test_a_message_reaches_the_other_and_the_writers_other_tabs(
    each_bus: str, site: WebProcess, talk: Delivery, as_andrew: Client, andrew: User, bayko: User
) -> None:
    with opened(site, bayko) as of_bayko, opened(site, andrew) as of_andrew:
        answer = post(as_andrew, url_of(talk), "How are you?", headers=SCRIPT).json()

        (name, to_bayko), (_, to_andrew) = of_bayko.next(), of_andrew.next()

    assert name == "message"
    same = ("created_at", "seq", "version", "message_uuid")
    assert [to_bayko[key] for key in same] == [answer[key] for key in same]
    assert (to_bayko["seq"], to_bayko["version"], to_bayko["preview"]) == (2, 2, "How are you?")
    assert (to_bayko["user"], to_bayko["own"], to_andrew["own"]) == (str(andrew.uuid), False, True)
    assert "Andrew Brown" in to_bayko["html"]
    assert "message--own" not in to_bayko["html"]
    assert "message--own" in to_andrew["html"]


def test_a_message_looks_as_a_fresh_load_shows_it(
    site: WebProcess, talk: Delivery, as_andrew: Client, bayko: User
) -> None:
    session_key = session_of(bayko)
    with EventStream.open(site.port, session_key) as stream:
        stream.next()
        post(as_andrew, url_of(talk), "See https://example.com/", headers=SCRIPT)
        html = stream.next()[1]["html"]

    reader = Client()
    reader.cookies.load({COOKIES.session: session_key, COOKIES.timezone: "Europe/Vienna"})
    page = reader.get(url_of(talk)).content.decode()
    # On the page it continues the first one, so that its picture is left out.
    text = html[html.index('<div class="message__bubble') :]
    assert "".join(text.split()) in "".join(page.split())


def test_a_first_message_reaches_someone_with_whom_there_was_no_conversation(
    site: WebProcess, moto_table: MessageTable, as_andrew: Client, andrew: User, bayko: User
) -> None:
    with opened(site, bayko) as stream:
        post(as_andrew, f"/messages/new/{bayko.handle}", "Hello", headers=SCRIPT)

        name, data = stream.next()

    assert (name, data["seq"], data["group"]) == ("message", 1, str(group_of(andrew, bayko)))


def test_edits_and_deletions_arrive(site: WebProcess, talk: Delivery, as_andrew: Client, bayko: User) -> None:
    message = f"{url_of(talk)}/{talk.message.created_at}"
    with opened(site, bayko) as stream:
        as_andrew.post(f"{message}/edit", {"message": "Hullo"}, headers=SCRIPT)
        edit = stream.next()
        as_andrew.post(f"{message}/delete", headers=SCRIPT)
        deletion = stream.next()

    assert (edit[0], deletion[0]) == ("amended", "amended")
    assert (edit[1]["version"], edit[1]["deleted"], edit[1]["preview"]) == (2, False, "Hullo")
    assert (deletion[1]["version"], deletion[1]["deleted"], deletion[1]["preview"]) == (3, True, "")
    assert edit[1]["newest"]
    assert "Hullo" not in deletion[1]["html"]


def test_an_edit_of_an_older_message_says_that_it_is_not_the_newest(
    site: WebProcess, talk: Delivery, as_andrew: Client, bayko: User
) -> None:
    post(as_andrew, url_of(talk), "And then?")
    with opened(site, bayko) as stream:
        as_andrew.post(f"{url_of(talk)}/{talk.message.created_at}/edit", {"message": "Hullo"}, headers=SCRIPT)

        assert stream.next()[1]["newest"] is False


def test_read_mark_reaches_other_tabs_and_the_sender(
    site: WebProcess, talk: Delivery, client: Client, andrew: User, bayko: User
) -> None:
    client.force_login(bayko)
    with opened(site, bayko) as of_bayko, opened(site, andrew) as of_andrew:
        client.post(f"{url_of(talk)}/read", {"created_at": talk.message.created_at})

        group = str(talk.message.group_uuid)
        assert of_bayko.next() == ("read", {"group": group, "read_seq": 1})
        assert of_andrew.next() == ("seen", {"group": group, "user": str(bayko.uuid), "seq": 1})


def test_reading_what_was_read_long_ago_tells_nobody(
    site: WebProcess, talk: Delivery, as_andrew: Client, client: Client, andrew: User, bayko: User
) -> None:
    post(as_andrew, url_of(talk), "And then?")
    newest = conversations.load_conversation(user_uuid=bayko.uuid, group_uuid=talk.message.group_uuid).messages[-1]
    read_actions.mark_read(user_uuid=bayko.uuid, group_uuid=newest.group_uuid, created_at=newest.created_at)
    client.force_login(bayko)
    with opened(site, andrew) as stream:
        client.post(f"{url_of(talk)}/read", {"created_at": talk.message.created_at})

        assert stream.is_silent()


def test_typing_reaches_the_other_and_not_the_writer(
    site: WebProcess, talk: Delivery, as_andrew: Client, andrew: User, bayko: User
) -> None:
    with opened(site, bayko) as of_bayko, opened(site, andrew) as of_andrew:
        assert as_andrew.post(f"{url_of(talk)}/typing").status_code == 204

        assert of_bayko.next() == ("typing", {"group": str(talk.message.group_uuid), "user": str(andrew.uuid)})
        assert of_andrew.is_silent()


def test_a_message_sent_again_is_told_as_a_hint(
    site: WebProcess, talk: Delivery, as_andrew: Client, bayko: User
) -> None:
    fields = {"message_uuid": str(uuid4()), "after": talk.message.created_at}
    with opened(site, bayko) as stream:
        for _ in range(2):
            post(as_andrew, url_of(talk), "Once", fields, headers=SCRIPT)

        assert stream.next()[0] == "message"
        assert stream.next() == ("hint", {"group": str(talk.message.group_uuid), "version": 2})


def test_projection_of_the_worker_is_published_as_entry_changed(
    site: WebProcess, talk: Delivery, moto_table: MessageTable, bayko: User
) -> None:
    conversation = moto_table.conversation(talk.message.group_uuid)
    assert conversation is not None
    with opened(site, bayko) as stream:
        publish.conversations_changed([conversation])

        assert stream.next() == ("hint", {"group": str(talk.message.group_uuid), "version": 1})


# --- Who gets it ------------------------------------------------------------------------------------------------------


def test_outsider_receives_no_events(
    each_bus: str, site: WebProcess, talk: Delivery, as_andrew: Client, bayko: User, londo: User
) -> None:
    message = f"{url_of(talk)}/{talk.message.created_at}"
    with opened(site, bayko) as of_bayko, opened(site, londo) as of_londo:
        post(as_andrew, url_of(talk), "Secret", headers=SCRIPT)
        as_andrew.post(f"{message}/edit", {"message": "Hullo"}, headers=SCRIPT)
        as_andrew.post(f"{url_of(talk)}/typing")
        as_andrew.post(f"{url_of(talk)}/read", {"created_at": talk.message.created_at})

        assert [of_bayko.next()[0] for _ in range(4)] == ["message", "amended", "typing", "seen"]
        assert of_londo.is_silent()


def test_former_member_gets_no_entry(
    site: WebProcess, talk: Delivery, moto_table: MessageTable, as_andrew: Client, andrew: User, bayko: User
) -> None:
    with opened(site, bayko) as of_bayko, opened(site, andrew) as of_andrew:
        post(as_andrew, url_of(talk), "You are still here", headers=SCRIPT)
        assert of_bayko.next()[0] == "message"
        moto_table.client.update_item(
            TableName=moto_table.name,
            Key={"pk": {"S": f"MSG#{talk.message.group_uuid}"}, "sk": {"S": "#CONVERSATION"}},
            UpdateExpression="DELETE member_uuids :gone",
            ExpressionAttributeValues={":gone": {"BS": [bayko.uuid.bytes]}},
        )
        post(as_andrew, url_of(talk), "Secret", headers=SCRIPT)

        assert [of_andrew.next()[1]["seq"] for _ in range(2)] == [2, 3]
        assert of_bayko.is_silent()


def test_every_web_process_receives_events(
    each_bus: str, site: WebProcess, talk: Delivery, as_andrew: Client, bayko: User
) -> None:
    with web_process() as other, opened(site, bayko) as here, opened(other, bayko) as there:
        post(as_andrew, url_of(talk), "To all", headers=SCRIPT)

        assert (here.next()[1]["preview"], there.next()[1]["preview"]) == ("To all", "To all")


def test_batch_is_published_at_once(
    each_bus: str,
    site: WebProcess,
    talk: Delivery,
    moto_table: MessageTable,
    andrew: User,
    bayko: User,
    londo: User,
) -> None:
    other = send_message.start(
        user_uuid=andrew.uuid, other_uuid=londo.uuid, text="Hello", message_uuid=uuid4(), now=timezone.now()
    )
    groups = [talk.message.group_uuid, other.message.group_uuid]
    found = [each for group in groups if (each := moto_table.conversation(group))]
    with opened(site, andrew) as stream:
        with CaptureQueriesContext(connection) as queries:
            publish.conversations_changed(found)

        assert [stream.next()[1]["group"] for _ in found] == [str(group) for group in groups]
        assert stream.is_silent()
    assert len(published(queries)) == (each_bus == "postgres")


def test_blocked_conversation_publishes_no_events(
    site: WebProcess, talk: Delivery, moto_table: MessageTable, andrew: User, bayko: User
) -> None:
    block.block(user_uuid=bayko.uuid, other_uuid=andrew.uuid, now=timezone.now())
    conversation = moto_table.conversation(talk.message.group_uuid)
    assert conversation is not None
    with opened(site, bayko) as of_bayko, opened(site, andrew) as of_andrew:
        publish.conversations_changed([conversation])

        assert of_bayko.is_silent()
        assert of_andrew.is_silent()


def test_two_tables_on_one_redis_hear_nothing_of_each_other(
    redis_server: Any, site: WebProcess, talk: Delivery, bayko: User, settings: Settings
) -> None:
    with opened(site, bayko) as stream:
        settings.DDB_MESSAGE_TABLE = "somebody-elses"
        publish.typing(group_uuid=talk.message.group_uuid, user_uuid=uuid4(), member_uuids=talk.member_uuids)

        assert stream.is_silent()


# --- What it costs ----------------------------------------------------------------------------------------------------


def published(queries: CaptureQueriesContext) -> list[str]:
    return [query["sql"] for query in queries.captured_queries if "pg_notify" in query["sql"]]


@pytest.mark.parametrize(
    ("act", "operations"),
    [
        (lambda client, url, at: post(client, url, "Hi"), [*patterns.SEND.calls]),
        (
            lambda client, url, at: client.post(f"{url}/{at}/edit", {"message": "Hullo"}),
            ["BatchGetItem", "TransactWriteItems"],
        ),
        (lambda client, url, at: client.post(f"{url}/{at}/delete"), ["BatchGetItem", "TransactWriteItems"]),
        (lambda client, url, at: client.post(f"{url}/read", {"created_at": at}), [*patterns.MARK_READ.calls]),
    ],
    ids=["send", "edit", "delete", "read"],
)
def test_publishing_costs_one_statement_and_delivery_nothing(
    act: Callable[[Client, str, str], Any],
    operations: list[str],
    site: WebProcess,
    talk: Delivery,
    moto_table: MessageTable,
    as_andrew: Client,
    bayko: User,
    calls: Calls,
) -> None:
    streams = [opened(site, bayko) for _ in range(5)]
    with calls.counted(moto_table.client), CaptureQueriesContext(connection) as queries:
        act(as_andrew, url_of(talk), talk.message.created_at)
        for stream in streams:
            stream.next()

    # Of this process, so of the request and of the hub alike; the hub may not touch the database from its loop at all.
    assert calls.operations == [*operations, *patterns.DELIVERY.calls]
    assert len(published(queries)) == 1
    for stream in streams:
        stream.close()


def test_delivering_asks_postgres_nothing(
    redis_server: Any, site: WebProcess, talk: Delivery, as_andrew: Client, bayko: User
) -> None:
    def statements() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_force_next_flush()")
            cursor.execute("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
            return int(cursor.fetchone()[0])

    with opened(site, bayko) as stream:
        members, message = talk.member_uuids, talk.message
        before = statements()
        for seq in range(DELIVERIES):
            publish.read(group_uuid=message.group_uuid, user_uuid=uuid4(), seq=seq, member_uuids=members)
            stream.next()
        after = statements()

    # Not 0: Postgres counts what opening the stream took, and this looking, when it comes to it.
    assert after - before < DELIVERIES


def test_a_stream_in_another_zone_shows_that_zones_times(
    site: WebProcess, talk: Delivery, as_andrew: Client, bayko: User
) -> None:
    tokyo = EventStream.open(
        site.port, headers={"Cookie": f"{COOKIES.session}={session_of(bayko)}; {COOKIES.timezone}=Asia/Tokyo"}
    )
    with tokyo, opened(site, bayko) as vienna:
        tokyo.next()
        post(as_andrew, url_of(talk), "What time is it?", headers=SCRIPT)

        assert "+09:00" in tokyo.next()[1]["html"]
        assert "+01:00" in vienna.next()[1]["html"] or "+02:00" in vienna.next()[1]["html"]


# --- What it may not break --------------------------------------------------------------------------------------------


def test_a_bus_that_is_away_fails_no_send_and_nothing_of_it_is_logged(
    redis_server: Any, talk: Delivery, as_andrew: Client, caplog: pytest.LogCaptureFixture
) -> None:
    redis_server.stop()

    answer = post(as_andrew, url_of(talk), "A secret text", headers=SCRIPT)

    assert answer.status_code == 201
    assert "MessageSent was not published: ConnectionError" in caplog.text
    assert "secret" not in caplog.text


def test_rolled_back_write_publishes_nothing(each_bus: str, site: WebProcess, talk: Delivery, bayko: User) -> None:
    with opened(site, bayko) as stream:
        with transaction.atomic():
            publish.read(group_uuid=talk.message.group_uuid, user_uuid=uuid4(), seq=1, member_uuids=talk.member_uuids)
            transaction.set_rollback(True)

        assert stream.is_silent()


def test_an_amendment_that_changed_nothing_is_told_as_a_hint(
    site: WebProcess, talk: Delivery, andrew: User, bayko: User
) -> None:
    with opened(site, bayko) as stream:
        same = edit_message.edit(
            user_uuid=andrew.uuid,
            group_uuid=talk.message.group_uuid,
            created_at=talk.message.created_at,
            text="Hello",
            now=timezone.now(),
        )
        publish.message_edited(same, author=andrew)

        assert stream.next()[0] == "hint"
