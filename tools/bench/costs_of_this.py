"""Meter the access patterns and the pages of this system, with the seed's conversations."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Event
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

from django.conf import settings
from django.test import Client
from django.utils import timezone

from messaging.actions import read as read_actions
from messaging.actions import send_message
from messaging.actions.send_message import Delivery
from messaging.domain.entities import pair_group_uuid
from messaging.dynamodb.connection import message_table, streams_client
from messaging.dynamodb.schema import stream_arn
from messaging.dynamodb.table import MessageTable
from messaging.operations.seeding import seed, seed_conversations
from messaging.queries import conversations
from messaging.queries.sync import since
from messaging.realtime.events import MessageSent, Sender, event_from, payloads
from messaging.realtime.hub import Hub
from messaging.realtime.rendering import Reader
from messaging.stream.checkpoints import PostgresCheckpoints
from messaging.stream.consumer import StreamConsumer
from messaging.stream.dead_letters import PostgresDeadLetters
from tests.messaging.live_site import session_of
from users.models import User
from users.people import seed_people

from .cost_rows import Row
from .meter import Cost, metered

TEXT = "x" * 181
"""A text of the seed's average length."""


@dataclass(frozen=True, slots=True)
class Scene:
    """The seed's conversations, two people with a conversation, and one without any."""

    table: MessageTable
    consumer: StreamConsumer
    me: User
    other: User
    stranger: User

    @property
    def group(self) -> UUID:
        return pair_group_uuid(self.me.uuid, self.other.uuid)

    def newest(self) -> str:
        """Return created_at of the newest message."""
        return self.table.messages_before(self.group, None, limit=1)[0].created_at

    def send(self, *, after: str) -> Delivery:
        """Send a message from a page that shows the messages up to `after`."""
        return send_message.send(
            user_uuid=self.me.uuid, group_uuid=self.group, text=TEXT, message_uuid=uuid4(), after=after,
            now=timezone.now(),
        )  # fmt: skip


def scene(seeded: int | None) -> Scene:
    """Fill the table, and let the stream consumer read what it says of that."""
    table = message_table()
    seed_people()
    users = {user.handle: user for user in User.objects.all()}
    people = {handle: user.uuid for handle, user in users.items()}
    list(seed(table, seed_conversations()[:seeded], people=people, now=timezone.now()))
    arn = stream_arn(table)
    consumer = StreamConsumer(table, streams_client(), arn, PostgresCheckpoints(arn), PostgresDeadLetters(arn))
    consumer.begin()
    consumer.drain(Event())
    stranger = User.objects.create_user(handle="somebody", display_name="Somebody Else")
    return Scene(table, consumer, users["andrewbrown"], users["bayko"], stranger)


def rows(*, burst: int, seeded: int | None) -> Iterator[Row]:
    """Yield patterns A to E and the others, a message (C and E together), a burst, live delivery and the pages."""
    here = scene(seeded)
    yield from reads(here)
    yield from writes(here)
    yield from a_burst(here, burst)
    yield from live(here)
    yield from pages(here)


def reads(here: Scene) -> Iterator[Row]:
    me, group = here.me.uuid, here.group
    with metered(here.table) as cost:
        thread = conversations.load_conversation(user_uuid=me, group_uuid=group)
    yield Row("A thread", cost)
    with metered(here.table) as cost:
        conversations.load_conversation(user_uuid=me, group_uuid=group, before=thread.older)
    yield Row("A older page", cost)
    with metered(here.table) as cost:
        conversations.list_conversations(user_uuid=me)
    yield Row("B conversations", cost)
    known = thread.conversation
    with metered(here.table) as cost:
        since(user_uuid=me, group_uuid=group, after=known.last_sk, version=known.version, first="")
    yield Row("since, nothing new", cost)
    here.send(after=known.last_sk)
    with metered(here.table) as cost:
        since(user_uuid=me, group_uuid=group, after=known.last_sk, version=known.version, first="")
    yield Row("since, a message", cost)
    here.consumer.drain(Event())


