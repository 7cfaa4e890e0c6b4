"""The pages to measure: the site's own, their bare calls, a bare page, the old system, django-postman."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import quote, urlencode
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection
from django.test import Client

from messaging.domain.entities import pair_group_uuid
from messaging.dynamodb.connection import message_table
from messaging.queries import conversations
from messaging.queries.conversations import PAGE_SIZE
from users.models import User

from . import talks
from .asking import Connection, request_bytes
from .bare import BARE_PAGE
from .bare_calls import recorded, replayed, sending
from .old_system import OldPerson, OldSystem, client_as_it_did, entry_item, message_item, now
from .stack import Person, Server, signed_in
from .timing import Ask, Subject

TEXT = "x" * 181
SEARCHED = "synthetic"
"""Part of the handles of all conversation partners, so that a search finds a full page."""
SHORT = 2
"""Messages in each conversation except the opened one."""


@dataclass(frozen=True)
class Scene:
    """The reader, the writers and their conversations."""

    reader: Person
    others: Sequence[UUID]
    """The people with whom the reader has conversations; the first one's is opened."""
    messages: int
    """Messages in the opened conversation and in each writer's."""
    older: str
    """created_at of the oldest message that is initially shown."""
    writers: Sequence[tuple[Person, UUID]]
    """Each writer with the receiver."""

    @classmethod
    def set(cls, *, conversations: int, messages: int, writers: int) -> Self:
        """Make the people and their conversations."""
        reader = signed_in("the_reader", "Reader")
        others = talks.people(conversations)
        writing = [signed_in(f"writer_{number}", f"Writer {number}") for number in range(writers)]
        peers = talks.people(writers)
        pairs = [(reader.uuid, others[0]), *((each.uuid, peer) for each, peer in zip(writing, peers, strict=True))]
        talks.write(talks.talk(reader.uuid, other, SHORT) for other in others[1:])
        talks.write(talks.talk(one, other, messages) for one, other in pairs)
        for one, other in pairs:
            talks.read_to_the_end(one, other)
        older = oldest_shown(reader.uuid, pair_group_uuid(reader.uuid, others[0]))
        return cls(reader, others, messages, older, list(zip(writing, peers, strict=True)))

    @property
    def group(self) -> UUID:
        return pair_group_uuid(self.reader.uuid, self.others[0])


def oldest_shown(user_uuid: UUID, group_uuid: UUID) -> str:
    """Return created_at of the oldest message in a conversation's newest window."""
    return conversations.load_conversation(user_uuid=user_uuid, group_uuid=group_uuid).messages[0].created_at


def older_path(group_uuid: UUID, before: str) -> str:
    return f"/messages/{group_uuid}/messages?before={quote(before)}"


def subjects(scene: Scene, site: Server, bare: Server, postman: Server | None) -> list[Subject]:
    """Return everything to measure."""
    reads = {
        "conversations": "/messages",
        "thread": f"/messages/{scene.group}",
        "older": older_path(scene.group, scene.older),
    }
    paths = reads | {"search": f"/messages/people?q={SEARCHED}"}
    shown = urlencode([("uuid", str(each)) for each in scene.others[:PAGE_SIZE]])
    writers = [(person.uuid, pair_group_uuid(person.uuid, peer)) for person, peer in scene.writers]
    browser = Client(SERVER_NAME="localhost")
    browser.cookies[settings.SESSION_COOKIE_NAME] = scene.reader.session
    browser.cookies[settings.COOKIES.timezone] = "UTC"
    found = [
        *(Subject(name, getting(site, path, scene.reader.session), site) for name, path in paths.items()),
        Subject("send", site_sending(site, scene.writers), site),
        Subject(BARE_PAGE, getting(bare, f"/?{shown}", scene.reader.session), bare),
        *(Subject(f"bare calls/{name}", replayed(recorded(browser, path))) for name, path in reads.items()),
        Subject("bare calls/send", sending(writers, TEXT)),
        *old_system(scene),
    ]
    connection.close()
    return [*found, *(postmans(scene, postman) if postman else ())]


