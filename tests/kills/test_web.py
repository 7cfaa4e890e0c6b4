"""A web server killed at every moment of a request, restarted, and asked again as a browser asks again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from cruddur.models import RateBucket
from messaging.actions import send_message
from messaging.domain.entities import pair_group_uuid
from messaging.dynamodb.table import MessageTable
from users.models import User

from .book import Book, Contents, check_conversations, check_entries, check_whole, contents
from .browser import Browser
from .processes import Nursery, Process

pytestmark = pytest.mark.django_db(transaction=True)

AT_MOST = 200
"""Moments of a request, far more than there are."""


@dataclass(slots=True)
class Site:
    """The web server that is up, whichever it is, and what the table must hold."""

    nursery: Nursery
    table: MessageTable
    book: Book = field(default_factory=Book)
    died: list[str] = field(default_factory=list)
    """The moments at which web servers were killed."""
    _server: Process | None = None

    @property
    def server(self) -> Process:
        """The web server, started again if it was killed."""
        if self._server is None:
            self._server = self.nursery.bear("web", table=self.table.name)
        return self._server

    def post(self, browser: Browser, path: str, form: Mapping[str, str], *, die_at: int, expected: int) -> bool:
        """Post a form while the server dies at this moment, and again to the next one, which must answer well.

        Returns whether it died: not at a moment that the request does not have.
        """
        # How fast a person may send is not what is tried here.
        RateBucket.objects.all().delete()
        server = self.server
        first = browser.post(server, path, form, die_at=die_at)
        if first is None:
            assert server.was_killed()
            self.died.append(server.moments()[-1])
            self._server = None
            check_whole(self.contents())
            RateBucket.objects.all().delete()
        second = browser.post(self.server, path, form)
        assert second is not None
        assert second[0] == expected, second
        if first is not None:
            assert first == second
        return first is None

    def at_every_moment(self, post: Callable[[int], bool]) -> None:
        """Have a server killed at each moment; what the table then holds of conversations is compared each time."""
        for die_at in range(AT_MOST):
            died = post(die_at)
            check_conversations(self.book, self.contents())
            if not died:
                break
        assert self.died[-1] == "before the answer"
        self.drain()

    def drain(self) -> None:
        """Let a worker take in the stream, and compare everything."""
        self.nursery.drain(self.table.name)
        found = self.contents()
        check_conversations(self.book, found)
        check_entries(self.book, found)

    def contents(self) -> Contents:
        return contents(self.table)


@pytest.fixture
def site(nursery: Nursery, table: MessageTable) -> Site:
    return Site(nursery, table)


@dataclass(slots=True)
class Pair:
    """Two people who talk."""

    site: Site
    one: User
    other: User

    @property
    def group(self) -> UUID:
        return pair_group_uuid(self.one.uuid, self.other.uuid)

    @property
    def path(self) -> str:
        return f"/messages/{self.group}"

    def says(self, by: User, text: str) -> str:
        """Send a message without any kill; return its created_at."""
        to = self.other if by == self.one else self.one
        uuid = uuid4()
        delivery = send_message.start(
            user_uuid=by.uuid, other_uuid=to.uuid, text=text, message_uuid=uuid, now=timezone.now()
        )
        self.site.book.sent(by.uuid, to.uuid, uuid, text)
        return delivery.message.created_at


@pytest.fixture
def pair(site: Site, andrew: User, bayko: User) -> Pair:
    return Pair(site, andrew, bayko)


def test_a_message_is_stored_once_whenever_the_server_dies(site: Site, pair: Pair) -> None:
    browser = Browser.signed_in(pair.one)
    pair.says(pair.other, "Hello")

    def send(die_at: int) -> bool:
        after = site.contents().conversations[pair.group].last_sk
        uuid, text = uuid4(), f"Sent while the server died at {die_at}"
        site.book.sent(pair.one.uuid, pair.other.uuid, uuid, text)
        form = {"message": text, "message_uuid": str(uuid), "after": after}
        return site.post(browser, pair.path, form, die_at=die_at, expected=201)

    site.at_every_moment(send)
    assert {"after GetItem", "after TransactWriteItems"} <= set(site.died)


def test_a_conversation_is_started_once_whenever_the_server_dies(site: Site, andrew: User) -> None:
    browser = Browser.signed_in(andrew)

    def start(die_at: int) -> bool:
        other = User.objects.create_user(
            handle=f"person{die_at}", display_name=f"Person {die_at}", cognito_user_id=f"sub-{die_at}"
        )
        uuid = uuid4()
        site.book.sent(andrew.uuid, other.uuid, uuid, "Hello")
        path = f"/messages/new/{other.handle}"
        form = {"message": "Hello", "message_uuid": str(uuid), "after": ""}
        return site.post(browser, path, form, die_at=die_at, expected=201)

    site.at_every_moment(start)
    assert "after TransactWriteItems" in site.died


def test_an_edit_is_made_once_whenever_the_server_dies(site: Site, pair: Pair) -> None:
    browser = Browser.signed_in(pair.one)
    created_at = pair.says(pair.one, "Hello")
    chapter = site.book.chapters[pair.group]

    def edit(die_at: int) -> bool:
        chapter.lines[0].text, chapter.lines[0].edited = f"Edited while the server died at {die_at}", True
        chapter.changes += 1
        path = f"{pair.path}/{created_at}/edit"
        return site.post(browser, path, {"message": chapter.lines[0].text}, die_at=die_at, expected=200)

    site.at_every_moment(edit)
    assert {"after BatchGetItem", "after TransactWriteItems"} <= set(site.died)


def test_a_message_is_deleted_once_whenever_the_server_dies(site: Site, pair: Pair) -> None:
    browser = Browser.signed_in(pair.one)
    pair.says(pair.other, "Hello")

    def delete(die_at: int) -> bool:
        created_at = pair.says(pair.one, f"Deleted while the server died at {die_at}")
        chapter = site.book.chapters[pair.group]
        chapter.lines[-1].deleted = True
        chapter.changes += 1
        return site.post(browser, f"{pair.path}/{created_at}/delete", {}, die_at=die_at, expected=200)

    site.at_every_moment(delete)
    assert {"after BatchGetItem", "after TransactWriteItems"} <= set(site.died)


def test_read_mark_survives_a_killed_server(site: Site, pair: Pair) -> None:
    browser = Browser.signed_in(pair.one)

    def read(die_at: int) -> bool:
        created_at = pair.says(pair.other, f"Read while the server died at {die_at}")
        chapter = site.book.chapters[pair.group]
        chapter.read[pair.one.uuid] = len(chapter.lines)
        return site.post(browser, f"{pair.path}/read", {"created_at": created_at}, die_at=die_at, expected=204)

    site.at_every_moment(read)
    assert {"after GetItem", "after UpdateItem"} <= set(site.died)