def writes(here: Scene) -> Iterator[Row]:
    sent, moved = sent_and_moved(here)
    yield Row("C send", sent)
    with metered(here.table) as cost:
        send_message.start(
            user_uuid=here.me.uuid, other_uuid=here.stranger.uuid, text=TEXT, message_uuid=uuid4(), now=timezone.now()
        )
    yield Row("D start", cost)
    yield Row("E the stream moves the entries", moved)
    yield Row("a message, C and E", sent + moved)
    with metered(here.table) as cost:
        here.consumer.drain(Event())
    yield Row("E of a start, which finds the entries made", cost)
    newest = here.newest()
    with metered(here.table) as cost:
        read_actions.mark_read(user_uuid=here.other.uuid, group_uuid=here.group, created_at=newest)
    yield Row("mark read", cost)


def sent_and_moved(here: Scene, messages: int = 1) -> tuple[Cost, Cost]:
    """Send as many, then let the consumer find them in the stream."""
    sent = Cost()
    newest = here.newest()
    for _ in range(messages):
        with metered(here.table, before=sent.after) as cost:
            newest = here.send(after=newest).message.created_at
        sent = sent + cost
    with metered(here.table) as moved:
        here.consumer.drain(Event())
    # Checkpoints do not count as a message's cost: their number depends on the pages of the stream.
    moved.statements = 0
    return sent, moved


def a_burst(here: Scene, messages: int) -> Iterator[Row]:
    sent, moved = sent_and_moved(here, messages)
    yield Row(f"a burst of {messages}", sent + moved, messages=messages)


def live(here: Scene) -> Iterator[Row]:
    """Measure a message to the other member's open stream, from the bus to the bytes."""
    delivery = here.send(after=here.newest())
    author = Sender(here.me.uuid, here.me.display_name, here.me.handle)
    event = MessageSent(delivery.audience, delivery.version, delivery.message, author)
    with metered(here.table) as cost:
        said = asyncio.run(delivered(event, Reader(here.other.uuid, None, "en")))
    yield Row("live delivery", cost, sent_bytes=len(said))
    here.consumer.drain(Event())


async def delivered(event: MessageSent, reader: Reader) -> bytes:
    """Return the bytes that the reader's stream sends for the event."""
    hub = Hub()
    with hub.stream(reader, "session", asked_at=1.0, at_most=1) as stream:
        for payload in payloads(event):
            hub.deliver(event_from(payload))
        frames = stream.frames()
        try:
            return await anext(frames)
        finally:
            await frames.aclose()  # type: ignore[attr-defined] # it is a generator


def pages(here: Scene) -> Iterator[Row]:
    """Measure whole requests, as a browser with script makes them."""
    browser = Client(SERVER_NAME="localhost", HTTP_ACCEPT_ENCODING="gzip")
    browser.cookies[settings.SESSION_COOKIE_NAME] = session_of(here.me)
    browser.cookies[settings.COOKIES.timezone] = "UTC"
    thread = conversations.load_conversation(user_uuid=here.me.uuid, group_uuid=here.group)
    page, newest = f"/messages/{here.group}", thread.newest_known
    known = f"version={thread.conversation.version}&after={quote(newest)}&first="
    first = User.objects.create_user(handle="somebody_new", display_name="Somebody New")
    asked = {
        "conversations": ("/messages", {}),
        "thread": (page, {}),
        "older": (f"{page}/messages?before={quote(thread.older or '')}", {}),
        "since, nothing new": (f"{page}/since?{known}", {}),
        "rows of the list": ("/messages/rows", {}),
        "search": ("/messages/people?q=b", {}),
        "mark read": (f"{page}/read", {"created_at": newest}),
        "send": (page, {"message": TEXT, "message_uuid": str(uuid4()), "after": newest}),
        "start": (f"/messages/new/{first.handle}", {"message": TEXT, "message_uuid": str(uuid4()), "after": ""}),
    }
    for name, (path, form) in asked.items():
        yield page_row(here, browser, name, path, form)


def page_row(here: Scene, browser: Client, name: str, path: str, form: dict[str, str]) -> Row:
    with metered(here.table) as cost:
        answer: Any = browser.post(path, form, HTTP_ACCEPT="application/json") if form else browser.get(path)
    if not 200 <= answer.status_code < 300:  # noqa: PLR2004
        raise SystemExit(f"{path}: {answer.status_code}")
    body = answer.content
    plain = gzip.decompress(body) if answer.get("Content-Encoding") == "gzip" else body
    return Row(f"page/{name}", cost, sent_bytes=len(body), plain_bytes=len(plain))