def getting(server: Server, path: str, session: str) -> Callable[[int], Ask]:
    request = request_bytes("GET", path, session=session)

    def client(number: int) -> Ask:
        keeps = Connection(server.port)
        return lambda: keeps.seconds(request)

    return client


def replying(server: Server, scene: Scene, paths: Sequence[str]) -> Callable[[int], Ask]:
    """Return a function in which each client replies to another message; django-postman responds with a redirect."""

    def client(number: int) -> Ask:
        session = scene.writers[number][0].session
        request, keeps = (
            request_bytes("POST", paths[number], session=session, form={"body": TEXT}),
            Connection(server.port),
        )
        return lambda: keeps.seconds(request, status=HTTPStatus.FOUND)

    return client


def site_sending(site: Server, writers: Sequence[tuple[Person, UUID]]) -> Callable[[int], Ask]:
    """Return a function that sends from a page that shows all earlier messages, as its stream keeps it current."""

    def client(number: int) -> Ask:
        writer, peer = writers[number]
        group = pair_group_uuid(writer.uuid, peer)
        keeps, path = Connection(site.port), f"/messages/{group}"
        known = [message_table().messages_before(group, None, limit=1)[0].created_at]

        def ask() -> float:
            form = {"message": TEXT, "message_uuid": str(uuid4()), "after": known[0]}
            request = request_bytes("POST", path, session=writer.session, form=form, json=True)
            took, answer = keeps.ask(request, status=HTTPStatus.CREATED)
            known[0] = json.loads(gzip.decompress(answer))["created_at"]
            return took

        return ask

    return client


def old_system(scene: Scene) -> Iterator[Subject]:
    """Yield the old system's service calls for the same conversations, which are part of the time of its pages."""
    endpoint, region = str(settings.DYNAMODB_ENDPOINT_URL), settings.AWS_REGION
    old = OldSystem(client_as_it_did(endpoint, region))
    old.create_table(stream=False)
    users = {user.uuid: OldPerson(user.uuid, user.display_name, user.handle) for user in User.objects.all()}
    me = users[scene.reader.uuid]
    old.put_all(message_item(scene.group, me, TEXT, now()) for _ in range(scene.messages))
    old.put_all(
        entry_item(me.uuid, users[other], pair_group_uuid(me.uuid, other), TEXT, now()) for other in scene.others
    )

    def timed(what: Callable[[OldSystem], Any]) -> Callable[[int], Ask]:
        def client(number: int) -> Ask:
            own = OldSystem(client_as_it_did(endpoint, region))

            def ask() -> float:
                began = time.perf_counter()
                what(own)
                return time.perf_counter() - began

            return ask

        return client

    yield Subject("old system/conversations", timed(lambda own: own.conversations(me.uuid)))
    yield Subject("old system/thread", timed(lambda own: own.messages(scene.group)))
    yield Subject("old system/send", timed(lambda own: own.send(scene.group, me, TEXT)))


def postmans(scene: Scene, server: Server) -> Iterator[Subject]:
    """Yield django-postman's pages. Its inbox lists all conversations unless limited."""
    asked = {
        "reader": str(scene.reader.uuid),
        "others": [str(each) for each in scene.others],
        "messages": scene.messages,
        "writers": [(str(person.uuid), str(peer)) for person, peer in scene.writers],
    }
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tools.bench.postman_site.settings"}
    filled = subprocess.run(
        [sys.executable, "-m", "tools.bench.postman_site.fill"], input=json.dumps(asked).encode(), env=environment,
        stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    made: dict[str, Any] = json.loads(filled.stdout)
    inbox, session = "/messages/inbox/", scene.reader.session
    yield Subject("django-postman/inbox", getting(server, inbox, session), server)
    yield Subject(
        f"django-postman/inbox, {PAGE_SIZE} of it", getting(server, f"{inbox}?limit={PAGE_SIZE}", session), server
    )
    yield Subject("django-postman/thread", getting(server, made["thread"], session), server)
    yield Subject("django-postman/reply", replying(server, scene, made["replies"]), server)
